#include "stage_word.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "file_store.h"

namespace drydock::files {
namespace fs = std::filesystem;

std::string own_word(const std::string& private_dir, std::uint64_t run_id,
                     const std::string& kind) {
  return (fs::path(private_dir) / ("." + kind + "-" + std::to_string(run_id))).string();
}

std::vector<std::string> all_words(const std::string& private_dir, std::uint64_t run_id,
                                   const std::string& kind) {
  std::vector<std::string> result;
  std::error_code none;  // a plan has no such folder
  for (const auto& stage : fs::directory_iterator(fs::path(private_dir).parent_path(), none)) {
    std::string word = own_word(stage.path().string(), run_id, kind);
    if (::access(word.c_str(), F_OK) == 0) result.push_back(std::move(word));
  }
  std::sort(result.begin(), result.end());
  return result;
}

void take_back_word(const std::string& private_dir, std::uint64_t run_id, const std::string& kind) {
  const std::string own = own_word(private_dir, run_id, kind);
  if (::unlink(own.c_str()) == 0) {
    sync_directory(fs::path(own).parent_path().string());
  } else if (errno != ENOENT && errno != ENOTDIR) {
    throw_file_error("remove", own);
  }
}

}  // namespace drydock::files
