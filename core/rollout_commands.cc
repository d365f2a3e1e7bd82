#include "rollout_commands.h"

#include <filesystem>

#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path) {
  return fs::absolute(path).lexically_normal().string();
}

std::string option(const std::string& name, const std::string& value) {
  return " --" + name + " " + shell_word(value);
}

}  // namespace

RolloutCommands::RolloutCommands(const std::string& file, const std::string& name,
                                 const std::string& folder, std::string state, std::string plugins)
    : file_(shell_word(file)),
      drydock_(folder.empty() ? "drydock" : "drydock -C " + shell_word(folder)),
      named_(folder.empty() ? file_ : shell_word(name)),
      state_(std::move(state)),
      plugins_(std::move(plugins)) {}

// A new one begins with a file alone.
std::string RolloutCommands::of(const std::string& action, const std::string& more) const {
  const bool begins = action == "run";
  return (begins ? "drydock" : drydock_) + " rollout " + action + " " + (begins ? file_ : named_) +
         (more.empty() ? "" : " " + more) + state_ + (begins || action == "resume" ? plugins_ : "");
}

std::string with_user_as_parameter(const std::string& url) {
  constexpr std::string_view scheme = "://";
  const std::size_t begin = url.find(scheme) + scheme.size();
  const std::size_t end = std::min(url.find_first_of("/?", begin), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) return url;
  const std::string rest = url.substr(0, begin) + url.substr(at + 1);
  std::string user;
  for (const char c : url.substr(begin, at - begin)) {
    user += c == '&' ? "%26" : c == '=' ? "%3D" : std::string(1, c);
  }
  if (user.empty()) return rest;
  return rest + (rest.find('?') == std::string::npos ? "?" : "&") + "user=" + user;
}

std::string state_words(const Arguments& arguments) {
  std::string words;
  if (!arguments.state_dir.empty()) words += option("state-dir", absolute(arguments.state_dir));
  const std::string& state = arguments.state;
  if (state.empty()) return words;
  if (state.find("://") != std::string::npos) {
    return words + option("state", with_user_as_parameter(state));
  }
  return words + option("state", state.starts_with("env:") ? state : absolute(state));
}

std::string plugin_words(const std::vector<std::string>& plugin_dirs) {
  std::string words;
  for (const std::string& dir : plugin_dirs) words += option("plugin-dir", absolute(dir));
  return words;
}

}  // namespace drydock
