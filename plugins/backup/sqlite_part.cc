// The option `sqlite`.
#include <sys/stat.h>

#include <filesystem>

#include "database_entry.h"
#include "database_record.h"
#include "kept_files.h"
#include "kept_sqlite.h"
#include "manifest.h"
#include "off_site.h"
#include "parts.h"
#include "planned_backups.h"
#include "sqlite_file.h"

namespace drydock::backup {
namespace {

std::int64_t file_bytes(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_size : 0;
}

}  // namespace

void SqlitePart::observe(const Call& call) {
  for (const std::string& option : sqlite_files(call)) {
    const std::string path = call.deployment(option);
    const std::string name = "sqlite." + option;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      call.fact(name + ".schema", "absent");
      continue;
    }
    const SqliteContent content = sqlite_content(path, SqliteData::count);
    call.fact(name + ".schema", content.schema);
    call.fact(name + ".version", content.version);
    call.fact(name + ".revision", describe_revisions(sqlite_revisions(path, "alembic_version")));
    call.fact(name + ".owner", std::to_string(status.st_mode & 07777) + " " +
                                   std::to_string(status.st_uid) + ":" +
                                   std::to_string(status.st_gid));
    // What an application writes until it is stopped is no part of the upgrade.
    call.informational_fact(name + ".rows", rows_text(content.rows));
  }
}

void SqlitePart::plan(const Call& call) {
  for (const std::string& option : sqlite_files(call)) {
    const std::string path = call.deployment(option);
    Change change{"database", "save", option};
    change.disk_bytes = file_bytes(path);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) {
      change.before = describe_revisions(sqlite_revisions(path, "alembic_version"));
      change.detail = "consistent copy, integrity checked";
    } else {
      change.detail = "is not there; what appears is moved away in a rollback";
    }
    change.rollback_loses = restore_policy(call) == "never"
                                ? "nothing is restored by itself, as `restore` is never"
                                : "rows written between the copy and the rollback, unless an "
                                  "earlier stage stops what writes them";
    call.change(change);
    plan_to_save_file(call, option);
  }
}

std::int64_t SqlitePart::bytes_needed(const Call& call) {
  std::int64_t bytes = 0;
  for (const std::string& option : sqlite_files(call)) {
    bytes += file_bytes(call.deployment(option)) + file_bytes(call.deployment(option) + "-wal");
  }
  return bytes;
}

void save_sqlite(const Call& call, const std::string& path, std::size_t i) {
  SqliteRecord record;
  record.path = call.deployment(path);
  record.copy = "sqlite/" + std::to_string(i) + attempt_suffix(call) + "-" +
                std::filesystem::path(path).filename().string();
  record.restore = restore_policy(call);
  keep_sqlite(call, record, patience(call));
  const std::string copy = call.private_dir() + "/" + record.copy;
  if (record.present) {
    write_manifest(call, "sqlite-" + std::to_string(i) + attempt_suffix(call),
                   {"sqlite",
                    path,
                    "",
                    sqlite_version(),
                    record.revisions,
                    record.rows,
                    record.taken,
                    record.seconds,
                    {{record.copy, file_bytes(copy), record.sha256}},
                    to_note(record)});
  }
  call.remember("sqlite/" + std::to_string(i), to_note(record));
  if (!record.present) return;
  call.info("copied " + path + ": " + rows_text(record.rows));
  call.informational_fact("sqlite." + path + ".rows", rows_text(record.rows));
  call.artifact("sqlite " + path, copy,
                "SQLite database " + path + ", " + shown_bytes(file_bytes(copy)) + ", sha256 " +
                    record.sha256);
  if (i == 0) {
    call.output("sqlite", copy);
    call.output("sqlite_sha256", record.sha256);
  }
  send_copy(call, record.copy);
}

void SqlitePart::run(const Call& call) {
  const std::vector<std::string> paths = sqlite_files(call);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    save_sqlite(call, paths[i], i);
  }
}

void SqlitePart::verify(const Call& call) {
  const bool read = call.text("/check") == "read" || call.text("/check") == "restore";
  for (const auto& note : call.notes("sqlite/")) {
    const SqliteRecord record = sqlite_from_note(note.second);
    read ? read_back(call.private_dir(), record) : check_copy(call.private_dir(), record);
  }
}

void SqlitePart::rollback(const Call& call) {
  std::string failures;
  for (const auto& [key, note] : call.notes("sqlite/")) {
    try {
      const SqliteRecord record = sqlite_from_note(note);
      const std::string name = shown(call, record.path);
      if (record.restore == "never") {
        call.warn(name + " is not restored, as `restore` is never; its copy is " +
                  call.private_dir() + "/" + record.copy);
        continue;
      }
      const std::string done = put_back(call, call.private_dir(), record,
                                        record.restore == "always", aside_folder, patience(call));
      call.info(name + (done.empty() ? " is as it was" : " was " + done));
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

}  // namespace drydock::backup
