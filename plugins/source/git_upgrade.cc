#include "git_upgrade.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "file_store.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

using Do = Decision::Do;

Kind kind_at(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return Kind::gone;
  return S_ISLNK(status.st_mode) ? Kind::link : S_ISDIR(status.st_mode) ? Kind::folder : Kind::file;
}

std::vector<UpstreamChange> changes_between(const Git& git, const std::string& from,
                                            const std::string& to) {
  return parse_diff_tree(
      git.ask({"diff-tree", "-r", "--no-renames", from, to}, "compare the releases"));
}

// The tracked paths that the operator changed: not committed yet, and in commits of her own.
std::set<std::string> changed_here(const Git& git, const Checkout& checkout,
                                   const BaseCommit& base) {
  const LocalChanges local = local_changes(git);
  if (!local.staged_and_changed.empty()) {
    throw Failed("git has staged changes in " + checkout.root + " that differ from the files (" +
                 local.staged_and_changed.front() +
                 "); commit them, or take them off with `git restore --staged`");
  }
  std::set<std::string> paths;
  for (const auto& [path, ignored] : local.paths) paths.insert(path);
  if (base.commit != checkout.head) {
    for (const UpstreamChange& change : changes_between(git, base.commit, checkout.head)) {
      paths.insert(change.path);
    }
  }
  return paths;
}

// Everything in the folder goes with the release's own files.
bool will_be_empty(const std::string& folder, const std::string& root,
                   const std::set<std::string>& gone) {
  for (const auto& found : fs::recursive_directory_iterator(folder)) {
    if (found.is_directory() && !found.is_symlink()) continue;
    if (gone.count(found.path().lexically_relative(root).string()) == 0) return false;
  }
  return true;
}

// Three ways, of one file. nullopt: both sides changed the same lines, or it is no text.
class Merge {
 public:
  Merge(const Git& git, const GitUpgrade& upgrade, std::string folder)
      : git_(git), upgrade_(upgrade), folder_(std::move(folder)) {}

  // Writes the result in the place of the release's bytes.
  bool merge(const UpstreamChange& change) const {
    const std::string base = folder_ + ".base", result = folder_ + ".merged";
    const std::string ours = upgrade_.checkout.root + "/" + change.path;
    const std::string theirs = folder_ + "/" + change.path;
    if (files::same_content(ours, theirs)) return keep_mode(change, ours, theirs);
    const Captured read =
        git_.to_file({"cat-file", "--filters", upgrade_.base.commit + ":" + change.path}, base);
    if (!read.exit.ok()) throw git_refused(read, "read the old " + change.path);
    const Captured merged = git_.to_file({"merge-file", "-p", "--quiet", "-L", "yours", "-L",
                                          "before", "-L", upgrade_.tag.name, ours, base, theirs},
                                         result);
    if (!merged.exit.ok()) return false;
    files::write(theirs, files::read(result));
    return keep_mode(change, ours, theirs);
  }
  ~Merge() {
    std::error_code none;
    for (const char* end : {".base", ".merged"}) fs::remove(folder_ + end, none);
  }
  Merge(const Merge&) = delete;
  Merge& operator=(const Merge&) = delete;

 private:
  // Who may execute it is merged as well: the release's word counts where it changed that.
  static bool keep_mode(const UpstreamChange& change, const std::string& ours,
                        const std::string& theirs) {
    struct stat status {};
    if (::stat(ours.c_str(), &status) != 0) throw Failed("cannot look at " + ours);
    const bool executable = change.old_mode != change.new_mode ? change.new_mode == "100755"
                                                               : (status.st_mode & 0100) != 0;
    ::chmod(theirs.c_str(), executable ? 0755 : 0644);
    return true;
  }
  const Git& git_;
  const GitUpgrade& upgrade_;
  std::string folder_;
};

bool same_there(const std::string& here, const std::string& release) {
  if (kind_at(here) != kind_at(release)) return false;
  if (kind_at(here) == Kind::link) return fs::read_symlink(here) == fs::read_symlink(release);
  return kind_at(here) == Kind::file && files::same_content(here, release);
}

// A submodule's commit changed: known before any file is looked at.
std::set<std::string> untouchable_in(const Checkout& checkout) {
  return {checkout.folder + ".env"};
}

// Which of the release's files have to be there, to be compared, merged, planned with or switched
// to; and the attributes that say how they are written.
std::vector<CommitFile> needed(const std::vector<CommitFile>& all,
                               const std::vector<Decision>& decisions, const Checkout& checkout,
                               Bytes bytes) {
  std::set<std::string> wanted;
  for (const Decision& decision : decisions) {
    const std::string& path = decision.change->path;
    const bool below = path.compare(0, checkout.folder.size(), checkout.folder) == 0;
    const bool decides = decision.what == Do::merge || decision.what == Do::compare;
    if (decides || below || bytes == Bytes::all) wanted.insert(path);
  }
  std::vector<CommitFile> result;
  for (const CommitFile& file : all) {
    const bool attributes = fs::path(file.path).filename() == ".gitattributes";
    if (attributes || wanted.count(file.path) != 0) result.push_back(file);
  }
  return result;
}

}  // namespace

std::vector<UpstreamChange> upstream_changes(const Call& call, const Checkout& checkout,
                                             const Tag& tag) {
  const Git git = checkout.git(call).with_objects_of(tag.fetched);
  return changes_between(git, base_of(git, checkout, tag).commit, tag.commit);
}

GitUpgrade prepare_upgrade(const Call& call, const Checkout& checkout, const Tag& tag,
                           const std::string& folder, Bytes bytes) {
  const Git git = checkout.git(call).with_objects_of(tag.fetched);
  GitUpgrade upgrade;
  upgrade.checkout = checkout;
  upgrade.tag = tag;
  upgrade.base = base_of(git, checkout, tag);
  upgrade.changes = changes_between(git, upgrade.base.commit, tag.commit);
  const std::set<std::string> local = changed_here(git, checkout, upgrade.base);
  const auto place = [&](const std::string& path) { return checkout.root + "/" + path; };
  const auto stands = [&](const std::string& path) { return kind_at(place(path)); };
  std::vector<Decision> decisions =
      decide(upgrade.changes, local, stands, untouchable_in(checkout));

  const std::vector<CommitFile> all = files_of(git, tag.commit);
  write_files(git, needed(all, decisions, checkout, bytes), folder);
  std::set<std::string> changed, gone;
  for (const Decision& decision : decisions) {
    changed.insert(decision.change->path);
    if (decision.what == Do::remove) gone.insert(decision.change->path);
  }
  const Merge merge(git, upgrade, folder);
  for (Decision& decision : decisions) {
    const std::string& path = decision.change->path;
    if (decision.what == Do::merge) {
      if (merge.merge(*decision.change)) {
        upgrade.merged.push_back(path);
      } else {
        decision.what = Do::conflict;
        decision.why = "was changed here and in the release, in the same lines";
      }
    } else if (decision.what == Do::compare) {
      decision.what = same_there(place(path), folder + "/" + path) ? Do::take : Do::conflict;
    } else if (decision.what == Do::take && stands(path) == Kind::folder &&
               !will_be_empty(place(path), checkout.root, gone)) {
      decision.what = Do::conflict;
      decision.why = "is a folder here and a file in the release";
    }
    if (decision.what == Do::conflict) upgrade.conflicts.push_back(path + " " + decision.why);
  }
  for (const std::string& path : local) {
    if (changed.count(path) == 0) upgrade.kept.push_back(path);
  }
  std::set<std::string> new_folders;
  for (const CommitFile& file : all) {
    for (const std::string& above : folders_above(file.path)) new_folders.insert(above);
  }
  upgrade.entries = entries_for(decisions, new_folders, stands,
                                checkout.folder.substr(0, checkout.folder.find_last_of('/')));
  for (Entry& entry : upgrade.entries) {
    const std::string file = folder + "/" + entry.path;
    if (entry.kind == Kind::link && kind_at(file) == Kind::link) {
      entry.target = fs::read_symlink(file).string();
    }
    std::error_code none;
    if (entry.kind == Kind::file && kind_at(file) == Kind::file) {
      entry.size = fs::file_size(file, none);
      struct stat status {};
      if (::stat(file.c_str(), &status) == 0) entry.mode = (status.st_mode & 0100) ? 0755 : 0644;
    }
  }
  return upgrade;
}

}  // namespace drydock::source
