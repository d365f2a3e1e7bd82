// Environments that a rollout file does not list itself: one a file, or what a command prints.
#pragma once

#include <string>
#include <vector>

#include "rollout_environment.h"
#include "yaml_tree.h"

namespace drydock {

// `inventory: { files: GLOB }` or `{ command: [...], timeout: 30s }`, whose output is that of
// `ansible-inventory --list`. Throws Error: nothing found, a command that fails, does not end or
// prints something else, a value in a vault.
std::vector<DeclaredEnvironment> read_inventory(const YamlNode& node, const std::string& folder);

// The same for what a command has printed; `place` is that of the command in the rollout file.
std::vector<DeclaredEnvironment> environments_of_ansible(const std::string& text,
                                                         const Place& place,
                                                         const std::string& folder);

}  // namespace drydock
