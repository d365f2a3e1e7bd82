#include "set_aside.h"

#include <filesystem>

#include "error.h"
#include "files.h"
#include "stage_folders.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int set_aside_format = 1;
constexpr std::size_t largest_record = 64 << 20;

std::string text_or_nothing(const json& value) {
  return value.is_null() ? "" : value.get<std::string>();
}

void read_into(SetAside& aside, const std::string& folder, const json& manifest) {
  const int format = manifest.at("drydock_set_aside");
  if (format != set_aside_format) {
    throw Error("it is of format " + std::to_string(format) + ", and this Drydock reads " +
                std::to_string(set_aside_format));
  }
  manifest.at("kind").get_to(aside.kind);
  manifest.at("name").get_to(aside.name);
  manifest.at("from").get_to(aside.from);
  manifest.at("taken").get_to(aside.taken);
  aside.database = text_or_nothing(manifest.at("database"));
  const std::string file = text_or_nothing(manifest.at("file"));
  if (file.empty() == aside.database.empty()) {
    throw Error("it names both a database and a file, or neither");
  }
  if (!manifest.at("bytes").is_null()) aside.bytes = manifest.at("bytes").get<std::int64_t>();
  if (file.empty()) return;
  // What was tampered with must not make us remove something else.
  const fs::path below = fs::path(file).lexically_normal();
  const std::string first = below.begin()->string();
  if (below.is_absolute() || first == ".." || first == ".") {
    throw Error("it names a file outside of its folder");
  }
  aside.file = folder + "/" + below.string();
  aside.bytes = bytes_below(aside.file);
}

}  // namespace

std::int64_t bytes_below(const std::string& path) {
  std::error_code none;
  const auto bytes_of_file = [](const fs::directory_entry& entry) -> std::int64_t {
    std::error_code vanished;
    if (!entry.is_regular_file(vanished) || entry.is_symlink(vanished)) return 0;
    const std::uintmax_t size = entry.file_size(vanished);
    return vanished ? 0 : static_cast<std::int64_t>(size);
  };
  std::int64_t bytes = bytes_of_file(fs::directory_entry(path, none));
  for (const auto& entry : fs::recursive_directory_iterator(path, none)) {
    bytes += bytes_of_file(entry);
  }
  return bytes;
}

std::vector<SetAside> set_aside(const StateDir& state, std::optional<std::uint64_t> run,
                                const std::string& stage) {
  std::vector<SetAside> found;
  for (const StageFolder& folder : stage_folders(state, run, stage)) {
    for (const std::string& manifest : paths_in(folder.path + "/set-aside")) {
      if (fs::path(manifest).extension() != ".json") continue;
      SetAside aside;
      aside.run = folder.run;
      aside.stage = folder.stage;
      aside.id = fs::path(manifest).stem().string();
      aside.manifest = manifest;
      try {
        read_into(aside, folder.path, json::parse(read_file(manifest, largest_record)));
      } catch (const std::exception& e) {
        aside.unreadable = manifest + " does not say what was set aside: " + e.what();
      }
      std::error_code none;
      const bool gone = !aside.file.empty() && !fs::exists(fs::symlink_status(aside.file, none));
      if (!gone) found.push_back(std::move(aside));
    }
  }
  return found;
}

std::string describe(const SetAside& aside) {
  if (!aside.unreadable.empty()) return aside.unreadable;
  const std::string size = aside.bytes ? ", " + format_size(*aside.bytes) : "";
  if (!aside.database.empty()) {
    return "database " + aside.database + " of " + aside.from + size;
  }
  const std::string what = aside.kind == "files" ? aside.name : aside.kind + " " + aside.name;
  return what + size + ", in " + aside.file;
}

std::int64_t bytes_of(const std::vector<SetAside>& all) {
  std::int64_t bytes = 0;
  for (const SetAside& one : all) bytes += one.bytes.value_or(0);
  return bytes;
}

json to_json(const std::vector<SetAside>& all) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? json() : json(text);
  };
  json document = json::array();
  for (const SetAside& one : all) {
    document.push_back({{"run", one.run},
                        {"stage", one.stage},
                        {"kind", one.kind},
                        {"name", one.name},
                        {"from", one.from},
                        {"taken", one.taken},
                        {"database", text_or_null(one.database)},
                        {"file", text_or_null(one.file)},
                        {"bytes", one.bytes ? json(*one.bytes) : json()},
                        {"manifest", one.manifest},
                        {"unreadable", one.unreadable}});
  }
  return document;
}

}  // namespace drydock
