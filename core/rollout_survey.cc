#include "rollout_survey.h"

#include <algorithm>
#include <thread>

#include "child_pool.h"
#include "error.h"
#include "given_inputs.h"
#include "rollout_host.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

}  // namespace

TargetPlan read_target_plan(const std::string& document, const std::string& error) {
  TargetPlan result;
  result.asked = true;
  const json said = json::parse(document, nullptr, false);
  if (said.is_object() && said.contains("error")) {
    result.problem = text_at(said, "error");
  } else if (said.is_object() && said.contains("plan") && said["plan"].is_object()) {
    result.changes = number_at(said["plan"], "changes");
    result.unknown_stages = number_at(said["plan"], "unknown_stages");
    result.loses = texts_at(said["plan"], "loses");
  } else {
    result.problem = error.empty() ? "its plan cannot be read" : last_line(error);
  }
  return result;
}

std::string inputs_of(const RolloutTarget& target, Masker& masker) {
  SecretStore store(target.secrets, std::make_shared<const Variables>(), masker);
  std::map<std::string, std::string> secrets;
  for (const auto& [name, source] : target.secrets) {
    try {
      if (const auto value = store.get(name)) secrets[name] = *value;
    } catch (const Error& e) {
      throw Error("the environment '" + target.name + "': " + e.what());
    }
  }
  return given_inputs_text(target.vars, secrets);
}

std::vector<TargetPlan> survey(const RolloutPlan& plan, const std::vector<std::string>& plugin_dirs,
                               Masker& masker, const Cancellation& cancellation) {
  const std::size_t at_once = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  std::vector<TargetPlan> result(plan.targets.size());
  std::vector<std::string> printed(plan.targets.size());
  std::vector<std::string> words = {"plan", plan.pipeline_file, "--json", "--stdin"};
  for (const std::string& dir : plugin_dirs) words.insert(words.end(), {"--plugin-dir", dir});
  ChildPool pool;
  for (std::size_t next = 0; next < plan.targets.size() || pool.running() > 0;) {
    while (next < plan.targets.size() && pool.running() < at_once) {
      const RolloutTarget& target = plan.targets[next];
      if (target.host.empty()) {
        pool.start(next, command_on_host(target, words), inputs_of(target, masker));
      }
      ++next;
    }
    for (const ChildEvent& event : pool.wait(std::chrono::seconds(60), cancellation.fd())) {
      if (!event.ended) {
        printed[event.tag] += event.text + "\n";
      } else {
        result[event.tag] = read_target_plan(printed[event.tag], masker.mask(event.error));
        printed[event.tag].clear();
      }
    }
    if (cancellation.requested()) {
      throw Error("cancelled while it planned; nothing was changed", ExitCode::cancelled);
    }
  }
  return result;
}

}  // namespace drydock
