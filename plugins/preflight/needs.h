// What of a compose file needs a newer engine than Compose itself does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::preflight {

struct Need {
  std::string what;     // "healthcheck.start_interval of service api"
  std::string version;  // of the engine
};
// What `docker compose config --format json` prints.
std::vector<Need> engine_needs(std::string_view resolved_model);

}  // namespace drydock::preflight
