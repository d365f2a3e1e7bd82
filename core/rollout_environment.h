// Environments of a rollout: what `defaults:`, another environment (`like:`) and each itself say of
// it, put together.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "rollout.h"
#include "yaml_tree.h"

namespace drydock {

// An environment as it is declared, before it is put together with what it is like.
struct DeclaredEnvironment {
  std::string name;
  YamlNode node;
  std::string folder;  // from which its vars_files are named
};

// `defaults` may be null. Throws Error with the place of the first problem: an unknown key, `like:`
// that leads back to itself, a host that is none.
std::vector<Environment> read_environments(const std::vector<DeclaredEnvironment>& declared,
                                           const YamlNode* defaults, const std::string& folder);

// "" or why this is no host: neither ssh://[USER@]HOST[:PORT] nor an alias of ssh_config.
std::string problem_of_host(const std::string& host);

}  // namespace drydock
