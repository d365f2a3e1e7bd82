// Template files: which ones a name or a glob means, and several of them as one.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock::env_sync {

// No env file that people keep is larger; what is, is something else.
constexpr std::size_t largest_env_file = std::size_t{64} << 20;

struct NamedText {
  std::string name;  // relative to the deployment
  std::string text;
};

bool is_glob(std::string_view name);

// `*` and `?` within a folder, `**` for folders within one another: "envs/**/*.env.example".
bool matches_path(std::string_view glob, std::string_view path);

// Files below any of `folders` that the glob means: relative paths, sorted, each once. Looks only
// into folders that the glob can mean, at most eight deep, not through links to folders, not into
// .git and .drydock; one that may not be read has none.
std::vector<std::string> files_matching(const std::vector<std::string>& folders,
                                        const std::string& glob);

// The files that `names` (globs too) mean, in that order, each once. `list` finds a glob's files;
// `read` gives a file's text, nullopt when there is none. Names without a file go to `missing`.
std::vector<NamedText> read_named(
    const std::vector<std::string>& names,
    const std::function<std::vector<std::string>(const std::string& glob)>& list,
    const std::function<std::optional<std::string>(const std::string& name)>& read,
    std::vector<std::string>& missing);

// One template out of several: the first one's text, then what each further one has beyond those
// before it, under a comment with its name. A single one is left as it is.
std::string joined(std::vector<NamedText> files);

}  // namespace drydock::env_sync
