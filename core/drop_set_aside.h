// Removing what restores have set aside.
#pragma once

#include <vector>

#include "journal.h"
#include "set_aside.h"
#include "workbench.h"

namespace drydock {

// Files by itself; databases by the plugin of the stage that restored, in a worker, with the
// options that the run was journaled with. Throws Error (exit code 3) with the first that could not
// be removed; safe to repeat. Returns what the plugin said.
// Databases of another deployment than `dir` are nobody's to drop here.
std::vector<std::string> drop_set_aside(Workbench& bench, Journal& journal, const std::string& dir,
                                        const StateDir& state, const std::vector<SetAside>& all);

}  // namespace drydock
