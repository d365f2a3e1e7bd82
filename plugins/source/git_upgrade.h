// How a checkout gets from what it is to a release's tag, with the operator's changes: everything
// that is decided before anything is switched.
#pragma once

#include <drydock/stage.hpp>
#include <optional>
#include <string>
#include <vector>

#include "checkout.h"
#include "git_changes.h"
#include "release_tag.h"

namespace drydock::source {

// The commit whose files the operator's are compared with: the last published one that HEAD has.
struct BaseCommit {
  std::string commit;
  std::size_t own_commits = 0;  // of the operator's, since then
  std::string counts_because;   // for people: why it counts as published
};
// Throws Failed when the history does not tell.
BaseCommit base_of(const Git& git, const Checkout& checkout, const Tag& tag);

struct GitUpgrade {
  Checkout checkout;
  Tag tag;
  BaseCommit base;
  std::vector<UpstreamChange> changes;
  std::vector<Entry> entries;          // of the checkout, as ReleaseTree takes them
  std::vector<std::string> merged;     // paths with changes of both sides
  std::vector<std::string> kept;       // changed here only
  std::vector<std::string> conflicts;  // "PATH was ...", each a sentence without its full stop
};

// Files whose bytes are needed are written below `folder`, which is new or empty: those of all
// entries, or (planning) only those that are merged or below the deployment. Throws Failed for what
// cannot be switched at all.
enum class Bytes { all, of_deployment };
GitUpgrade prepare_upgrade(const Call& call, const Checkout& checkout, const Tag& tag,
                           const std::string& folder, Bytes bytes);

// What differs between the base and the tag, without looking at any file.
std::vector<UpstreamChange> upstream_changes(const Call& call, const Checkout& checkout,
                                             const Tag& tag);

// Files of a commit, as a checkout makes them (ends of lines, filters), below `folder`.
struct CommitFile {
  std::string mode, blob, path;
};
std::vector<CommitFile> files_of(const Git& git, const std::string& commit);
void write_files(const Git& git, const std::vector<CommitFile>& files, const std::string& folder);

}  // namespace drydock::source
