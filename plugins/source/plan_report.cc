#include "plan_report.h"

#include <sys/stat.h>

#include <cstdio>
#include <filesystem>
#include <map>

#include "digest.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t most_named = 40;  // more changes are told by folder

struct Folder {
  std::size_t added = 0, changed = 0, removed = 0;
  std::int64_t bytes = 0;
};

Change describe(const PlannedFile& file) {
  Change change{"file", file.action, file.path};
  change.detail = file.detail;
  change.disk_bytes = static_cast<std::int64_t>(file.size);
  return change;
}

// "nginx/" of the deployment; "../api/" beside it.
std::string folder_of(const std::string& path) {
  std::size_t slash = path.find('/');
  while (slash != path.npos && path.compare(slash + 1, 3, "../") == 0)
    slash = path.find('/', slash + 1);
  if (path.rfind("../", 0) == 0 && slash != path.npos) slash = path.find('/', slash + 1);
  return slash == path.npos ? "" : path.substr(0, slash + 1);
}

}  // namespace

void report(const Call& call, const std::vector<PlannedFile>& files) {
  std::map<std::string, Folder> folders;
  for (const PlannedFile& file : files) {
    const std::string folder = folder_of(file.path);
    if (files.size() <= most_named || file.by_name || folder.empty()) {
      call.change(describe(file));
      continue;
    }
    Folder& counted = folders[folder];
    ++(file.action == "add"      ? counted.added
       : file.action == "remove" ? counted.removed
                                 : counted.changed);
    counted.bytes += static_cast<std::int64_t>(file.size);
  }
  for (const auto& [name, folder] : folders) {
    Change change{"file", folder.changed + folder.removed == 0 ? "add" : "change", name};
    change.detail = std::to_string(folder.changed) + " files changed, " +
                    std::to_string(folder.added) + " added";
    if (folder.removed != 0) change.detail += ", " + std::to_string(folder.removed) + " removed";
    change.disk_bytes = folder.bytes;
    call.change(change);
  }
}

std::string fact_of(const std::string& path) {
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

}  // namespace drydock::source
