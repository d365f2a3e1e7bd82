// Switching a checkout's commit, index and tag to a release, and back. The files are switched
// beside (switch_files.h). Every step may be repeated after it was killed.
#pragma once

#include <drydock/stage.hpp>
#include <string>

#include "git_upgrade.h"

namespace drydock::source {

// What is noted before the first change, and all that a rollback knows.
struct GitNote {
  std::string root, git_dir, common_dir, folder;
  std::string branch, head;         // before; "" is detached
  std::string tag, object, commit;  // the release
  bool had_tag = false;             // the checkout had the tag itself
  bool shallow = false;             // the tag's history is not fetched with it
};
GitNote note_for(const Call& call, const GitUpgrade& upgrade);
std::string encoded(const GitNote& note);
GitNote decoded(const std::string& text);

// Into the private folder: index and list of shallow commits as they are, and what the tag brings
// as a pack.
void keep_git_state(const Call& call, const GitUpgrade& upgrade);

// What was locked when git was killed under us: locks that hold exactly what we would have written.
void remove_own_locks(const Call& call, const GitNote& note);

// The tag and its objects, before the files are switched.
void bring_tag(const Call& call, const GitNote& note);
// HEAD and index, once the files are.
void switch_commit(const Call& call, const GitNote& note);
void switch_commit_back(const Call& call, const GitNote& note);

// Throws Failed when HEAD or index are not the release's.
void verify_commit(const Call& call, const GitNote& note);

}  // namespace drydock::source
