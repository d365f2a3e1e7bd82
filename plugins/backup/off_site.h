// The option `copy`: a command that takes each dump elsewhere.
#pragma once

#include <string>

#include "drydock/stage.hpp"

namespace drydock::backup {

// Runs the command, if there is one, with the path of `file` (below the private folder) as its last
// argument. Throws Failed when it fails: a backup that was to be elsewhere and is not is none.
void send_copy(const Call&, const std::string& file);

}  // namespace drydock::backup
