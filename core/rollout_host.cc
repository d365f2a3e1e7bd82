#include "rollout_host.h"

#include <filesystem>

#include "error.h"
#include "text.h"

namespace drydock {

std::vector<std::string> command_on_host(const RolloutTarget& target,
                                         const std::vector<std::string>& words) {
  std::vector<std::string> command;
  if (target.sudo) command = {"sudo", "-n", "--"};
  // By its own name, unless an upgrade of Drydock has replaced that file meanwhile.
  std::error_code gone;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", gone);
  const bool there = std::filesystem::exists(self, gone);
  command.push_back(there ? self.string() : "/proc/self/exe");
  command.insert(command.end(), {"-C", target.dir});
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string command_text(const RolloutTarget& target, const std::string& words) {
  return std::string(target.sudo ? "sudo " : "") + "drydock -C " + shell_word(target.dir) + " " +
         words;
}

void require_reachable(const RolloutPlan& plan) {
  for (const RolloutTarget& target : plan.targets) {
    if (target.host.empty()) continue;
    throw Error("the environment '" + target.name + "' is on " + target.host +
                ", and a rollout is carried out on this machine only; leave its host out, or run "
                "the pipeline there");
  }
}

}  // namespace drydock
