#include "templates.h"

#include <fnmatch.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "env_file.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

constexpr int deepest = 8;

std::string_view first_part(std::string_view path) { return path.substr(0, path.find('/')); }
std::string_view after_first(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == path.npos ? std::string_view() : path.substr(slash + 1);
}

// Hidden files too: env files are such.
bool part_matches(std::string_view glob, std::string_view name) {
  return ::fnmatch(std::string(glob).c_str(), std::string(name).c_str(), 0) == 0;
}

void collect(const fs::path& folder, const std::string& relative, std::string_view glob, int depth,
             std::set<std::string>& found) {
  const std::string_view part = first_part(glob);
  const std::string_view rest = after_first(glob);
  if (part == "**") collect(folder, relative, rest, depth, found);
  std::error_code unreadable;
  for (auto entry = fs::directory_iterator(folder, unreadable);
       !unreadable && entry != fs::directory_iterator(); entry.increment(unreadable)) {
    const std::string name = entry->path().filename().string();
    const std::string path = relative + name;
    std::error_code gone;
    if (entry->is_directory(gone) && !entry->is_symlink(gone)) {
      if (name == ".git" || name == ".drydock" || depth == deepest) continue;
      if (part == "**") {
        collect(entry->path(), path + "/", glob, depth + 1, found);
      } else if (!rest.empty() && part_matches(part, name)) {
        collect(entry->path(), path + "/", rest, depth + 1, found);
      }
    } else if (rest.empty() && part != "**" && entry->is_regular_file(gone) &&
               part_matches(part, name)) {
      found.insert(path);
    }
  }
}

}  // namespace

bool is_glob(std::string_view name) { return name.find_first_of("*?[") != name.npos; }

bool matches_path(std::string_view glob, std::string_view path) {
  if (path.empty()) return false;
  const std::string_view part = first_part(glob);
  if (part == "**") {
    if (matches_path(after_first(glob), path)) return true;
    const std::string_view below = after_first(path);
    return !below.empty() && matches_path(glob, below);
  }
  if (!part_matches(part, first_part(path))) return false;
  const std::string_view glob_rest = after_first(glob), path_rest = after_first(path);
  if (glob_rest.empty() || path_rest.empty()) return glob_rest.empty() && path_rest.empty();
  return matches_path(glob_rest, path_rest);
}

std::vector<std::string> files_matching(const std::vector<std::string>& folders,
                                        const std::string& glob) {
  std::set<std::string> found;
  for (const std::string& folder : folders) {
    if (!folder.empty()) collect(folder, "", glob, 0, found);
  }
  return {found.begin(), found.end()};
}

std::vector<NamedText> read_named(
    const std::vector<std::string>& names,
    const std::function<std::vector<std::string>(const std::string& glob)>& list,
    const std::function<std::optional<std::string>(const std::string& name)>& read,
    std::vector<std::string>& missing) {
  std::vector<NamedText> result;
  std::set<std::string> seen;
  for (const std::string& name : names) {
    const std::vector<std::string> files =
        is_glob(name) ? list(name) : std::vector<std::string>{name};
    bool any = false;
    for (const std::string& file : files) {
      if (!seen.insert(file).second) {
        any = true;
        continue;
      }
      if (std::optional<std::string> text = read(file)) {
        result.push_back({file, std::move(*text)});
        any = true;
      }
    }
    if (!any) missing.push_back(name);
  }
  return result;
}

std::string joined(std::vector<NamedText> files) {
  if (files.empty()) return "";
  std::string text = std::move(files[0].text);
  if (files.size() == 1) return text;
  std::set<std::string, std::less<>> keys;
  const EnvFile first = EnvFile::parse(text);
  for (const EnvStatement& statement : first.statements()) keys.emplace(statement.key());
  for (std::size_t i = 1; i < files.size(); ++i) {
    const EnvFile file = EnvFile::parse(files[i].text);
    std::string more;
    std::set<std::string, std::less<>> its_own;
    for (const EnvStatement& statement : file.statements()) {
      if (keys.find(statement.key()) != keys.end()) continue;
      its_own.emplace(statement.key());
      more.append(statement.lead()).append(statement.whole());
    }
    if (file.error()) more = files[i].text;  // whoever reads the whole says where it is wrong
    if (more.empty()) continue;
    if (!text.ends_with('\n')) text += '\n';
    text += "\n# " + files[i].name + "\n" + more;
    keys.merge(its_own);
  }
  return text;
}

}  // namespace drydock::env_sync
