#include "git_changes.h"

#include <algorithm>

#include "git.h"

namespace drydock::source {
namespace {

bool is_file(const std::string& mode) { return mode == "100644" || mode == "100755"; }
bool is_submodule(const UpstreamChange& change) {
  return change.old_mode == "160000" || change.new_mode == "160000";
}

Entry entry_for(const UpstreamChange& change) {
  Entry entry{change.path};
  entry.kind = change.new_mode == "120000" ? Kind::link : Kind::file;
  entry.mode = change.new_mode == "100755" ? 0755 : 0644;
  return entry;
}

Decision decide_one(const UpstreamChange& change, bool local, Kind stands) {
  using Do = Decision::Do;
  if (is_submodule(change)) {
    return {Do::conflict, &change, "is a submodule, which is not switched"};
  }
  if (change.status == 'A') {
    if (stands == Kind::gone) return {Do::take, &change};
    if (stands == Kind::folder) {
      return {Do::conflict, &change, "is a folder here and a file in the release"};
    }
    return {Do::compare, &change,
            local ? "was added here and in the release, with other content"
                  : "is not git's here, and the release brings one of that name"};
  }
  if (!local) {
    if (change.status == 'D') return {Do::remove, &change};
    return {change.status == 'T' ? Do::replace : Do::take, &change};
  }
  const bool removed_here = stands == Kind::gone;
  if (change.status == 'D') {
    if (removed_here) return {Do::keep, &change};
    return {Do::conflict, &change, "was changed here, and the release no longer has it"};
  }
  if (removed_here) return {Do::conflict, &change, "was removed here, and the release changed it"};
  const bool files = stands == Kind::file && is_file(change.old_mode) && is_file(change.new_mode);
  if (files) return {Do::merge, &change};
  return {Do::compare, &change,
          "was changed here and in the release, and is no file on both sides"};
}

}  // namespace

std::vector<std::string> folders_above(const std::string& path) {
  std::vector<std::string> result;
  for (std::size_t at = path.find('/'); at != path.npos; at = path.find('/', at + 1)) {
    result.push_back(path.substr(0, at));
  }
  return result;
}

std::vector<UpstreamChange> parse_diff_tree(const std::string& printed) {
  std::vector<UpstreamChange> changes;
  for (const std::string& line : lines_of(printed)) {
    // ":100644 100755 OLD NEW M<tab>path"
    const std::size_t tab = line.find('\t');
    if (line.empty() || line[0] != ':' || tab == line.npos) continue;
    std::vector<std::string> fields;
    for (std::size_t at = 1; at < tab;) {
      const std::size_t end = std::min(line.find(' ', at), tab);
      fields.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    if (fields.size() != 5 || fields[4].empty()) continue;
    changes.push_back(
        {unquoted(line.substr(tab + 1)), fields[4][0], fields[0], fields[1], fields[2], fields[3]});
  }
  return changes;
}

std::vector<Decision> decide(const std::vector<UpstreamChange>& changes,
                             const std::set<std::string>& local,
                             const std::function<Kind(const std::string&)>& stands,
                             const std::set<std::string>& untouchable) {
  std::set<std::string> leaving;
  for (const UpstreamChange& change : changes) {
    if (change.status == 'D' && local.count(change.path) == 0) leaving.insert(change.path);
  }
  std::vector<Decision> result;
  for (const UpstreamChange& change : changes) {
    if (untouchable.count(change.path) != 0) {
      result.push_back({Decision::Do::keep, &change});
      continue;
    }
    Kind standing = stands(change.path);
    // A folder all of whose files go makes room for a file. (Whether others are in it, the caller
    // has looked: a folder that stays counts as one.)
    const std::string below = change.path + "/";
    const auto first = leaving.lower_bound(below);
    const bool makes_room = standing == Kind::folder && first != leaving.end() &&
                            first->compare(0, below.size(), below) == 0;
    if (makes_room && change.status == 'A') standing = Kind::gone;
    result.push_back(decide_one(change, local.count(change.path) != 0, standing));
  }
  return result;
}

std::vector<Entry> entries_for(const std::vector<Decision>& decisions,
                               const std::set<std::string>& new_folders,
                               const std::function<Kind(const std::string&)>& stands,
                               const std::string& deployment_folder) {
  using Do = Decision::Do;
  std::vector<Entry> result, coming;
  std::set<std::string> gone, gone_folders, made_folders;
  for (const Decision& decision : decisions) {
    const std::string& path = decision.change->path;
    if (decision.what == Do::remove || decision.what == Do::replace) {
      Entry entry{path};
      entry.kind = Kind::gone;
      result.push_back(entry);
      gone.insert(path);
    }
    if (decision.what == Do::remove) {
      for (const std::string& folder : folders_above(path)) {
        const bool stays =
            new_folders.count(folder) != 0 ||
            (deployment_folder + "/").compare(0, folder.size() + 1, folder + "/") == 0;
        if (!stays) gone_folders.insert(folder);
      }
    }
    if (decision.what == Do::take || decision.what == Do::replace || decision.what == Do::merge) {
      coming.push_back(entry_for(*decision.change));
    }
  }
  for (const Entry& entry : coming) {
    for (const std::string& folder : folders_above(entry.path)) {
      if (gone.count(folder) != 0 || stands(folder) == Kind::gone) made_folders.insert(folder);
    }
  }
  for (auto folder = gone_folders.rbegin(); folder != gone_folders.rend(); ++folder) {
    Entry entry{*folder};
    entry.kind = Kind::gone_folder;
    result.push_back(entry);
  }
  for (const std::string& folder : made_folders) {
    Entry entry{folder};
    entry.kind = Kind::folder;
    entry.mode = 0755;
    result.push_back(entry);
  }
  result.insert(result.end(), coming.begin(), coming.end());
  return result;
}

}  // namespace drydock::source
