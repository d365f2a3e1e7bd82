// A deployment that a check tries steps in: made as a copy of an example, and compared with itself.
#pragma once

#include <map>
#include <string>

namespace drydock {

// Files, folders and links of `from` into `to`, which is there. The state of `from` (.drydock) and
// what is no file stay out of it. Throws Error: it is too large, or has a link that leads out of
// it, through which a trial would change what is no copy.
void copy_example(const std::string& from, const std::string& to);

// Path -> kind, mode and content of all that is in a folder.
using FolderState = std::map<std::string, std::string>;
FolderState state_of_folder(const std::string& dir);
// "changed '.env'", "made 'a/b' and 2 others"; "" when they are equal.
std::string difference(const FolderState& before, const FolderState& after);

}  // namespace drydock
