// Switching the deployment's files to a release's, and back.
#pragma once

#include <drydock/stage.hpp>
#include <set>
#include <string>
#include <vector>

#include "release_tree.h"

namespace drydock::source {

// What stood in the place of one entry before.
struct Before {
  enum class Was { absent, folder_absent, file, file_through_link, link, folder };
  std::string path;
  Was was = Was::absent;
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string target = {};  // of a link
};

// Keeps the old bytes of all that will change, and the list of it, in the private folder; both are
// on disk when it returns. Repeatable as long as nothing was switched. Throws Failed for a file that
// could not get its owner back.
std::vector<Before> keep_old_files(const ReleaseTree& release, const std::string& private_dir);
std::vector<Before> read_list(const std::string& private_dir);

// Absolute paths of the files and links that come, change or go: not those of which only the mode
// changes.
std::set<std::string> changed_content(const ReleaseTree& release);

// What writes that were killed left below `root`.
void remove_leftovers(const std::vector<Before>& kept, const std::string& root);
void switch_to(const ReleaseTree& release, const std::vector<Before>& kept, Call& call);
// Every byte, mode, owner and time below `root` as it was; what was added is removed. What cannot be
// put back does not keep the rest from it; the first failure is thrown at the end.
void switch_back(const std::vector<Before>& kept, const std::string& root, const Call& call);

}  // namespace drydock::source
