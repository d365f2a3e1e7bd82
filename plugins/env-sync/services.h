// Services that a value names, and the services of a Compose model.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace drydock::env_sync {

// The hosts in a value: the value itself, `host:port`, the hosts of URLs, each member of a list
// with commas or blanks.
std::set<std::string> hosts_in(std::string_view value);

// The first of `services` that the value names; "" when it names none. A value that is one bare
// word counts only where `bare` says so.
std::string service_in(std::string_view value, const std::set<std::string>& services, bool bare);

// The names under `services` of a model in JSON. Throws std::runtime_error.
std::set<std::string> services_of_model(const std::string& json);

}  // namespace drydock::env_sync
