#include "release_tree.h"

#include <fnmatch.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <drydock/stage.hpp>
#include <filesystem>

#include "file_store.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> always_left_out = {"/.env", "/.drydock", ".git"};

bool is_within(const fs::path& path, const fs::path& folder) {
  const auto [end, ignored] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return end == folder.end();
}

std::string leaving(const std::string& path, const std::string& target) {
  return "the link " + path + " leads to " + target + ", outside the release; replace it by a file";
}

}  // namespace

std::vector<std::string> default_exclude() {
  return {"/.env", "/.drydock", ".git", "/volumes", "/env-backup"};
}

// As in .gitignore: a glob with a slash at its begin counts from the top, one without any slash
// counts in each folder; what is below a match is left out too.
bool is_left_out(const std::string& path, const std::vector<std::string>& exclude) {
  const auto matches = [&path](const std::string& glob) {
    const bool anywhere = glob.find('/') == glob.npos;
    const std::string from_top = glob[0] == '/' ? glob.substr(1) : glob;
    const std::string name = fs::path(path).filename().string();
    return ::fnmatch(from_top.c_str(), anywhere ? name.c_str() : path.c_str(), FNM_PATHNAME) == 0;
  };
  return std::any_of(always_left_out.begin(), always_left_out.end(), matches) ||
         std::any_of(exclude.begin(), exclude.end(),
                     [&](const auto& glob) { return !glob.empty() && matches(glob); });
}

ReleaseTree::ReleaseTree(const std::string& directory, const std::string& deployment,
                         const std::vector<std::string>& exclude, bool kept) {
  std::error_code error;
  const fs::path release = fs::canonical(directory, error);
  if (error) {
    throw Failed("the release " + directory + " cannot be read: " + error.message() +
                 "; unpack it there, or change `directory`");
  }
  if (!fs::is_directory(release)) {
    throw Failed("the release " + directory + " is no folder; unpack it, and name the folder");
  }
  const fs::path own = fs::canonical(deployment);
  if (!kept && (is_within(own, release) || is_within(release, own))) {
    throw Failed("the release " + release.string() + " and the deployment " + own.string() +
                 " lie inside one another; keep releases beside the deployment");
  }
  release_ = release.string();
  place_ = own.string();
  walk("", exclude);
  if (std::none_of(entries_.begin(), entries_.end(),
                   [](const Entry& entry) { return entry.kind == Kind::file; })) {
    throw Failed("the release " + release_ + " has no files; is it unpacked completely?");
  }
}

ReleaseTree::ReleaseTree(std::string directory, std::string checkout, std::vector<Entry> entries)
    : release_(std::move(directory)),
      place_(std::move(checkout)),
      entries_(std::move(entries)),
      exact_(true) {
  for (const Entry& entry : entries_) {
    const bool leaves = entry.kind == Kind::gone || entry.kind == Kind::gone_folder;
    (leaves ? leaving_ : arriving_)[entry.path] = entry.kind;
  }
}

void ReleaseTree::walk(const std::string& below, const std::vector<std::string>& exclude) {
  for (const std::string& name : files::names_in(release_ + "/" + below)) {
    Entry entry{below.empty() ? name : below + "/" + name};
    if (is_left_out(entry.path, exclude)) continue;
    struct stat status {};
    if (::lstat(at(entry).c_str(), &status) != 0) throw Failed("cannot read " + at(entry));
    entry.mode = status.st_mode & 0777;
    entry.size = static_cast<std::uint64_t>(status.st_size);
    if (S_ISLNK(status.st_mode)) {
      entry.kind = Kind::link;
      entry.target = fs::read_symlink(at(entry)).string();
      const fs::path end = (fs::path(below) / entry.target).lexically_normal();
      if (end.is_absolute() || *end.begin() == "..") throw Failed(leaving(at(entry), entry.target));
    } else if (S_ISDIR(status.st_mode)) {
      entry.kind = Kind::folder;
    } else if (!S_ISREG(status.st_mode)) {
      throw Failed(at(entry) + " is neither file, folder nor link; remove it from the release");
    }
    entries_.push_back(entry);
    if (entry.kind == Kind::folder) walk(entry.path, exclude);
  }
}

bool ReleaseTree::has(const std::string& path) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&path](const Entry& entry) { return entry.path == path; });
}

// A link in the deployment that leads elsewhere in it is the operator's way to arrange files; one
// that leads out of it would have us write into somebody else's.
void ReleaseTree::check_place(const Entry& entry) const {
  fs::path at = place_;
  const bool itself = entry.kind == Kind::link || exact_;  // what stands there is replaced
  const fs::path path = itself ? fs::path(entry.path).parent_path() : fs::path(entry.path);
  for (const fs::path& part : path) {
    at /= part;
    if (!fs::is_symlink(fs::symlink_status(at))) continue;
    std::error_code error;
    const fs::path end = fs::canonical(at, error);
    if (!error && is_within(end, place_)) continue;
    throw Failed(at.string() + " is a link that leads " +
                 (error ? "nowhere" : "out of the deployment, to " + end.string()) +
                 "; replace it by a file or folder, or leave it out with `exclude`");
  }
}

bool is_behind_link(const std::string& root, const std::string& path) {
  for (fs::path above = fs::path(path).parent_path(); !above.empty(); above = above.parent_path()) {
    struct stat status {};
    if (::lstat((root + "/" + above.string()).c_str(), &status) == 0 && !S_ISDIR(status.st_mode)) {
      return true;
    }
  }
  return false;
}

bool ReleaseTree::is_cleared_first(const Entry& entry) const {
  const bool arrives = entry.kind != Kind::gone && entry.kind != Kind::gone_folder;
  if (!arrives || leaving_.empty()) return false;
  if (leaving_.count(entry.path) != 0) return true;
  if (!is_behind_link(place_, entry.path)) return false;
  for (fs::path above = fs::path(entry.path).parent_path(); !above.empty();
       above = above.parent_path()) {
    if (leaving_.count(above.string()) != 0) return true;
  }
  return false;
}

Difference ReleaseTree::compare_leaving(const Entry& entry) const {
  struct stat status {};
  if (::lstat(place(entry).c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Difference::none;
    throw Failed("cannot look at " + place(entry) + ": " + std::strerror(errno));
  }
  const bool folder = S_ISDIR(status.st_mode);
  if (const auto coming = arriving_.find(entry.path); coming != arriving_.end()) {
    const Kind kind = S_ISLNK(status.st_mode) ? Kind::link : folder ? Kind::folder : Kind::file;
    if (kind == coming->second) return Difference::none;  // what was to come is there
  }
  if (entry.kind == Kind::gone) return folder ? Difference::none : Difference::content;
  return folder && fs::is_empty(place(entry)) ? Difference::content : Difference::none;
}

Difference ReleaseTree::compare(const Entry& entry) const {
  const bool leaves = entry.kind == Kind::gone || entry.kind == Kind::gone_folder;
  if (exact_ && is_behind_link(place_, entry.path)) {
    if (leaves) return Difference::none;  // it went with its folder
    if (is_cleared_first(entry)) return Difference::absent;
  }
  check_place(entry);
  if (entry.kind == Kind::gone || entry.kind == Kind::gone_folder) return compare_leaving(entry);
  struct stat status {};
  const std::string path = place(entry);
  const bool link = entry.kind == Kind::link;
  const bool itself = link || exact_;
  if ((itself ? ::lstat(path.c_str(), &status) : ::stat(path.c_str(), &status)) != 0) {
    if (errno == ENOENT || (exact_ && errno == ENOTDIR)) return Difference::absent;
    throw Failed("cannot look at " + path + ": " + std::strerror(errno));
  }
  const Kind present = S_ISLNK(status.st_mode)   ? Kind::link
                       : S_ISDIR(status.st_mode) ? Kind::folder
                                                 : Kind::file;
  if (is_cleared_first(entry) && present != entry.kind) return Difference::absent;
  if (S_ISDIR(status.st_mode) != (entry.kind == Kind::folder)) {
    throw Failed(path + " is " + (S_ISDIR(status.st_mode) ? "a folder" : "no folder") +
                 ", but the release has " + (S_ISDIR(status.st_mode) ? "no folder" : "a folder") +
                 " of that name; move yours away, or leave it out with `exclude`");
  }
  if (entry.kind == Kind::folder) return Difference::none;
  if (link) {
    const bool same = S_ISLNK(status.st_mode) && fs::read_symlink(path) == entry.target;
    return same ? Difference::none : Difference::content;
  }
  if (!S_ISREG(status.st_mode)) throw Failed(path + " is no regular file; move it away");
  if (!files::same_content(path, at(entry))) return Difference::content;
  return mode_for(entry, status.st_mode & 07777) == (status.st_mode & 07777) ? Difference::none
                                                                             : Difference::mode;
}

mode_t ReleaseTree::mode_for(const Entry& entry, mode_t present) const {
  if (exact_ && (entry.mode & 0100) == 0) return present & ~static_cast<mode_t>(0111);
  // Whoever may read it may execute it. Never taken away: a release from a zip has lost it.
  const bool executable = (entry.mode & 0100) != 0;
  return executable ? present | ((present & 0444) >> 2) : present;
}

}  // namespace drydock::source
