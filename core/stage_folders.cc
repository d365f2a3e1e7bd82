#include "stage_folders.h"

#include <algorithm>
#include <filesystem>

#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

std::string last_part(const std::string& path) { return fs::path(path).filename().string(); }

}  // namespace

std::vector<std::string> paths_in(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<StageFolder> stage_folders(const StateDir& state, std::optional<std::uint64_t> run,
                                       const std::string& stage) {
  std::vector<StageFolder> found;
  for (const std::string& of_run : paths_in(state.path() + "/backups")) {
    const auto number = parse_number(last_part(of_run));
    if (!number || (run && *number != *run)) continue;
    for (const std::string& of_stage : paths_in(of_run)) {
      if (!stage.empty() && last_part(of_stage) != stage) continue;
      found.push_back({*number, last_part(of_stage), of_stage});
    }
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const StageFolder& a, const StageFolder& b) { return a.run < b.run; });
  return found;
}

}  // namespace drydock
