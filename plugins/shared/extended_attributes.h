// What a file has beside its bytes, mode, owner and times: access control lists, labels, and what
// programs attach.
#pragma once

#include <string>

namespace drydock::files {

// Gives the open file `to`, whose name is `name`, all that `from` has; false: that has none. What
// its file system cannot keep, or only root may give, it does not get. Where there is an access
// control list the mode is part of it, so set the mode afterwards. Throws FileError on other
// failures.
bool keep_extended_attributes(const std::string& from, int to, const std::string& name);

}  // namespace drydock::files
