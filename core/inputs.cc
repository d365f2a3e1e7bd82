#include "inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "digest.h"
#include "error.h"
#include "files.h"
#include "plugin_index.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t large_file = std::uintmax_t{1} << 20;

std::string line_of(const fs::directory_entry& entry) {
  if (entry.is_symlink()) return " link " + fs::read_symlink(entry.path()).string();
  if (entry.is_directory()) return " folder";
  if (!entry.is_regular_file()) return " special";
  if (entry.file_size() <= large_file) return " file " + sha256_of_file(entry.path().string());
  return " file " + std::to_string(entry.file_size()) + " " +
         std::to_string(entry.last_write_time().time_since_epoch().count());
}

std::string digest_of_folder(const fs::path& folder) {
  std::set<std::string> lines;
  for (auto entry = fs::recursive_directory_iterator(folder);
       entry != fs::recursive_directory_iterator(); ++entry) {
    const std::string name = entry->path().filename().string();
    if (name == ".git" || name == ".drydock") {
      entry.disable_recursion_pending();
      continue;
    }
    lines.insert(entry->path().lexically_relative(folder).string() + line_of(*entry));
  }
  std::string listing;
  for (const std::string& line : lines) listing += line + '\0';
  return sha256(listing);
}

}  // namespace

void PlannedFiles::planned(int position) {
  std::error_code none;
  for (auto entry = fs::recursive_directory_iterator(dir_, none);
       entry != fs::recursive_directory_iterator(); entry.increment(none)) {
    struct stat status {};
    if (::lstat(entry->path().c_str(), &status) != 0 || S_ISDIR(status.st_mode)) continue;
    const std::string stamp = std::to_string(status.st_ino) + " " + std::to_string(status.st_size) +
                              " " + std::to_string(status.st_mtim.tv_sec) + "." +
                              std::to_string(status.st_mtim.tv_nsec);
    Left& left = files_[entry->path().lexically_relative(dir_).string()];
    if (left.stamp != stamp) left = {stamp, position};
  }
}

Input PlannedFiles::input(const std::string& path, const std::string& deployment_dir) const {
  const fs::path absolute = (fs::path(deployment_dir) / path).lexically_normal();
  Input input{absolute.string(), "", -1};
  const std::string inside = absolute.lexically_relative(deployment_dir).string();
  for (const auto& [file, left] : files_) {
    const bool same = file == inside || file.rfind(inside + "/", 0) == 0;
    if (same) input.written_by = std::max(input.written_by, left.position);
  }
  input.digest = digest_of(input.written_by < 0 ? input.path : dir_ + "/" + inside);
  return input;
}

std::string digest_of(const std::string& path) {
  try {
    if (fs::is_directory(path)) return digest_of_folder(path);
    return fs::exists(path) ? sha256_of_file(path) : "absent";
  } catch (const fs::filesystem_error& e) {
    // Of a folder below it the library says nothing.
    const std::string what = e.path1().empty() ? "a folder below " + path : e.path1().string();
    throw Error(what + " cannot be read (" + e.code().message() +
                "), and a stage reads it; check who may read it");
  }
}

json to_json(const std::vector<Input>& inputs) {
  json list = json::array();
  for (const Input& input : inputs) {
    list.push_back(
        {{"path", input.path}, {"digest", input.digest}, {"written_by", input.written_by}});
  }
  return list;
}

std::vector<Input> inputs_from_json(const json& list) {
  std::vector<Input> inputs;
  for (const json& each : list) {
    inputs.push_back({each.at("path"), each.at("digest"), each.at("written_by")});
  }
  return inputs;
}

}  // namespace drydock
