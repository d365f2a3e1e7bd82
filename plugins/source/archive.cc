#include "archive.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "digest.h"
#include "file_store.h"
#include "git.h"
#include "release_tag.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

bool is_url(const std::string& archive) {
  return archive.rfind("http://", 0) == 0 || archive.rfind("https://", 0) == 0;
}

std::string last_words(const Captured& captured) {
  const std::vector<std::string> lines = lines_of(captured.err);
  return lines.empty() ? captured.exit.describe() : lines.back();
}

void check_digest(const std::string& file, const std::string& archive, std::string wanted) {
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string found = sha256_file(file);
  if (found == wanted) return;
  throw Failed(
      "the archive " + archive + " has the SHA-256 " + found + ", and " + wanted +
      " is expected; it is another one, or was changed: do not use it before you know why");
}

// A value in a file of options for curl.
std::string quoted(const std::string& value) {
  std::string result = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' || c == '\r' ? ' ' : c;
  }
  return result + '"';
}

// As a command, because a plugin that links an HTTP library costs each of its steps a start. The
// URL goes in by stdin: everybody on the machine can read what a command was started with.
void fetch(const Call& call, const std::string& url, const std::string& file) {
  call.info("fetch " + url);
  Process process;
  process.arguments = {"curl",
                       "--disable",
                       "--fail",
                       "--silent",
                       "--show-error",
                       "--location",
                       "--max-redirs",
                       "5",
                       "--proto",
                       "=http,https",
                       "--proto-redir",
                       "=http,https",
                       "--globoff",
                       "--retry",
                       "2",
                       "--connect-timeout",
                       "20",
                       "--speed-time",
                       "60",
                       "--speed-limit",
                       "1",
                       "--output",
                       file,
                       "--config",
                       "-"};
  process.input = "url = " + quoted(url) + "\n";
  const Captured captured = call.capture(process);
  if (captured.exit.ok()) return;
  throw Failed("the archive " + url + " cannot be fetched: " + last_words(captured) +
               "; check the address and the network, or give a file");
}

Captured tar(const Call& call, std::vector<std::string> arguments) {
  Process process;
  process.arguments = {"tar", "--force-local"};
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  process.environment = {"LC_ALL=C"};
  return call.capture(process);
}

Failed unreadable(const std::string& archive, const Captured& captured) {
  return Failed("the archive " + archive + " cannot be read: " + last_words(captured) +
                "; it must be a tar, plain or compressed by a program that is installed here");
}

// Looked at whole before a byte of it is written.
void check_members(const Call& call, const std::string& archive, const std::string& file) {
  const Captured names = tar(call, {"--list", "--quoting-style=escape", "--file", file});
  const Captured kinds = tar(
      call, {"--list", "--verbose", "--numeric-owner", "--quoting-style=escape", "--file", file});
  if (!names.exit.ok() || !kinds.exit.ok()) {
    throw unreadable(archive, names.exit.ok() ? kinds : names);
  }
  const std::vector<std::string> name = lines_of(names.out), kind = lines_of(kinds.out);
  if (name.size() != kind.size()) throw Failed("the archive " + archive + " cannot be read twice");
  std::uint64_t size = 0;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string wrong = refused_member(kind[i].empty() ? '?' : kind[i][0], name[i]);
    if (!wrong.empty()) throw Failed("the archive " + archive + " holds " + name[i] + ", " + wrong);
    std::istringstream fields(kind[i]);  // "-rw-r--r-- 0/0 123 2026-01-01 00:00 name"
    std::string mode, owner;
    std::uint64_t bytes = 0;
    if (fields >> mode >> owner >> bytes) size += bytes;
  }
  struct statvfs disk {};
  if (::statvfs(fs::path(file).parent_path().c_str(), &disk) != 0) return;
  const std::uint64_t free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
  if (size > free) {
    throw Failed("the archive " + archive + " unpacks to " + std::to_string(size >> 20) +
                 " MiB, and " + std::to_string(free >> 20) + " MiB are free; make room");
  }
}

void unpack(const Call& call, const std::string& archive, const std::string& file,
            const std::string& folder) {
  check_members(call, archive, file);
  fs::remove_all(folder);
  files::make_directories(folder);
  const Captured captured =
      tar(call, {"--extract", "--file", file, "--directory", folder, "--no-same-owner",
                 "--no-same-permissions", "--no-acls", "--no-xattrs", "--no-selinux",
                 "--strip-components=" + std::to_string(call.integer("/strip"))});
  if (!captured.exit.ok()) throw unreadable(archive, captured);
  if (fs::is_empty(folder)) {
    throw Failed("nothing is left of the archive " + archive + " without the first " +
                 std::to_string(call.integer("/strip")) + " parts of its paths; lower `strip`");
  }
}

// The name says what is in it, so an unpacked one never serves for another.
std::string name_of(const Call& call) {
  return "archive-" + call.text("/sha256").substr(0, 64) + "-" +
         std::to_string(call.integer("/strip"));
}

// In a folder where this step may write, which is there only when it is whole.
std::string unpack_in(const Call& call, const std::string& dir) {
  const std::string archive = call.text("/archive"), tree = dir + "/" + name_of(call);
  files::make_directories(dir);
  std::string file = call.deployment(archive);
  if (is_url(archive)) {
    file = dir + "/download";
    fetch(call, archive, file);
  }
  if (!fs::is_regular_file(file)) {
    throw Failed("the archive " + file +
                 " does not exist, or is no file; put it there, or change "
                 "`archive`");
  }
  // Nobody can change it between the proof and the use.
  const std::string proven = dir + "/proven";
  if (!is_url(archive)) {
    files::copy_file(file, proven);
  } else {
    fs::rename(file, proven);
  }
  check_digest(proven, archive, call.text("/sha256"));
  std::error_code none;
  for (const auto& found : fs::directory_iterator(dir)) {
    if (found.path().filename().string().rfind("archive-", 0) == 0) fs::remove_all(found, none);
  }
  unpack(call, archive, proven, tree + ".new");
  fs::remove(proven);
  fs::rename(tree + ".new", tree);
  files::sync_directory(dir);
  return tree;
}

}  // namespace

std::string refused_member(char kind, const std::string& name) {
  if (kind == 'h') return "a hard link; pack it without (`tar --hard-dereference`)";
  if (kind != '-' && kind != 'd' && kind != 'l') {
    return "which is neither file, folder nor link; no release needs that";
  }
  if (!name.empty() && name[0] == '/') return "an absolute path; no release needs that";
  for (const fs::path& part : fs::path(name)) {
    if (part == "..") return "a path that leads out of it; no release needs that";
  }
  return "";
}

std::optional<std::string> unpacked_archive(const Call& call) {
  const std::string kept = kept_release_dir(call) + "/" + name_of(call);
  if (fs::exists(kept)) return kept;
  if (may_fill(call)) return unpack_in(call, kept_release_dir(call));
  // A plan that may not fetch looks into a file all the same.
  if (call.planning_dir().empty() || is_url(call.text("/archive"))) return std::nullopt;
  const std::string planning = call.planning_dir() + "/source-" + call.stage_id();
  if (fs::exists(planning + "/" + name_of(call))) return planning + "/" + name_of(call);
  return unpack_in(call, planning);
}

}  // namespace drydock::source
