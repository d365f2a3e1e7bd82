#include "plugin_check_folder.h"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "error.h"
#include "files.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_example = std::uintmax_t{256} << 20;
constexpr const char* state_folder = ".drydock";

}  // namespace

namespace {

// Does a link, as it stands in `folder` of the example, lead to something in the example?
bool stays_inside(const fs::path& link, const fs::path& target, const fs::path& example) {
  if (target.is_absolute()) return false;  // of the copy, it would lead to the example itself
  const auto is_inside = [](const fs::path& relative) {
    return !relative.empty() && *relative.begin() != "..";
  };
  // As it is written, since the copy has another name; and through other links.
  const fs::path written = link.lexically_relative(example).parent_path() / target;
  const fs::path real = fs::weakly_canonical(link.parent_path() / target);
  return is_inside(written.lexically_normal()) && is_inside(real.lexically_relative(example));
}

void copy_files(const std::string& from, const std::string& to) {
  std::uintmax_t copied = 0;
  const fs::path example = fs::canonical(from);
  for (auto each = fs::recursive_directory_iterator(example); each != fs::end(each); ++each) {
    if (each.depth() == 0 && each->path().filename() == state_folder) {
      each.disable_recursion_pending();
      continue;
    }
    const fs::path target = fs::path(to) / each->path().lexically_relative(example);
    if (each->is_symlink()) {
      const fs::path leads_to = fs::read_symlink(each->path());
      if (!stays_inside(each->path(), leads_to, example)) {
        throw Error("the deployment " + from + " has the link " +
                    each->path().lexically_relative(example).string() + " to " + leads_to.string() +
                    ", which leads out of it, so that a trial would change what is no copy: put "
                    "what it leads to in its place");
      }
      fs::copy_symlink(each->path(), target);
    } else if (each->is_directory()) {
      fs::create_directory(target, each->path());
    } else if (each->is_regular_file()) {
      copied += each->file_size();
      if (copied > largest_example) {
        throw Error("the deployment " + from + " has more than " + format_size(largest_example) +
                    ", and each check gets a copy: give a smaller one with -C DIR");
      }
      fs::copy_file(each->path(), target);
    }
  }
}

}  // namespace

void copy_example(const std::string& from, const std::string& to) {
  try {
    copy_files(from, to);
  } catch (const fs::filesystem_error& error) {
    throw Error("the deployment " + from + " cannot be copied (" + error.code().message() + ": " +
                error.path1().string() + "); name another one with -C DIR");
  }
}

FolderState state_of_folder(const std::string& dir) {
  FolderState state;
  for (auto each = fs::recursive_directory_iterator(dir); each != fs::end(each); ++each) {
    struct stat status {};
    if (::lstat(each->path().c_str(), &status) != 0) continue;
    std::string what = std::to_string(status.st_mode);
    if (S_ISLNK(status.st_mode)) what += fs::read_symlink(each->path()).string();
    if (S_ISREG(status.st_mode)) what += sha256_of_file(each->path().string());
    state[each->path().lexically_relative(dir).string()] = std::move(what);
  }
  return state;
}

std::string difference(const FolderState& before, const FolderState& after) {
  std::vector<std::string> differences;
  for (const auto& [path, what] : after) {
    const auto was = before.find(path);
    if (was == before.end()) {
      differences.push_back("made '" + path + "'");
    } else if (was->second != what) {
      differences.push_back("changed '" + path + "'");
    }
  }
  for (const auto& [path, what] : before) {
    if (after.count(path) == 0) differences.push_back("removed '" + path + "'");
  }
  if (differences.empty()) return "";
  const std::size_t others = differences.size() - 1;
  return differences.front() +
         (others == 0 ? ""
                      : " and " + std::to_string(others) + (others == 1 ? " other" : " others"));
}

}  // namespace drydock
