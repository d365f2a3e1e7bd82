#include "changed_files.h"

#include "fields.h"
#include "file_store.h"
#include "stage_word.h"

namespace drydock::files {
namespace {

constexpr auto changed_files = "changed-files";

void read_changed(const std::string& word, std::set<std::string>& result) {
  for (std::string& path : fields_of(read_if_present(word).value_or(""))) {
    result.insert(std::move(path));
  }
}

}  // namespace

void leave_changed(const std::string& private_dir, std::uint64_t run_id,
                   const std::set<std::string>& paths) {
  Replacements alone;
  leave_changed(alone, private_dir, run_id, paths);
  alone.commit();
}

void leave_changed(Replacements& with, const std::string& private_dir, std::uint64_t run_id,
                   const std::set<std::string>& paths) {
  const std::string own = own_word(private_dir, run_id, changed_files);
  std::set<std::string> all;
  read_changed(own, all);
  const std::size_t known = all.size();
  all.insert(paths.begin(), paths.end());
  if (all.size() == known) return;
  with.add(replacement(own, joined_fields(all)));
}

void take_back_changed(const std::string& private_dir, std::uint64_t run_id) {
  take_back_word(private_dir, run_id, changed_files);
}

std::set<std::string> changed_by_run(const std::string& private_dir, std::uint64_t run_id) {
  std::set<std::string> result;
  for (const std::string& word : all_words(private_dir, run_id, changed_files)) {
    read_changed(word, result);
  }
  return result;
}

bool touches(const std::set<std::string>& changed, const std::string& path) {
  if (changed.count(path) != 0) return true;
  const auto below = changed.lower_bound(path + "/");
  return below != changed.end() && below->compare(0, path.size() + 1, path + "/") == 0;
}

}  // namespace drydock::files
