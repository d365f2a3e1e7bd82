// How the revisions of an application follow each other, and what a database still has to go
// through. The meaning of heads, dependencies and labels is Alembic's own (1.8 to 1.16).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "revision_file.h"

namespace drydock::alembic {

// Immutable. All functions take linear time in the number of revisions and of their links.
class RevisionGraph {
 public:
  // Throws Unreadable, naming the files, for what Alembic refuses as well or loads by chance: a
  // revision or label that two files claim, a parent or dependency that no file has, a cycle.
  explicit RevisionGraph(std::vector<RevisionFile> files);

  std::size_t size() const { return files_.size(); }
  bool knows(const std::string& revision) const { return index_.count(revision) != 0; }
  // What no other revision names as its down_revision: the list of `alembic heads`, sorted. With
  // more than one of them `upgrade head` is refused.
  const std::vector<std::string>& heads() const { return heads_; }
  // Those of the heads on which no other revision depends either: the rows of alembic_version
  // after `upgrade heads`, sorted.
  const std::vector<std::string>& effective_heads() const { return effective_heads_; }
  // What `upgrade heads` runs on a database with the stamps `current`: each revision after those
  // that it comes from and depends on, branch by branch. The pointers point into this graph.
  // current: each of them known.
  std::vector<const RevisionFile*> pending(const std::vector<std::string>& current) const;
  // Two of the stamps of which the second comes from, or depends on, the first, which Alembic
  // refuses ("overlaps with other requested revisions"); nullopt: there are none. current: each of
  // them known.
  std::optional<std::pair<std::string, std::string>> overlap(
      const std::vector<std::string>& current) const;

 private:
  void index_revisions();
  void link();
  void refuse_cycles() const;
  std::size_t find(const std::string& name, const RevisionFile& wanted_by, const char* field) const;

  std::vector<RevisionFile> files_;
  std::unordered_map<std::string, std::size_t> index_;   // revision -> its place in files_
  std::unordered_map<std::string, std::size_t> labels_;  // label of a branch -> the same
  std::vector<std::vector<std::size_t>> before_;  // what has to run before each, in files_' order
  std::vector<std::string> heads_, effective_heads_;
};

}  // namespace drydock::alembic
