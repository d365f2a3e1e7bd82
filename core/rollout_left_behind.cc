#include "rollout_left_behind.h"

#include "error.h"
#include "rollout_host.h"
#include "rollout_standing.h"

namespace drydock {
namespace {

bool may_go_on(const TargetRecord& target) {
  const bool lost = target.state == TargetState::unreachable &&
                    target.exit_code == static_cast<int>(ExitCode::needs_person);
  return lost || target.state == TargetState::running || is_to_be_put_back(target);
}

}  // namespace

std::vector<LeftBehind> left_behind(const RolloutPlan& plan,
                                    const std::vector<TargetRecord>& targets) {
  std::vector<LeftBehind> result;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const TargetRecord& record = targets[i];
    if (!may_go_on(record)) continue;
    const RolloutTarget& to = plan.targets[i];
    const auto command = [&](const std::string& words) {
      return "`" + command_text(to, words) + "`";
    };
    const std::string run = std::to_string(record.run);
    LeftBehind left;
    left.name =
        to.name + (record.run == 0 ? " (a run that was about to begin)" : " (run " + run + ")");
    std::string what = "run " + run + " was going on there; let it end (" +
                       command("attach " + run) + " shows it) or cancel it (" +
                       command("cancel " + run) + ")";
    if (record.run == 0) {
      what = "a run was about to begin there; look (" + command("status") +
             "), and let it end or cancel it";
    } else if (record.state == TargetState::rolling_back) {
      what = "run " + run + " was to be put back there; where that goes on let it end (" +
             command("status") + " shows it)";
    }
    left.sentence =
        to.name + ": " + what + ", since as long as it goes on nothing else begins there";
    if (record.state == TargetState::not_put_back) {
      left.sentence = to.name + ": run " + run + " could not be put back there (" +
                      command("status") + " shows how it is), and needs a person";
    }
    result.push_back(std::move(left));
  }
  return result;
}

}  // namespace drydock
