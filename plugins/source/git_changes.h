// What an upgrade of a checkout from one commit to another does with each file, decided from
// values alone.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "release_tree.h"

namespace drydock::source {

// What a release changed, as `git diff-tree -r --no-renames` prints it.
struct UpstreamChange {
  std::string path;
  char status = 'M';  // A, M, D or T (file and link changed places)
  std::string old_mode, new_mode, old_blob, new_blob;
};
std::vector<UpstreamChange> parse_diff_tree(const std::string& printed);

struct Decision {
  enum class Do {
    take,     // the release's bytes
    remove,   // the release no longer has it
    replace,  // file and link change places: what is there goes first
    merge,    // changed here and there: three ways
    compare,  // something else stands there: right if it is the same already
    keep,     // gone here and there, or never ours to touch
    conflict,
  };
  Do what = Do::take;
  const UpstreamChange* change = nullptr;
  std::string why = {};  // of a conflict, for people: completes "PATH "
};

// local: tracked paths that the operator changed, removed or added. stands: what is at a path now
// (Kind::gone: nothing). untouchable: paths that are left alone whatever happened to them.
std::vector<Decision> decide(const std::vector<UpstreamChange>& changes,
                             const std::set<std::string>& local,
                             const std::function<Kind(const std::string&)>& stands,
                             const std::set<std::string>& untouchable);

// The entries that carry the decisions out, in the order that ReleaseTree asks for. new_folders:
// all folders that the release has.
std::vector<Entry> entries_for(const std::vector<Decision>& decisions,
                               const std::set<std::string>& new_folders,
                               const std::function<Kind(const std::string&)>& stands,
                               const std::string& deployment_folder);

// "a/b/c" -> "a", "a/b".
std::vector<std::string> folders_above(const std::string& path);

}  // namespace drydock::source
