#include "changed_files.h"

#include <filesystem>

#include "file_store.h"

namespace drydock::files {
namespace {

std::string list_of(const std::string& private_dir, std::uint64_t run_id) {
  const std::filesystem::path of_run = std::filesystem::path(private_dir).parent_path();
  return (of_run / (".changed-files-" + std::to_string(run_id))).string();
}

}  // namespace

void leave_changed(const std::string& private_dir, std::uint64_t run_id,
                   const std::set<std::string>& paths) {
  std::set<std::string> all = changed_by_run(private_dir, run_id);
  const std::size_t known = all.size();
  all.insert(paths.begin(), paths.end());
  if (all.size() == known) return;
  std::string text;
  for (const std::string& path : all) text += path + '\0';
  write(list_of(private_dir, run_id), text);
}

std::set<std::string> changed_by_run(const std::string& private_dir, std::uint64_t run_id) {
  const std::string text = read_if_present(list_of(private_dir, run_id)).value_or("");
  std::set<std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\0', begin);
    if (end == std::string::npos) break;
    result.insert(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

bool touches(const std::set<std::string>& changed, const std::string& path) {
  if (changed.count(path) != 0) return true;
  const auto below = changed.lower_bound(path + "/");
  return below != changed.end() && below->compare(0, path.size() + 1, path + "/") == 0;
}

}  // namespace drydock::files
