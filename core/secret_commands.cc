#include "secret_commands.h"

#include <algorithm>
#include <utility>

#include "secrets.h"

namespace drydock {

std::map<std::string, SecretSource>::const_iterator SecretCommands::open(
    const RolloutTarget& target) const {
  const bool failed =
      std::any_of(ended_.begin(), ended_.end(), [](const auto& each) { return !each.second.ok(); });
  if (failed) return target.secrets.end();
  return std::find_if(target.secrets.begin(), target.secrets.end(), [&](const auto& each) {
    return each.second.kind == SecretSource::Kind::command && ended_.count(each.first) == 0;
  });
}

std::optional<ChildCommand> SecretCommands::next(const RolloutTarget& target) const {
  const auto secret = open(target);
  if (secret == target.secrets.end()) return std::nullopt;
  const CaptureRequest request = request_of(secret->second);
  ChildCommand command{request.arguments, request.directory};
  command.timeout = request.timeout;
  return command;
}

void SecretCommands::take(const RolloutTarget& target, const ChildEvent& event) {
  const auto secret = open(target);
  const std::size_t limit = request_of(secret->second).limit;
  if (!event.ended) {
    going_on_.out += event.text + "\n";
    going_on_.cut = going_on_.cut || going_on_.out.size() > limit;
    if (going_on_.cut) going_on_.out.clear();
    return;
  }
  going_on_.code = event.code;
  going_on_.signal = event.signal;
  going_on_.timed_out = event.timed_out;
  (event.code < 0 && event.signal == 0 ? going_on_.not_started : going_on_.err) = event.error;
  ended_[secret->first] = std::exchange(going_on_, {});
}

}  // namespace drydock
