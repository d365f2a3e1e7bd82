#include "backup_stage.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "parts.h"

using namespace drydock::backup;
using drydock::Call;
using drydock::Failed;

void Backup::observe(Call& call) {
  FilePart::observe(call);
  SqlitePart::observe(call);
  DatabasePart::observe(call);
}

void Backup::plan(Call& call) {
  FilePart::plan(call);
  SqlitePart::plan(call);
  DatabasePart::plan(call);
}

void Backup::run(Call& call) {
  remove_part_files(call);
  DatabasePart::run(call, [&](std::int64_t databases) {
    check_space(call, databases + SqlitePart::bytes_needed(call) + FilePart::bytes_needed(call));
  });
  SqlitePart::run(call);
  FilePart::run(call);
}

void Backup::verify(Call& call) {
  DatabasePart::verify(call);
  SqlitePart::verify(call);
  FilePart::verify(call);
}

void Backup::rollback(Call& call) {
  remove_part_files(call);
  // One that cannot be put back does not keep the others from it.
  std::string failures;
  for (const auto part : {FilePart::rollback, SqlitePart::rollback, DatabasePart::rollback}) {
    try {
      part(call);
    } catch (const std::runtime_error& e) {
      failures += (failures.empty() ? "" : "; ") + std::string(e.what());
    }
  }
  if (!failures.empty()) throw Failed(failures);
}

namespace drydock::backup {

void check_space(const Call& call, std::int64_t needed) {
  struct statvfs disk {};
  if (::statvfs(call.private_dir().c_str(), &disk) != 0) {
    throw Failed("the free space for " + call.private_dir() +
                 " cannot be read: " + std::strerror(errno));
  }
  const auto free = static_cast<std::int64_t>(disk.f_bavail * disk.f_frsize);
  if (free < needed) {
    throw Failed("the backup may need " + shown_bytes(needed) + " and " + call.private_dir() +
                 " has " + shown_bytes(free) +
                 " free; make room, or put the state elsewhere with "
                 "--state-dir");
  }
}

void remove_part_files(const Call& call) {
  namespace fs = std::filesystem;
  const auto remove = [](const fs::path& path) {
    std::error_code ignored;
    const std::string name = path.filename().string();
    // SQLite has files beside its own: "app.db.part-journal".
    const bool part = path.extension() == ".part" || name.find(".part-") != std::string::npos;
    if (part) fs::remove(path, ignored);
  };
  std::error_code none;
  // Not below `files`: a file of the deployment may have such a name.
  for (const auto& entry : fs::directory_iterator(call.private_dir(), none)) remove(entry.path());
  for (const char* folder : {"/databases", "/sqlite"}) {
    for (const auto& entry : fs::recursive_directory_iterator(call.private_dir() + folder, none)) {
      remove(entry.path());
    }
  }
}

std::string attempt_suffix(const Call& call) {
  return call.attempt() <= 1 ? "" : "." + std::to_string(call.attempt());
}

std::string restore_policy(const Call& call) {
  const std::string policy = call.text("/restore");
  return policy.empty() ? "if-changed" : policy;
}

std::chrono::milliseconds patience(const Call& call) {
  return call.has("/wait") ? call.duration("/wait") : std::chrono::seconds(60);
}

std::string joined(const std::vector<std::string>& items) {
  std::string result;
  for (const std::string& item : items) result += (result.empty() ? "" : ", ") + item;
  return result;
}

std::string rows_text(const std::map<std::string, std::uint64_t>& rows) {
  constexpr std::string_view usual_schema = "public.";
  std::string result;
  for (const auto& [table, count] : rows) {
    const bool usual = table.compare(0, usual_schema.size(), usual_schema) == 0;
    result += (result.empty() ? "" : ", ") + (usual ? table.substr(usual_schema.size()) : table) +
              "=" + std::to_string(count);
  }
  return result.empty() ? "no tables" : result;
}

std::string shown_bytes(std::int64_t bytes) {
  const char* const units[] = {"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  std::int64_t tenths = bytes * 10;
  for (; tenths >= 10000 && unit + 1 < std::size(units); ++unit) tenths /= 1000;
  const std::string fraction = unit == 0 ? "" : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + fraction + " " + units[unit];
}

}  // namespace drydock::backup
