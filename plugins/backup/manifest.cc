#include "manifest.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "file_store.h"

namespace drydock::backup {

using nlohmann::json;

namespace {

constexpr int format = 1;

}  // namespace

void write_manifest(const Call& call, const std::string& id, const Manifest& manifest) {
  json contents = json::array();
  for (const KeptContent& one : manifest.contents) {
    contents.push_back({{"file", one.file}, {"bytes", one.bytes}, {"sha256", one.sha256}});
  }
  json document = {
      {"drydock_backup", format},  {"run", call.run_id()},        {"stage", call.stage_id()},
      {"kind", manifest.kind},     {"name", manifest.name},       {"from", manifest.from},
      {"server", manifest.server}, {"revisions", nullptr},        {"rows", manifest.rows},
      {"taken", manifest.taken},   {"seconds", manifest.seconds}, {"contents", contents},
      {"record", nullptr}};
  if (manifest.revisions) document["revisions"] = *manifest.revisions;
  if (!manifest.record.empty()) document["record"] = json::parse(manifest.record);
  const std::string folder = call.private_dir() + "/manifests";
  files::make_directories(folder);
  files::Replacement file(folder + "/" + id + ".json");
  file.write(document.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
  file.commit_new();
}

std::map<std::string, std::string> manifest_records(const std::string& folder,
                                                    const std::vector<std::string>& kinds) {
  std::map<std::string, std::string> records;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/manifests", none)) {
    const std::string path = entry.path().string();
    if (entry.path().extension() != ".json") continue;
    try {
      const json document = json::parse(files::read(path));
      if (document.at("drydock_backup").get<int>() != format) {
        throw Failed(path + " is of another format than this Drydock reads (" +
                     document.at("drydock_backup").dump() + ", known is " + std::to_string(format) +
                     "); use the Drydock that wrote it");
      }
      const std::string kind = document.at("kind");
      if (document.at("record").is_null() ||
          std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
        continue;
      }
      records[entry.path().stem().string()] = document.at("record").dump();
    } catch (const json::exception& e) {
      throw Failed(path + " is no manifest of a backup: " + e.what());
    }
  }
  return records;
}

}  // namespace drydock::backup
