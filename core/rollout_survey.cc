#include "rollout_survey.h"

#include <algorithm>
#include <thread>

#include "child_pool.h"
#include "error.h"
#include "given_inputs.h"
#include "rollout_answer.h"
#include "rollout_host.h"
#include "rollout_patience.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

std::size_t tag_of_plan(std::size_t target) { return target * 2; }
std::size_t tag_of_secret(std::size_t target) { return target * 2 + 1; }

// What there is to be told of a plan that nobody gave.
TargetPlan without_plan(const Obstacle& obstacle, const Masker& masker) {
  TargetPlan result;
  result.problem = masker.mask(obstacle.sentence);
  result.away = obstacle.may_pass();
  return result;
}

}  // namespace

TargetPlan read_target_plan(const std::string& document, const std::string& error) {
  TargetPlan result;
  const json said = answer_in(document);
  if (said.is_object() && said.contains("error")) {
    result.problem = text_at(said, "error");
  } else if (said.is_object() && said.contains("plan") && said["plan"].is_object()) {
    result.changes = number_at(said["plan"], "changes");
    result.unknown_stages = number_at(said["plan"], "unknown_stages");
    result.loses = texts_at(said["plan"], "loses");
  } else {
    result.problem = error.empty() ? "its plan cannot be read" : said_on(error);
  }
  return result;
}

std::vector<std::string> words_for(const std::string& command, const RolloutPlan& plan,
                                   const RolloutTarget& target,
                                   const std::vector<std::string>& plugin_dirs) {
  if (!target.host.empty()) return {command, sent_pipeline_word, "--json", "--stdin"};
  std::vector<std::string> words = {command, plan.pipeline_file, "--json", "--stdin"};
  for (const std::string& dir : plugin_dirs) words.insert(words.end(), {"--plugin-dir", dir});
  return words;
}

std::string inputs_of(const RolloutTarget& target, const SecretCommands& commands,
                      const SentPipeline* pipeline, Masker& masker, const json& promoted) {
  SecretStore store(target.secrets, std::make_shared<const Variables>(), masker);
  std::map<std::string, std::string> secrets;
  for (const auto& [name, source] : target.secrets) {
    try {
      const auto command = commands.ended().find(name);
      if (command != commands.ended().end()) store.take(name, command->second);
      if (const auto value = store.get(name)) secrets[name] = *value;
    } catch (const Error& e) {
      throw Error("the environment '" + target.name + "': " + e.what());
    }
  }
  return given_inputs_text(target.vars, secrets, promoted,
                           target.host.empty() ? nullptr : pipeline);
}

std::vector<TargetPlan> survey(const RolloutPlan& plan, const Hosts& hosts,
                               const HostSurvey& host_survey, const SentPipeline* pipeline,
                               const std::vector<std::string>& plugin_dirs, Masker& masker,
                               SurveyProgress& progress, const Cancellation& cancellation) {
  const std::size_t at_once = std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
  std::vector<TargetPlan> result(plan.targets.size());
  std::vector<std::string> printed(plan.targets.size());
  std::vector<SecretCommands> secrets(plan.targets.size());
  ChildPool pool;
  const auto ask = [&](std::size_t of) {
    const RolloutTarget& target = plan.targets[of];
    if (const auto command = secrets[of].next(target))
      return pool.start(tag_of_secret(of), *command);
    pool.start(tag_of_plan(of), hosts.command(target, words_for("plan", plan, target, plugin_dirs)),
               inputs_of(target, secrets[of], pipeline, masker));
  };
  progress.begin("planned", plan.targets.size(), steady_milliseconds());
  for (std::size_t next = 0; next < plan.targets.size() || pool.running() > 0;) {
    while (next < plan.targets.size() && pool.running() < at_once) {
      if (const auto& obstacle = host_survey.reports[next].obstacle) {
        result[next] = without_plan(*obstacle, masker);
        progress.answered(plan.targets[next].name);
      } else {
        progress.asks(plan.targets[next].name);
        ask(next);
      }
      ++next;
    }
    const auto most =
        pool.running() > 0 ? progress.show(steady_milliseconds()) : std::chrono::milliseconds(0);
    for (const ChildEvent& event : pool.wait(most, cancellation.fd())) {
      const std::size_t of = event.tag / 2;
      if (event.tag == tag_of_secret(of)) {
        secrets[of].take(plan.targets[of], event);
        if (event.ended) ask(of);
        continue;
      }
      if (!event.ended) {
        add_line(printed[of], event.text);
        continue;
      }
      const auto obstacle = obstacle_to(plan.targets[of], event);
      result[of] = obstacle ? without_plan(*obstacle, masker)
                            : read_target_plan(masker.mask(printed[of]), masker.mask(event.error));
      progress.answered(plan.targets[of].name);
      printed[of].clear();
      secrets[of] = {};
    }
    if (cancellation.requested()) {
      throw Error("cancelled while it planned; nothing was changed", ExitCode::cancelled);
    }
  }
  progress.end();
  return result;
}

}  // namespace drydock
