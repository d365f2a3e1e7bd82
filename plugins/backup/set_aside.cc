#include "set_aside.h"

#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "database_backup.h"
#include "file_store.h"
#include "stopwatch.h"

namespace drydock::backup {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int format = 1;

std::string folder_of(const Call& call) { return call.private_dir() + "/set-aside"; }

// A database and a file may have one name.
std::string path_of(const Call& call, const std::string& what, const std::string& name) {
  return folder_of(call) + "/" + what + "+" + file_name(name) + ".json";
}

json document_of(const Call& call) {
  std::string now;
  const Stopwatch watch(now);
  return {{"drydock_set_aside", format},
          {"run", call.run_id()},
          {"stage", call.stage_id()},
          {"kind", "files"},
          {"name", ""},
          {"from", ""},
          {"database", nullptr},
          {"file", nullptr},
          {"bytes", nullptr},
          {"taken", now},
          {"record", nullptr}};
}

json document_of(const Call& call, const DatabaseRecord& record) {
  json document = document_of(call);
  document["kind"] = record.kind;
  document["name"] = record.name;
  document["from"] = shown_place(record);
  return document;
}

void write(const Call& call, const std::string& path, const json& document) {
  files::make_directories(folder_of(call));
  files::write(path, document.dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

// As derived_name() and its like make them.
bool is_name_of_ours(const std::string& database) {
  static const std::regex ours("_(failed|restore)_[0-9]+(_[0-9]+)?$");
  return std::regex_search(database, ours);
}

}  // namespace

void note_database_aside(const Call& call, const DatabaseRecord& record,
                         const std::string& database, std::int64_t bytes) {
  json document = document_of(call, record);
  document["database"] = database;
  if (bytes >= 0) document["bytes"] = bytes;
  document["record"] = json::parse(to_note(record));
  write(call, path_of(call, "database", database), document);
}

void forget_database_aside(const Call& call, const std::string& database) {
  ::unlink(path_of(call, "database", database).c_str());
}

void note_file_aside(const Call& call, const DatabaseRecord& record, const std::string& file) {
  json document = document_of(call, record);
  document["file"] = file;
  write(call, path_of(call, "file", file), document);
}

void note_folder_aside(const Call& call, const std::string& folder) {
  const std::string path = path_of(call, "file", folder);
  if (::access(path.c_str(), F_OK) == 0) return;
  json document = document_of(call);
  document["name"] = "files that stood in the way";
  document["file"] = folder;
  write(call, path, document);
}

std::vector<DatabaseAside> databases_aside(const Call& call) {
  std::vector<DatabaseAside> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder_of(call), none)) {
    if (entry.path().extension() != ".json") continue;
    const std::string path = entry.path().string();
    try {
      const json document = json::parse(files::read(path));
      if (document.at("drydock_set_aside").get<int>() != format) {
        throw Failed(path +
                     " is of another format than this Drydock reads; use the one that wrote "
                     "it");
      }
      if (document.at("database").is_null()) continue;
      DatabaseAside one;
      one.id = entry.path().stem().string();
      one.file = path;
      one.database = document.at("database");
      one.record = from_note(document.at("record").dump());
      if (!is_name_of_ours(one.database) || one.database == one.record.name) {
        throw Failed(path + " names database " + one.database +
                     ", which is no name that a restore gives; it was left alone");
      }
      found.push_back(std::move(one));
    } catch (const json::exception& e) {
      throw Failed(path + " does not say what a restore set aside: " + e.what());
    }
  }
  return found;
}

}  // namespace drydock::backup
