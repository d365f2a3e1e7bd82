#include "kept_sqlite.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "digest.h"
#include "file_store.h"
#include "kept_files.h"
#include "part_file.h"
#include "sqlite_file.h"
#include "stopwatch.h"

namespace drydock::backup {
namespace {

using nlohmann::json;

bool stands(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

bool holds_what_was_kept(const SqliteRecord& record) {
  try {
    const SqliteContent now = sqlite_content(record.path, SqliteData::hash);
    return now.schema == record.schema && now.data == record.data &&
           (record.version.empty() || now.version == record.version);
  } catch (const std::runtime_error&) {
    return false;  // damaged, or locked: when in doubt, restore
  }
}

// The file with its write-ahead log and journals: they belong to one state of it alone.
void move_all_aside(const Call& call, const std::string& path, const std::string& aside) {
  for (const char* part : {"", "-wal", "-shm", "-journal"}) {
    if (stands(path + part)) move_aside(call, path + part, aside);
  }
}

void put_attributes_back(const SqliteRecord& record) {
  if (::chmod(record.path.c_str(), record.mode) != 0 ||
      (::chown(record.path.c_str(), record.uid, record.gid) != 0 && errno != EPERM)) {
    throw Failed(record.path + " cannot get its mode and owner back: " + std::strerror(errno));
  }
}

}  // namespace

std::string to_note(const SqliteRecord& record) {
  json note = {
      {"path", record.path},       {"present", record.present}, {"copy", record.copy},
      {"sha256", record.sha256},   {"schema", record.schema},   {"data", record.data},
      {"version", record.version}, {"rows", record.rows},       {"mode", record.mode},
      {"uid", record.uid},         {"gid", record.gid},         {"restore", record.restore},
      {"taken", record.taken},     {"seconds", record.seconds}, {"revisions", nullptr}};
  if (record.revisions) note["revisions"] = *record.revisions;
  return note.dump(2, ' ', false, json::error_handler_t::replace);
}

SqliteRecord sqlite_from_note(const std::string& note) {
  try {
    const json from = json::parse(note);
    SqliteRecord record;
    from.at("path").get_to(record.path);
    from.at("present").get_to(record.present);
    from.at("copy").get_to(record.copy);
    from.at("sha256").get_to(record.sha256);
    from.at("schema").get_to(record.schema);
    from.at("data").get_to(record.data);
    record.version = from.value("version", "");
    record.taken = from.value("taken", "");
    record.seconds = from.value("seconds", 0.0);
    if (from.contains("revisions") && !from["revisions"].is_null()) {
      record.revisions = from["revisions"].get<std::vector<std::string>>();
    }
    from.at("rows").get_to(record.rows);
    from.at("mode").get_to(record.mode);
    from.at("uid").get_to(record.uid);
    from.at("gid").get_to(record.gid);
    from.at("restore").get_to(record.restore);
    return record;
  } catch (const json::exception& e) {
    throw Failed(std::string("the note about an SQLite copy cannot be read: ") + e.what());
  }
}

void keep_sqlite(const Call& call, SqliteRecord& record, std::chrono::milliseconds patience) {
  struct stat status {};
  record.present = ::stat(record.path.c_str(), &status) == 0;
  if (!record.present) {
    if (errno == ENOENT) return;
    throw Failed(record.path + " cannot be backed up: " + std::strerror(errno));
  }
  record.mode = status.st_mode & 07777;
  record.uid = status.st_uid;
  record.gid = status.st_gid;
  const std::string copy = call.private_dir() + "/" + record.copy;
  files::make_directories(std::filesystem::path(copy).parent_path().string());
  const Stopwatch watch(record.taken);
  // Its name it gets last: what a killed attempt leaves is no copy.
  PartFile part(copy);
  copy_sqlite(record.path, part.path(), patience);
  record.seconds = watch.seconds();
  const SqliteContent content = sqlite_content(part.path(), SqliteData::hash);
  record.schema = content.schema;
  record.data = content.data;
  record.version = content.version;
  record.rows = content.rows;
  record.revisions = sqlite_revisions(part.path(), "alembic_version");
  record.sha256 = sha256_file(part.path());
  part.check_on_disk(record.sha256);
  part.keep();
}

void check_copy(const std::string& folder, const SqliteRecord& record) {
  if (!record.present) return;
  const std::string copy = folder + "/" + record.copy;
  const std::string found = sha256_file(copy);
  if (found != record.sha256) {
    throw Failed("the copy " + copy + " is not the one that was made: its SHA-256 is " + found +
                 ", noted was " + record.sha256);
  }
}

void read_back(const std::string& folder, const SqliteRecord& record) {
  if (!record.present) return;
  check_copy(folder, record);
  const std::string copy = folder + "/" + record.copy;
  check_sqlite(copy);
  const SqliteContent content = sqlite_content(copy, SqliteData::hash);
  if (content.schema == record.schema && content.data == record.data) return;
  throw Failed("the copy " + copy + " does not hold what was noted of it");
}

std::string put_back(const Call& call, const std::string& folder, const SqliteRecord& record,
                     bool always, const std::string& aside, std::chrono::milliseconds patience) {
  if (!record.present) {
    if (!stands(record.path)) return "";
    move_all_aside(call, record.path, aside);
    return "moved away, as it was not there before";
  }
  check_copy(folder, record);
  const std::string copy = folder + "/" + record.copy;
  const bool there = stands(record.path);
  if (there && !always && holds_what_was_kept(record)) {
    put_attributes_back(record);
    return "";
  }
  if (!there || !restore_sqlite(copy, record.path, patience)) {
    move_all_aside(call, record.path, aside);
    files::remove_leftovers(record.path);
    files::copy_file(copy, record.path);
  }
  put_attributes_back(record);
  if (!holds_what_was_kept(record)) {
    throw Failed(record.path + " was put back from " + copy +
                 " and still does not hold the same rows; stop what writes to it and repeat");
  }
  return "restored";
}

}  // namespace drydock::backup
