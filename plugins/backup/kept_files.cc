#include "kept_files.h"

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "digest.h"
#include "file_store.h"
#include "first_failure.h"
#include "manifest.h"
#include "set_aside.h"

namespace drydock::backup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const char* word(KeptFile::Kind kind) {
  switch (kind) {
    case KeptFile::Kind::file:
      return "file";
    case KeptFile::Kind::folder:
      return "folder";
    case KeptFile::Kind::link:
      return "link";
    case KeptFile::Kind::special:  // never kept
    case KeptFile::Kind::absent:
      break;
  }
  return "absent";
}

KeptFile::Kind kind_of(const std::string& text) {
  for (auto kind : {KeptFile::Kind::file, KeptFile::Kind::folder, KeptFile::Kind::link}) {
    if (text == word(kind)) return kind;
  }
  return KeptFile::Kind::absent;
}

// What stands at the path itself; a link is not followed.
KeptFile look_at(const Call& call, const std::string& path) {
  KeptFile found;
  found.path = path;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return found;
    throw Failed(shown(call, path) + " cannot be backed up: " + std::strerror(errno));
  }
  if (S_ISREG(status.st_mode)) {
    found.kind = KeptFile::Kind::file;
    found.bytes = status.st_size;
  } else if (S_ISDIR(status.st_mode)) {
    found.kind = KeptFile::Kind::folder;
  } else if (S_ISLNK(status.st_mode)) {
    found.kind = KeptFile::Kind::link;
    found.target = fs::read_symlink(path).string();
  } else {
    found.kind = KeptFile::Kind::special;
  }
  found.mode = status.st_mode & 07777;
  found.uid = status.st_uid;
  found.gid = status.st_gid;
  return found;
}

// Somebody else put the same bytes there again (the stage that wrote the file, say), or touched it:
// the copy still has the old time.
void put_time_back(const std::string& copy, const std::string& path) {
  struct stat kept {
  }, now{};
  if (::stat(copy.c_str(), &kept) != 0 || ::stat(path.c_str(), &now) != 0) return;
  const bool same =
      kept.st_mtim.tv_sec == now.st_mtim.tv_sec && kept.st_mtim.tv_nsec == now.st_mtim.tv_nsec;
  const timespec times[] = {{0, UTIME_OMIT}, kept.st_mtim};
  // Whose file it is not may not, and has its bytes all the same.
  if (!same && ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0 &&
      errno != EPERM) {
    files::throw_file_error("set the time of", path);
  }
}

// The path and, when it is a folder, all below it; a link together with the file it leads to, since
// both may be replaced.
void collect(const Call& call, const std::string& path, std::set<std::string>& seen,
             std::vector<KeptFile>& into) {
  if (!seen.insert(path).second) return;
  into.push_back(look_at(call, path));
  if (into.back().kind == KeptFile::Kind::link) {
    const std::string target = files::resolve_links(path);
    struct stat status {};
    if (::stat(target.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      collect(call, target, seen, into);
    }
  }
  if (into.back().kind != KeptFile::Kind::folder || into.back().path != path) return;
  for (const std::string& name : files::names_in(path)) {
    collect(call, path + "/" + name, seen, into);
  }
}

std::string escaped(const std::string& path) {
  std::string result;
  for (char c : path) {
    if (std::strchr("*?[\\", c) != nullptr) result += '\\';
    result += c;
  }
  return result;
}

std::vector<std::string> matches(const Call& call, const std::string& pattern) {
  if (pattern.find_first_of("*?[") == std::string::npos) {
    std::string path = fs::path(call.deployment(pattern)).lexically_normal().string();
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    return {path};
  }
  const std::string full =
      pattern[0] == '/' ? pattern : escaped(call.deployment_dir()) + "/" + pattern;
  glob_t found{};
  const int result = ::glob(full.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (result != 0 && result != GLOB_NOMATCH) {
    throw Failed("the files of the pattern " + pattern + " cannot be listed");
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string copy_of(const Call& call, const std::string& folder, const std::string& path) {
  const std::string inside = call.deployment_dir() + "/";
  return path.rfind(inside, 0) == 0 ? folder + "/" + path.substr(inside.size())
                                    : folder + ".absolute" + path;
}

bool is_as_kept(const KeptFile& kept, const KeptFile& now) {
  if (kept.kind != now.kind) return false;
  if (kept.kind == KeptFile::Kind::absent) return true;
  if (kept.kind == KeptFile::Kind::link) return kept.target == now.target;
  if (kept.mode != now.mode || kept.uid != now.uid || kept.gid != now.gid) return false;
  if (kept.kind == KeptFile::Kind::folder) return true;
  return kept.bytes == now.bytes && sha256_file(kept.path) == kept.sha256;
}

}  // namespace

void move_aside(const Call& call, const std::string& path, const std::string& aside) {
  note_folder_aside(call, aside);
  std::string to = call.private_dir() + "/" + copy_of(call, aside, path);
  for (int n = 2; fs::exists(fs::symlink_status(to)); ++n) {
    to = call.private_dir() + "/" + copy_of(call, aside, path) + "." + std::to_string(n);
  }
  files::make_directories(fs::path(to).parent_path().string());
  if (::rename(path.c_str(), to.c_str()) == 0) return;
  const int why = errno;
  if (why != EXDEV) files::throw_file_error("move aside", path, why);
  const std::vector<std::string> left_out = files::copy_tree(path, to);
  if (!left_out.empty()) {
    const std::string which = left_out.front().empty() ? path : path + "/" + left_out.front();
    throw Failed(shown(call, path) + " cannot be moved to another file system, as " + which +
                 " is a socket, pipe or device; remove that, then repeat");
  }
  std::error_code error;
  fs::remove_all(path, error);
  if (error) files::throw_file_error("remove", path, error.value());
}

namespace {

void put_back(const Call& call, const KeptFile& kept, const KeptFile& now,
              const std::string& aside) {
  if (kept.kind != now.kind && now.kind != KeptFile::Kind::absent) {
    move_aside(call, kept.path, aside);
  }
  switch (kept.kind) {
    case KeptFile::Kind::absent:
    case KeptFile::Kind::special:
      break;
    case KeptFile::Kind::link: {
      if (now.kind == KeptFile::Kind::link) move_aside(call, kept.path, aside);
      files::make_directories(fs::path(kept.path).parent_path().string());
      if (::symlink(kept.target.c_str(), kept.path.c_str()) != 0) {
        files::throw_file_error("put back the link", kept.path);
      }
      if (::lchown(kept.path.c_str(), kept.uid, kept.gid) != 0 && errno != EPERM) {
        throw Failed(shown(call, kept.path) + " cannot get its owner back: " + strerror(errno));
      }
      break;
    }
    case KeptFile::Kind::folder:
      files::make_directories(kept.path);
      if (::chown(kept.path.c_str(), kept.uid, kept.gid) != 0 && errno != EPERM) {
        throw Failed(shown(call, kept.path) + " cannot get its owner back: " + strerror(errno));
      }
      ::chmod(kept.path.c_str(), kept.mode);
      break;
    case KeptFile::Kind::file: {
      files::make_directories(fs::path(kept.path).parent_path().string());
      files::remove_leftovers(kept.path);
      files::copy_file(call.private_dir() + "/" + kept.copy, kept.path);
      break;
    }
  }
}

}  // namespace

std::string shown(const Call& call, const std::string& path) {
  const std::string inside = call.deployment_dir() + "/";
  return path.rfind(inside, 0) == 0 ? path.substr(inside.size()) : path;
}

std::vector<KeptFile> find_files(const Call& call, const std::vector<std::string>& patterns) {
  std::set<std::string> seen;
  std::vector<KeptFile> found;
  for (const std::string& pattern : patterns) {
    for (const std::string& path : matches(call, pattern)) collect(call, path, seen, found);
  }
  return found;
}

std::vector<KeptFile> files_to_keep(const Call& call, const std::vector<std::string>& patterns) {
  std::vector<KeptFile> found = find_files(call, patterns);
  for (const KeptFile& file : found) {
    if (file.kind != KeptFile::Kind::special) continue;
    throw Failed(shown(call, file.path) +
                 " is a socket, pipe or device, which cannot be backed up; name the files that "
                 "`files` is to keep without it");
  }
  return found;
}

std::vector<KeptFile> keep_files(const Call& call, std::vector<KeptFile> found,
                                 const std::string& folder) {
  files::Replacements copies;
  std::uint64_t done = 0;
  for (KeptFile& file : found) {
    call.throw_if_cancelled();
    if (file.kind == KeptFile::Kind::file) {
      file.copy = copy_of(call, folder, file.path);
      const std::string to = call.private_dir() + "/" + file.copy;
      files::make_directories(fs::path(to).parent_path().string());
      copies.add(files::copy_of_file(file.path, to));
    }
    call.progress(++done, found.size(), "files");
  }
  copies.commit();
  for (KeptFile& file : found) {
    call.throw_if_cancelled();
    if (file.kind == KeptFile::Kind::file) {
      file.sha256 = sha256_file(call.private_dir() + "/" + file.copy);
    }
  }
  return found;
}

std::string written(const std::vector<KeptFile>& kept, const std::vector<std::string>& patterns) {
  json list = json::array();
  for (const KeptFile& file : kept) {
    list.push_back({{"path", file.path},
                    {"kind", word(file.kind)},
                    {"copy", file.copy},
                    {"sha256", file.sha256},
                    {"target", file.target},
                    {"mode", file.mode},
                    {"uid", file.uid},
                    {"gid", file.gid},
                    {"bytes", file.bytes}});
  }
  try {
    return json({{"patterns", patterns}, {"files", list}}).dump();
  } catch (const json::exception&) {
    throw Failed(
        "a file that `files` names has a name that is no UTF-8; rename it or leave it out");
  }
}

KeptPatterns read_kept(const Call& call, const std::string& id) {
  const auto records = manifest_records(call.private_dir(), {"files"});
  const auto record = records.find(id);
  if (record == records.end()) {
    throw Failed(call.private_dir() + "/manifests/" + id +
                 ".json, the manifest of the kept files, is not there");
  }
  try {
    const json document = json::parse(record->second);
    KeptPatterns kept;
    kept.patterns = document.at("patterns").get<std::vector<std::string>>();
    for (const json& entry : document.at("files")) {
      KeptFile file;
      entry.at("path").get_to(file.path);
      file.kind = kind_of(entry.at("kind").get<std::string>());
      entry.at("copy").get_to(file.copy);
      entry.at("sha256").get_to(file.sha256);
      entry.at("target").get_to(file.target);
      entry.at("mode").get_to(file.mode);
      entry.at("uid").get_to(file.uid);
      entry.at("gid").get_to(file.gid);
      entry.at("bytes").get_to(file.bytes);
      kept.files.push_back(std::move(file));
    }
    return kept;
  } catch (const json::exception& e) {
    throw Failed(call.private_dir() + "/manifests/" + id +
                 ".json is no manifest of kept files: " + e.what());
  }
}

namespace {

void check_copy(const Call& call, const KeptFile& file) {
  if (file.kind != KeptFile::Kind::file) return;
  const std::string copy = call.private_dir() + "/" + file.copy;
  const std::string found = sha256_file(copy);
  if (found != file.sha256) {
    throw Failed("the copy " + copy + " is not the one that was made: its SHA-256 is " + found +
                 ", noted was " + file.sha256);
  }
}

}  // namespace

void check_copies(const Call& call, const std::vector<KeptFile>& kept) {
  for (const KeptFile& file : kept) check_copy(call, file);
}

void put_back(const Call& call, const std::vector<KeptFile>& kept,
              const std::vector<std::string>& patterns, const std::string& aside) {
  std::set<std::string> known;
  FirstFailure failure(call);  // of one of them must not keep the others from being put back
  for (const KeptFile& file : kept) {
    known.insert(file.path);
    failure.attempt([&] {
      const KeptFile now = look_at(call, file.path);
      const bool same = is_as_kept(file, now);
      if (!same) {
        check_copy(call, file);
        put_back(call, file, now, aside);
        call.info("put back " + shown(call, file.path));
      } else if (file.kind == KeptFile::Kind::file) {
        put_time_back(call.private_dir() + "/" + file.copy, file.path);
      }
    });
  }
  for (const KeptFile& now : find_files(call, patterns)) {
    if (known.count(now.path) != 0 || now.kind == KeptFile::Kind::absent) continue;
    failure.attempt([&] {
      if (!fs::exists(fs::symlink_status(now.path))) return;  // went aside with its folder
      move_aside(call, now.path, aside);
      call.info("moved " + shown(call, now.path) + " to " + call.private_dir() + "/" + aside);
    });
  }
  failure.rethrow();
}

}  // namespace drydock::backup
