#include "source_stage.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include "changed_files.h"
#include "digest.h"
#include "file_store.h"
#include "release_tree.h"
#include "switch_files.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

constexpr auto list_note = "list";  // the list of what is switched, and the old bytes, are kept
// The planned folder mirrors the whole release up to this size: compose files may include others.
constexpr std::uint64_t most_planned = 64 * 1024 * 1024;
constexpr std::size_t most_named = 40;  // more changes are told by folder

ReleaseTree release_of(const Call& call) {
  return ReleaseTree(call.deployment(call.text("/directory")), call.deployment_dir(),
                     call.has("/exclude") ? call.texts("/exclude") : default_exclude());
}

// Compose would go on with the old file, or with two of them.
void check_compose_file(const Call& call, const ReleaseTree& release) {
  const auto compose_files = call.compose_files();
  const std::string own = call.deployment_dir() + "/";
  if (compose_files.empty() || compose_files[0].compare(0, own.size(), own) != 0) return;
  const std::string name = compose_files[0].substr(own.size());
  if (release.has(name)) return;
  throw Failed("the release " + release.directory() + " has no " + name +
               ", the compose file of this deployment; is `directory` the folder that holds it?");
}

// "sha256 mode uid:gid" of what stands in an entry's place.
std::string fact_of(const ReleaseTree& release, const Entry& entry) {
  const std::string path = release.place(entry);
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return "absent";
  std::string content = S_ISDIR(status.st_mode) ? "folder" : "";
  if (S_ISLNK(status.st_mode)) {
    content = "link to " + fs::read_symlink(path).string() + ", ";
    if (::stat(path.c_str(), &status) != 0) return content + "which leads nowhere";
  }
  if (S_ISREG(status.st_mode)) content += sha256_file(path);
  char rest[64];
  std::snprintf(rest, sizeof rest, " %04o %u:%u", status.st_mode & 07777U, status.st_uid,
                status.st_gid);
  return content + rest;
}

// The operator changed the file since the last run (or init).
bool is_edited(const Call& call, const ReleaseTree& release, const Entry& entry) {
  if (call.snapshot_dir().empty() || entry.kind != Kind::file) return false;
  const std::string pristine = call.snapshot_dir() + "/" + entry.path;
  return fs::is_regular_file(pristine) && !files::same_content(pristine, release.place(entry));
}

void put_into_planned(const Call& call, const ReleaseTree& release, const Entry& entry) {
  const std::string copy = call.planned_dir() + "/" + entry.path;
  if (entry.kind != Kind::file) return;  // links lead to files that are there themselves
  files::make_directories(fs::path(copy).parent_path().string());
  fs::copy_file(release.at(entry), copy, fs::copy_options::overwrite_existing);
}

struct Planned {
  const Entry* entry;
  Difference difference;
  bool edited;
};

Change describe(const Call& call, const Planned& planned) {
  Change change{"file", planned.difference == Difference::absent ? "add" : "change",
                planned.entry->path};
  if (planned.difference == Difference::mode) change.detail = "execute permission only";
  if (planned.edited) {
    change.detail = "edited here since the last run; your bytes are kept in .drydock/backups/RUN/" +
                    call.stage_id() + "/before/" + planned.entry->path;
  }
  change.disk_bytes = static_cast<std::int64_t>(planned.entry->size);
  return change;
}

// A few files by name; of many only those that somebody edited, and the rest by folder.
void report(const Call& call, const std::vector<Planned>& changes) {
  struct Folder {
    std::size_t added = 0, changed = 0;
    std::int64_t bytes = 0;
  };
  std::map<std::string, Folder> folders;
  for (const Planned& planned : changes) {
    if (planned.edited) {
      call.warn(planned.entry->path + " was edited here and is replaced by the release's");
    }
    const std::size_t slash = planned.entry->path.find('/');
    if (changes.size() <= most_named || planned.edited || slash == std::string::npos) {
      call.change(describe(call, planned));
      continue;
    }
    Folder& folder = folders[planned.entry->path.substr(0, slash + 1)];
    ++(planned.difference == Difference::absent ? folder.added : folder.changed);
    folder.bytes += static_cast<std::int64_t>(planned.entry->size);
  }
  for (const auto& [name, folder] : folders) {
    Change change{"file", folder.changed == 0 ? "add" : "change", name};
    change.detail = std::to_string(folder.changed) + " files changed, " +
                    std::to_string(folder.added) + " added";
    change.disk_bytes = folder.bytes;
    call.change(change);
  }
}

}  // namespace

const char* const Source::options = R"json({
  "type": "object",
  "additionalProperties": false,
  "required": ["directory"],
  "properties": {
    "directory": {"type": "string", "minLength": 1,
      "description": "folder with the new release's files, relative to the deployment"},
    "exclude": {"type": "array", "items": {"type": "string", "minLength": 1},
      "default": ["/.env", "/.drydock", ".git", "/volumes", "/env-backup"],
      "description": "globs of what is never touched, as in .gitignore; /.env, /.drydock and .git never are"}
  }
})json";

void Source::observe(Call& call) {
  const ReleaseTree release = release_of(call);
  for (const Entry& entry : release.entries()) {
    call.fact((entry.kind == Kind::folder ? "folder " : "file ") + entry.path,
              fact_of(release, entry));
  }
}

void Source::plan(Call& call) {
  const ReleaseTree release = release_of(call);
  check_compose_file(call, release);
  call.input(call.text("/directory"));
  std::uint64_t size = 0;
  for (const Entry& entry : release.entries()) size += entry.size;
  std::vector<Planned> changes;
  std::size_t files = 0;
  for (const Entry& entry : release.entries()) {
    const Difference difference = release.compare(entry);
    if (difference != Difference::none || size <= most_planned) {
      put_into_planned(call, release, entry);
    }
    if (entry.kind == Kind::folder) continue;
    ++files;
    if (difference == Difference::none) continue;
    const bool edited = difference == Difference::content && is_edited(call, release, entry);
    changes.push_back({&entry, difference, edited});
  }
  report(call, changes);
  call.info(std::to_string(changes.size()) + " of " + std::to_string(files) +
            " files of the release are new or different");
}

void Source::run(Call& call) {
  const ReleaseTree release = release_of(call);
  check_compose_file(call, release);
  const bool kept_before = call.recall(list_note).has_value();
  const std::vector<Before> kept =
      kept_before ? read_list(call.private_dir()) : keep_old_files(release, call.private_dir());
  if (!kept_before) call.remember(list_note, std::to_string(kept.size()));
  if (kept_before) remove_leftovers(kept, call);
  std::set<std::string> changed;  // containers that have mounted one are made anew
  for (const Entry& entry : release.entries()) {
    const Difference difference = release.compare(entry);
    if (difference == Difference::content || difference == Difference::absent) {
      changed.insert(release.place(entry));
    }
  }
  files::leave_changed(call.private_dir(), call.run_id(), changed);
  switch_to(release, kept, call);
  call.info(std::to_string(kept.size()) + " files and folders switched to " + release.directory());
}

void Source::verify(Call& call) {
  const ReleaseTree release = release_of(call);
  for (const Entry& entry : release.entries()) {
    if (release.compare(entry) == Difference::none) continue;
    throw Failed(release.place(entry) + " is not the release's " + release.at(entry) +
                 "; somebody changed one of them during the run");
  }
}

void Source::rollback(Call& call) {
  if (!call.recall(list_note)) return;  // it died before its first change
  const std::vector<Before> kept = read_list(call.private_dir());
  remove_leftovers(kept, call);  // a new folder is only removed when it is empty
  switch_back(kept, call);
}

}  // namespace drydock::source
