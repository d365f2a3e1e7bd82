// The git checkout that a deployment lies in, as it is. Reads only.
#pragma once

#include <drydock/stage.hpp>
#include <map>
#include <string>
#include <vector>

#include "git.h"

namespace drydock::source {

struct Checkout {
  std::string root;        // the work tree
  std::string git_dir;     // HEAD and index of this work tree
  std::string common_dir;  // objects and tags; the same but for a linked work tree
  std::string folder;      // the deployment below the root, "docker/"; "" is the root itself
  std::string head;        // the commit
  std::string branch;      // "refs/heads/main"; "" is detached
  bool shallow = false;

  Git git(const Call& call) const { return Git(call, git_dir, root); }
  // The branch or commit, for people and for the reflog.
  std::string head_name() const;
};

// Upwards from the deployment. Throws Failed where there is none, where it is in the middle of
// something, or of a kind that cannot be switched (sparse, partial, without a commit).
Checkout find_checkout(const Call& call);

// Whether the deployment lies in a checkout at all.
bool in_a_checkout(const std::string& dir);

// What the operator has changed in tracked files since the commit.
struct LocalChanges {
  // path -> a line that says what is in the index and how the file is, for comparing
  std::map<std::string, std::string> paths;
  // Staged in one form, and changed again since: only the index has the staged bytes.
  std::vector<std::string> staged_and_changed;
};
LocalChanges local_changes(const Git& git);
// What `git status --porcelain=v2` printed.
LocalChanges parse_status(const std::string& printed);

}  // namespace drydock::source
