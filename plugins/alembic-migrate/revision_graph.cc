#include "revision_graph.h"

#include <algorithm>

namespace drydock::alembic {

RevisionGraph::RevisionGraph(std::vector<RevisionFile> files) : files_(std::move(files)) {
  // A folder comes in any order; the answers do not depend on it.
  std::sort(files_.begin(), files_.end(),
            [](const auto& a, const auto& b) { return a.revision < b.revision; });
  index_revisions();
  link();
  refuse_cycles();
}

void RevisionGraph::index_revisions() {
  const auto claim = [&](auto& names, const std::string& name, std::size_t by, const char* what) {
    const auto [known, first] = names.emplace(name, by);
    if (first || known->second == by) return;
    throw Unreadable(files_[by].file + " and " + files_[known->second].file + " both claim " +
                     what + " " + name);
  };
  for (std::size_t i = 0; i < files_.size(); ++i) claim(index_, files_[i].revision, i, "revision");
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const std::string& label : files_[i].branch_labels) {
      claim(labels_, label, i, "the branch label");
      if (const auto taken = index_.find(label); taken != index_.end()) {
        throw Unreadable(files_[i].file + " has the branch label " + label +
                         ", which is the revision of " + files_[taken->second].file);
      }
    }
  }
}

std::size_t RevisionGraph::find(const std::string& name, const RevisionFile& wanted_by,
                                const char* field) const {
  if (const auto found = index_.find(name); found != index_.end()) return found->second;
  throw Unreadable(wanted_by.file + ": its " + field + " " + name + " is in no file");
}

void RevisionGraph::link() {
  before_.resize(files_.size());
  std::vector<bool> followed(files_.size()), needed(files_.size());
  for (std::size_t i = 0; i < files_.size(); ++i) {
    for (const std::string& down : files_[i].down_revisions) {
      const std::size_t parent = find(down, files_[i], "down_revision");
      before_[i].push_back(parent);
      followed[parent] = needed[parent] = true;
    }
    for (const std::string& dependency : files_[i].depends_on) {
      const auto labelled = labels_.find(dependency);
      const std::size_t parent =
          labelled != labels_.end() ? labelled->second : find(dependency, files_[i], "depends_on");
      before_[i].push_back(parent);
      needed[parent] = true;
    }
  }
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (!followed[i]) heads_.push_back(files_[i].revision);
    if (!needed[i]) effective_heads_.push_back(files_[i].revision);
  }
}

// Takes away what nothing is left to come after, until nothing can be taken away: what is left then
// goes round in circles.
void RevisionGraph::refuse_cycles() const {
  std::vector<std::size_t> later(files_.size());
  for (const auto& parents : before_) {
    for (const std::size_t parent : parents) ++later[parent];
  }
  std::vector<std::size_t> ready;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    if (later[i] == 0) ready.push_back(i);
  }
  std::size_t taken = 0;
  while (!ready.empty()) {
    const std::size_t one = ready.back();
    ready.pop_back();
    ++taken;
    for (const std::size_t parent : before_[one]) {
      if (--later[parent] == 0) ready.push_back(parent);
    }
  }
  if (taken == files_.size()) return;
  constexpr int most_names = 3;
  std::string names;
  int named = 0;
  for (std::size_t i = 0; i < files_.size() && named < most_names; ++i) {
    if (later[i] == 0) continue;
    names += (named++ == 0 ? "" : ", ") + files_[i].file;
  }
  throw Unreadable("the revisions come after each other in a circle, among them " + names);
}

std::vector<const RevisionFile*> RevisionGraph::pending(
    const std::vector<std::string>& current) const {
  std::vector<bool> visited(files_.size());
  std::vector<std::size_t> stack;
  for (const std::string& stamp : current) {
    // What a stamp comes after has been run.
    stack.push_back(index_.at(stamp));
    while (!stack.empty()) {
      const std::size_t one = stack.back();
      stack.pop_back();
      if (visited[one]) continue;
      visited[one] = true;
      stack.insert(stack.end(), before_[one].begin(), before_[one].end());
    }
  }
  std::vector<const RevisionFile*> result;
  struct Visit {
    std::size_t revision, next;  // next: which of those before it is looked at next
  };
  std::vector<Visit> path;  // not recursion: a chain may be thousands long
  for (const std::string& head : effective_heads_) {
    const std::size_t end = index_.at(head);
    if (visited[end]) continue;
    visited[end] = true;
    path.push_back({end, 0});
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.next == before_[visit.revision].size()) {
        result.push_back(&files_[visit.revision]);
        path.pop_back();
        continue;
      }
      const std::size_t before = before_[visit.revision][visit.next++];
      if (visited[before]) continue;
      visited[before] = true;
      path.push_back({before, 0});
    }
  }
  return result;
}

std::optional<std::pair<std::string, std::string>> RevisionGraph::overlap(
    const std::vector<std::string>& current) const {
  for (const std::string& stamp : current) {
    std::vector<bool> visited(files_.size());
    std::vector<std::size_t> stack = {index_.at(stamp)};
    while (!stack.empty()) {
      const std::size_t one = stack.back();
      stack.pop_back();
      for (const std::size_t before : before_[one]) {
        if (visited[before]) continue;
        visited[before] = true;
        stack.push_back(before);
      }
    }
    for (const std::string& other : current) {
      if (visited[index_.at(other)]) return std::pair(other, stamp);
    }
  }
  return std::nullopt;
}

}  // namespace drydock::alembic
