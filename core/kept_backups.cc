#include "kept_backups.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "error.h"
#include "files.h"
#include "stage_folders.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int known_format = 1;

constexpr std::size_t largest_manifest = 64 << 20;

void fill(KeptBackup& backup, const json& manifest) {
  const int format = manifest.at("drydock_backup");
  if (format != known_format) {
    throw Error("it is of format " + std::to_string(format) + ", and this Drydock reads " +
                std::to_string(known_format));
  }
  manifest.at("kind").get_to(backup.kind);
  manifest.at("name").get_to(backup.name);
  manifest.at("from").get_to(backup.from);
  manifest.at("server").get_to(backup.server);
  manifest.at("taken").get_to(backup.taken);
  manifest.at("seconds").get_to(backup.seconds);
  if (!manifest.at("revisions").is_null()) {
    backup.revisions = manifest.at("revisions").get<std::vector<std::string>>();
  }
  if (backup.kind != "files") {
    backup.rows = 0;
    for (const auto& [table, rows] : manifest.at("rows").items()) {
      *backup.rows += rows.get<std::uint64_t>();
      ++backup.tables;
    }
  }
  for (const json& file : manifest.at("contents")) {
    const fs::path below = file.at("file").get<std::string>();
    // A manifest that was tampered with must not make us read elsewhere.
    if (below.is_absolute() || below.lexically_normal().string().rfind("..", 0) == 0) {
      throw Error("it names a file outside of its folder");
    }
    backup.files.push_back(
        {backup.folder + "/" + below.string(), file.at("bytes"), file.at("sha256")});
  }
}

}  // namespace

std::int64_t KeptBackup::bytes() const {
  std::int64_t sum = 0;
  for (const KeptFile& file : files) sum += file.bytes;
  return sum;
}

std::vector<KeptBackup> kept_backups(const StateDir& state, std::optional<std::uint64_t> run,
                                     const std::string& stage) {
  std::vector<KeptBackup> found;
  for (const StageFolder& folder : stage_folders(state, run, stage)) {
    for (const std::string& manifest : paths_in(folder.path + "/manifests")) {
      if (fs::path(manifest).extension() != ".json") continue;
      KeptBackup backup;
      backup.run = folder.run;
      backup.stage = folder.stage;
      backup.folder = folder.path;
      try {
        fill(backup, json::parse(read_file(manifest, largest_manifest)));
      } catch (const std::exception& e) {
        backup.unreadable = "the manifest " + manifest + " cannot be read: " + e.what();
      }
      found.push_back(std::move(backup));
    }
  }
  return found;
}

std::string damage(const KeptBackup& backup) {
  if (!backup.unreadable.empty()) return backup.unreadable;
  for (const KeptFile& file : backup.files) {
    struct stat status {};
    if (::stat(file.path.c_str(), &status) != 0) {
      return file.path +
             (errno == ENOENT ? " is gone" : " cannot be read: " + std::string(strerror(errno)));
    }
    if (status.st_size != file.bytes) {
      return file.path + " has " + std::to_string(status.st_size) + " bytes, written were " +
             std::to_string(file.bytes);
    }
    const std::string sha256 = sha256_of_file(file.path);
    if (sha256 != file.sha256) {
      return file.path + " is not what was written: its SHA-256 is " + sha256 + ", written was " +
             file.sha256;
    }
  }
  return "";
}

json to_json(const KeptBackup& backup) {
  json files = json::array();
  for (const KeptFile& file : backup.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  return {{"run", backup.run},
          {"stage", backup.stage},
          {"folder", backup.folder},
          {"kind", backup.kind},
          {"name", backup.name},
          {"from", backup.from},
          {"server", backup.server},
          {"taken", backup.taken},
          {"seconds", backup.seconds},
          {"revisions", backup.revisions ? json(*backup.revisions) : json()},
          {"rows", backup.rows ? json(*backup.rows) : json()},
          {"bytes", backup.bytes()},
          {"files", files},
          {"unreadable", backup.unreadable}};
}

}  // namespace drydock
