#include "git.h"

#include <sstream>

namespace drydock::source {

Git Git::with_index(const std::string& file) const {
  Git other = *this;
  other.environment_.push_back("GIT_INDEX_FILE=" + file);
  return other;
}

Git Git::with_work_tree(const std::string& folder) const {
  Git other = *this;
  other.work_tree_ = folder;
  return other;
}

Git Git::with_objects_of(const std::string& git_dir) const {
  Git other = *this;
  if (git_dir.empty()) return other;
  other.environment_.push_back("GIT_ALTERNATE_OBJECT_DIRECTORIES=" + git_dir + "/objects");
  return other;
}

Process Git::command(std::vector<std::string> arguments) const {
  Process process;
  process.arguments = {"git", "--no-pager", "--literal-pathspecs", "--no-replace-objects"};
  for (const char* setting :
       {"safe.directory=*", "core.hooksPath=/dev/null", "core.fsmonitor=false",
        "core.sparseCheckout=false", "core.logAllRefUpdates=true", "gc.auto=0",
        "maintenance.auto=false", "submodule.recurse=false", "fetch.recurseSubmodules=false",
        "protocol.ext.allow=never", "advice.detachedHead=false"}) {
    process.arguments.emplace_back("-c");
    process.arguments.emplace_back(setting);
  }
  process.arguments.push_back("--git-dir=" + git_dir_);
  if (!work_tree_.empty()) process.arguments.push_back("--work-tree=" + work_tree_);
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  process.environment = environment_;
  process.environment.insert(process.environment.end(),
                             {"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false",
                              "SSH_ASKPASS=/bin/false", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C"});
  if (!work_tree_.empty()) process.directory = work_tree_;
  return process;
}

Captured Git::attempt(std::vector<std::string> arguments, std::string input) const {
  Process process = command(std::move(arguments));
  process.input = std::move(input);
  return call_.capture(std::move(process));
}

std::string Git::ask(std::vector<std::string> arguments, const std::string& what,
                     std::string input) const {
  Captured captured = attempt(std::move(arguments), std::move(input));
  if (!captured.exit.ok()) throw git_refused(captured, what);
  return std::move(captured.out);
}

std::string Git::line(std::vector<std::string> arguments) const {
  const Captured captured = attempt(std::move(arguments));
  if (!captured.exit.ok()) return "";
  return captured.out.substr(0, captured.out.find('\n'));
}

Captured Git::to_file(std::vector<std::string> arguments, const std::string& file) const {
  Process process = command(std::move(arguments));
  process.output_file = file;
  return call_.capture(std::move(process));
}

Failed git_refused(const Captured& captured, const std::string& what) {
  // What is wrong comes first, advice on several lines after it.
  std::string words;
  for (const std::string& line : lines_of(captured.err)) {
    const bool says = line.rfind("fatal: ", 0) == 0 || line.rfind("error: ", 0) == 0;
    if (!line.empty() && line.rfind("hint:", 0) != 0) words = line;
    if (says) break;
  }
  return Failed("cannot " + what + ": git gave " + captured.exit.describe() +
                (words.empty() ? "" : ": " + words));
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(std::move(line));
  return result;
}

std::string unquoted(const std::string& printed) {
  if (printed.size() < 2 || printed.front() != '"' || printed.back() != '"') return printed;
  static const std::string letters = "abtnvfr", meanings = "\a\b\t\n\v\f\r";
  std::string path;
  for (std::size_t i = 1; i + 1 < printed.size(); ++i) {
    if (printed[i] != '\\') {
      path += printed[i];
      continue;
    }
    const char escaped = printed[++i];
    if (const std::size_t letter = letters.find(escaped); letter != letters.npos) {
      path += meanings[letter];
    } else if (escaped >= '0' && escaped <= '3') {
      path += static_cast<char>(std::stoi(printed.substr(i, 3), nullptr, 8));
      i += 2;
    } else {
      path += escaped;
    }
  }
  return path;
}

}  // namespace drydock::source
