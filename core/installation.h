// What a rollout asks of a host before it begins, and `drydock status --installation` shows: which
// Drydock is there, with which plugins, what its clock says and how full its disk is.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "workbench.h"

namespace drydock {

// Of the commands by which a rollout works on an environment. It grows when an older Drydock would
// misunderstand them.
inline constexpr std::int64_t rollout_protocol = 1;

// {"version", "rollout_protocol", "clock_ms", "free_bytes", "user", "host", "stages": {TYPE:
// {"plugin", "version", "sha256", "file"}}, "problems": [TEXT]}. free_bytes: of the deployment's
// and its state's disks the least; null when they do not say. Broken plugins are told, not thrown.
nlohmann::json installation_document(Workbench& bench, const std::string& dir,
                                     const StateDir& state);

// The same for people, a line each.
void print_installation(const nlohmann::json& document);

}  // namespace drydock
