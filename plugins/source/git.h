// git on one repository, and nothing that a repository could make it do beside what is asked: no
// hooks, no prompts, no background work, none of the caller's GIT_* variables.
#pragma once

#include <drydock/stage.hpp>
#include <string>
#include <vector>

namespace drydock::source {

class Git {
 public:
  // The folder is named outright, so git does not look for it, nor ask whose it is: whoever runs
  // Compose in a folder trusts it with far more.
  Git(const Call& call, std::string git_dir, std::string work_tree = "")
      : call_(call), git_dir_(std::move(git_dir)), work_tree_(std::move(work_tree)) {}

  // The same with another index, another work tree, or objects of another repository beside its
  // own.
  Git with_index(const std::string& file) const;
  Git with_work_tree(const std::string& folder) const;
  Git with_objects_of(const std::string& git_dir) const;

  const std::string& git_dir() const { return git_dir_; }
  Captured attempt(std::vector<std::string> arguments, std::string input = "") const;
  // What it printed. Throws Failed, "cannot WHAT: ..." with git's own last words.
  std::string ask(std::vector<std::string> arguments, const std::string& what,
                  std::string input = "") const;
  // One line without its end; "" when git ended with another code than 0.
  std::string line(std::vector<std::string> arguments) const;
  bool holds(std::vector<std::string> arguments) const { return attempt(arguments).exit.ok(); }
  // Byte by byte, into a file.
  Captured to_file(std::vector<std::string> arguments, const std::string& file) const;

 private:
  Process command(std::vector<std::string> arguments) const;
  const Call& call_;
  std::string git_dir_, work_tree_;
  std::vector<std::string> environment_ = {};
};

Failed git_refused(const Captured& captured, const std::string& what);

std::vector<std::string> lines_of(const std::string& text);
// A path as git prints it in a line: as it is, or in quotes with escapes as in C.
std::string unquoted(const std::string& printed);

}  // namespace drydock::source
