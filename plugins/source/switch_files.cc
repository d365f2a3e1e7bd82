#include "switch_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "fields.h"
#include "file_store.h"
#include "first_failure.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

std::string list_path(const std::string& private_dir) { return private_dir + "/list"; }
std::string saved(const std::string& private_dir, const std::string& path) {
  return private_dir + "/before/" + path;
}
std::string parent(const std::string& path) { return fs::path(path).parent_path().string(); }

Before look_at(const ReleaseTree& release, const Entry& entry) {
  Before before{entry.path};
  struct stat status {};
  const std::string path = release.place(entry);
  if (::lstat(path.c_str(), &status) != 0 || release.is_cleared_first(entry)) {
    before.was = entry.kind == Kind::folder ? Before::Was::folder_absent : Before::Was::absent;
    return before;
  }
  before.was = entry.kind == Kind::gone_folder ? Before::Was::folder : Before::Was::file;
  if (S_ISLNK(status.st_mode)) {
    before.target = fs::read_symlink(path).string();
    const bool replaced = entry.kind == Kind::link || entry.kind == Kind::gone;
    before.was = replaced ? Before::Was::link : Before::Was::file_through_link;
    if (before.was == Before::Was::file_through_link && ::stat(path.c_str(), &status) != 0) {
      throw Failed("cannot look at " + path + ": " + std::strerror(errno));
    }
  }
  before.mode = status.st_mode & 07777;
  before.uid = status.st_uid;
  before.gid = status.st_gid;
  return before;
}

std::string encoded(const std::vector<Before>& kept) {
  std::vector<std::string> fields;
  for (const Before& before : kept) {
    fields.insert(fields.end(), {before.path, std::to_string(static_cast<int>(before.was)),
                                 std::to_string(before.mode), std::to_string(before.uid),
                                 std::to_string(before.gid), before.target});
  }
  return joined_fields(fields);
}

// Folders in which something was changed that is not on disk yet: each is synced once, not once a
// file.
using Unsynced = std::set<std::string>;

// Itself, not one that a link leads to.
bool is_folder(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void sync(const Unsynced& unsynced) {
  for (const std::string& folder : unsynced) {
    if (is_folder(folder)) files::sync_directory(folder);  // else it went with its files
  }
}

void remove(const std::string& path, Unsynced& unsynced) {
  if (::unlink(path.c_str()) == 0) {
    unsynced.insert(parent(path));
  } else if (errno != ENOENT && errno != ENOTDIR && errno != EISDIR) {
    // (A folder: the old one, which was to make room and still stands there.)
    throw Failed("cannot remove " + path + ": " + std::strerror(errno));
  }
}

// As root what is new belongs to whom its folder belongs to.
files::Attributes for_new(const std::string& path, mode_t mode) {
  files::Attributes attributes{mode};
  if (::geteuid() != 0) return attributes;
  const auto folder = files::attributes(parent(path));
  if (folder) attributes.uid = folder->uid;
  if (folder) attributes.gid = folder->gid;
  return attributes;
}

void make_folder(const ReleaseTree& release, const Entry& entry) {
  const std::string path = release.place(entry);
  const files::Attributes attributes = for_new(path, entry.mode);
  files::make_directories(path, entry.mode | 0700);
  if (::chown(path.c_str(), attributes.uid, attributes.gid) != 0) {
    throw Failed("cannot give " + path + " to its folder's owner: " + std::strerror(errno));
  }
}

std::unique_ptr<files::Replacement> new_file(const ReleaseTree& release, const Entry& entry) {
  const std::string path = release.place(entry);
  std::optional<files::Attributes> attributes = files::attributes(path);
  if (attributes) attributes->mode = release.mode_for(entry, attributes->mode);
  auto replacement = std::make_unique<files::Replacement>(path);
  replacement->set(attributes ? *attributes : for_new(path, entry.mode));
  files::append(release.at(entry), *replacement);
  return replacement;
}

void restore_file(const Before& before, const std::string& path, const std::string& copy,
                  Unsynced& unsynced, files::Replacements& restored) {
  const files::Attributes attributes{before.mode, before.uid, before.gid};
  // A link of the release stands where a file was.
  const bool became_link = fs::is_symlink(fs::symlink_status(path));
  if (became_link && before.was == Before::Was::file) remove(path, unsynced);
  if (files::attributes(path) == attributes && files::same_content(path, copy)) return;
  auto replacement = files::copy_of_file(copy, path);  // with the time of the copy, the old one's
  replacement->set(attributes);
  restored.add(std::move(replacement));
}

void restore_link(const Before& before, const std::string& path) {
  struct stat status {};
  const bool link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
  const bool same_owner = status.st_uid == before.uid && status.st_gid == before.gid;
  if (link && same_owner && fs::read_symlink(path) == before.target) return;
  files::Attributes owner{0777};
  if (::geteuid() == 0) owner = {0777, before.uid, before.gid};
  files::replace_link(path, before.target, owner);
}

void restore_folder(const Before& before, const std::string& path) {
  if (is_folder(path)) return;
  files::make_directories(path, before.mode);
  if (::geteuid() == 0 && ::chown(path.c_str(), before.uid, before.gid) != 0) {
    throw Failed("cannot keep the owner of " + path + ": " + std::strerror(errno));
  }
}

void restore(const Before& before, const std::string& root, const Call& call, Unsynced& unsynced,
             files::Replacements& restored) {
  const std::string path = root + "/" + before.path;
  switch (before.was) {
    case Before::Was::absent:
      // (Behind a link of before there is nothing of ours.)
      if (!is_behind_link(root, before.path)) remove(path, unsynced);
      break;
    case Before::Was::folder_absent:
      if (is_behind_link(root, before.path)) break;
      if (fs::is_symlink(fs::symlink_status(path))) break;  // the one of before
      if (::rmdir(path.c_str()) != 0 && errno != ENOENT) {
        call.warn(path + " is new, but cannot be removed: " + std::strerror(errno));
      }
      break;
    case Before::Was::folder:
      restore_folder(before, path);
      break;
    case Before::Was::link:
      restore_link(before, path);
      break;
    case Before::Was::file:
    case Before::Was::file_through_link:
      restore_file(before, path, saved(call.private_dir(), before.path), unsynced, restored);
      break;
  }
}

bool is_own_group(gid_t group) {
  if (group == ::getegid()) return true;
  const int number = ::getgroups(0, nullptr);
  std::vector<gid_t> groups(static_cast<std::size_t>(std::max(number, 0)));
  if (number > 0 && ::getgroups(number, groups.data()) < 0) return false;
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

// Whether a file that is made anew at `path` can get this owner. In a folder with the setgid bit it
// gets the folder's group by itself.
bool can_be_given(const std::string& path, uid_t uid, gid_t gid) {
  if (::geteuid() == 0) return true;
  if (uid != ::geteuid()) return false;
  struct stat folder {};
  const bool inherited = ::stat(parent(files::resolve_links(path)).c_str(), &folder) == 0 &&
                         (folder.st_mode & S_ISGID) != 0 && folder.st_gid == gid;
  return inherited || is_own_group(gid);
}

void refuse_foreign(const Before& before, const std::string& path) {
  if (can_be_given(path, before.uid, before.gid)) return;
  throw Failed(path + " belongs to " + std::to_string(before.uid) + ":" +
               std::to_string(before.gid) + ", and user " + std::to_string(::geteuid()) +
               " could not give it back to them; run as that user or as root, or give the file to "
               "user " +
               std::to_string(::geteuid()));
}

}  // namespace

std::vector<Before> keep_old_files(const ReleaseTree& release, const std::string& private_dir) {
  std::vector<Before> kept;
  files::Replacements copies;
  for (const Entry& entry : release.entries()) {
    // A folder may be empty once what is in it is gone.
    if (entry.kind != Kind::gone_folder && release.compare(entry) == Difference::none) continue;
    kept.push_back(look_at(release, entry));
    const Before& before = kept.back();
    if (before.was != Before::Was::file && before.was != Before::Was::file_through_link) continue;
    refuse_foreign(before, release.place(entry));
    const std::string copy = saved(private_dir, entry.path);
    files::make_directories(parent(copy));
    copies.add(files::copy_of_file(release.place(entry), copy));
  }
  copies.commit();
  files::write(list_path(private_dir), encoded(kept));
  return kept;
}

std::set<std::string> changed_content(const ReleaseTree& release) {
  std::set<std::string> changed;
  for (const Entry& entry : release.entries()) {
    if (entry.kind == Kind::folder || entry.kind == Kind::gone_folder) continue;
    const Difference difference = release.compare(entry);
    const bool mode_only = difference == Difference::mode;
    if (difference != Difference::none && !mode_only) changed.insert(release.place(entry));
  }
  return changed;
}

std::vector<Before> read_list(const std::string& private_dir) {
  const std::vector<std::string> fields = fields_of(files::read(list_path(private_dir)));
  std::vector<Before> kept;
  for (std::size_t i = 0; i + 6 <= fields.size(); i += 6) {
    kept.push_back({fields[i], static_cast<Before::Was>(std::stoi(fields[i + 1])),
                    static_cast<mode_t>(std::stoul(fields[i + 2])),
                    static_cast<uid_t>(std::stoul(fields[i + 3])),
                    static_cast<gid_t>(std::stoul(fields[i + 4])), fields[i + 5]});
  }
  return kept;
}

void switch_to(const ReleaseTree& release, const std::vector<Before>& kept, Call& call) {
  std::set<std::string> listed;
  for (const Before& before : kept) listed.insert(before.path);
  std::size_t done = 0;
  Unsynced unsynced;
  files::Replacements written;
  for (const Entry& entry : release.entries()) {
    if (listed.count(entry.path) == 0) continue;
    call.throw_if_cancelled();
    call.progress(done++, kept.size(), "files");
    // Folders and links are cheap to make again; a file that is right already stays untouched.
    if (release.compare(entry) == Difference::none) continue;
    const std::string path = release.place(entry);
    if (entry.kind == Kind::gone) remove(path, unsynced);
    if (entry.kind == Kind::gone_folder && ::rmdir(path.c_str()) == 0)
      unsynced.insert(parent(path));
    if (entry.kind == Kind::folder) make_folder(release, entry);
    if (entry.kind == Kind::link) files::replace_link(path, entry.target, for_new(path, 0777));
    if (entry.kind == Kind::file) written.add(new_file(release, entry));
  }
  written.commit();
  sync(unsynced);
}

void remove_leftovers(const std::vector<Before>& kept, const std::string& root) {
  std::vector<std::string> paths;
  for (const Before& before : kept) paths.push_back(root + "/" + before.path);
  files::remove_leftovers(paths);
}

void switch_back(const std::vector<Before>& kept, const std::string& root, const Call& call) {
  Unsynced unsynced;
  files::Replacements restored;
  FirstFailure failure(call);
  for (auto before = kept.rbegin(); before != kept.rend(); ++before) {
    failure.attempt([&] { restore(*before, root, call, unsynced, restored); });
  }
  failure.attempt([&] { restored.commit(); });
  failure.attempt([&] { sync(unsynced); });
  failure.rethrow();
}

}  // namespace drydock::source
