#include "command_rollout.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <numeric>

#include "commands.h"
#include "json_text.h"
#include "named_pipeline.h"
#include "rollout_history.h"
#include "rollout_place.h"
#include "rollout_set_apart.h"
#include "rollout_survey.h"
#include "rollout_view.h"
#include "spawn.h"
#include "text.h"
#include "view.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

// A path of the rollout file begins at its folder; a bare name is an installed pipeline.
Pipeline pipeline_of(const Rollout& rollout, const Installation& installation) {
  const bool path =
      rollout.pipeline.find('/') != std::string::npos || fs::path(rollout.pipeline).has_extension();
  Arguments named;
  named.positional = {
      path ? (fs::path(rollout.file).parent_path() / rollout.pipeline).lexically_normal().string()
           : rollout.pipeline};
  try {
    return find_pipeline(named, installation);
  } catch (const Error& e) {
    if (std::string(e.what()).starts_with(named.positional[0] + ":")) throw;
    throw Error(rollout.pipeline_place.text() + ": " + e.what(), e.code());
  }
}

// One environment is given up by its name and for a reason; nothing is put back then.
void check_giving_up(const Arguments& arguments) {
  const bool named = !arguments.environment.empty(), told = !arguments.comment.empty();
  if (arguments.abandon && !(named && told)) {
    throw Error("rollout rollback: found --abandon without " +
                std::string(named ? "--comment" : "--env") +
                ", allowed: --abandon --env ENVIRONMENT --comment WHY, of an environment that a "
                "person puts back");
  }
  if (!arguments.abandon && (named || told)) {
    throw Error("rollout rollback: found --" + std::string(named ? "env" : "comment") +
                " without --abandon; a rollback puts back a wave, which --wave names");
  }
  if (arguments.abandon && !arguments.wave.empty()) {
    throw Error(
        "rollout rollback: found both --abandon and --wave; it gives up the environment "
        "that --env names, and puts nothing back");
  }
}

// What belongs to which action.
void check_rollout(const Arguments& arguments) {
  const std::string& action = arguments.positional[0];
  if (arguments.positional.size() < 2 && action != "history") {
    throw Error("rollout " + action +
                ": found no ROLLOUT, allowed: its file, for example `drydock "
                "rollout " +
                action + " rollout.yaml`");
  }
  const auto only_for = [&](bool given, const char* option, const std::string& first,
                            const std::string& second) {
    if (!given || action == first || action == second) return;
    throw Error("rollout " + action + ": found --" + option + ", which is for `rollout " + first +
                (second.empty() ? "" : "` and `rollout " + second) + "`");
  };
  if (action != "resume") only_for(!arguments.vars.empty(), "var", "plan", "run");
  if (action != "rollback") only_for(arguments.yes, "yes", "run", "resume");
  only_for(!arguments.until.empty(), "until", "run", "resume");
  only_for(arguments.abandon, "abandon", "run", "rollback");
  only_for(!arguments.retry.empty(), "retry", "resume", "");
  only_for(!arguments.wave.empty(), "wave", "approve", "rollback");
  only_for(arguments.accept_loss, "accept-loss", "rollback", "");
  only_for(arguments.accept_partial_rollback, "accept-partial-rollback", "run", "");
  only_for(arguments.watch, "watch", "status", "");
  if (action != "plan") only_for(arguments.all, "all", "status", "");
  if (arguments.watch && arguments.all) {
    throw Error("rollout status: found both --watch and --all; --all asks every environment, once");
  }
  only_for(!arguments.environment.empty(), "env", "history", "rollback");
  only_for(arguments.since.has_value(), "since", "history", "");
  only_for(!arguments.comment.empty(), "comment", "approve", "rollback");
  if (action == "rollback") check_giving_up(arguments);
  if (action == "approve" && arguments.wave.empty()) {
    throw Error(
        "rollout approve: found no --wave, allowed: --wave WAVE, the one that waits; "
        "`rollout status` shows it");
  }
  if (!arguments.retry.empty() && arguments.retry != "failed") {
    throw Error("rollout resume: found '" + arguments.retry + "' after --retry, allowed: failed");
  }
  if (!arguments.until.empty() && arguments.until != "approval") {
    throw Error("rollout " + action + ": found '" + arguments.until +
                "' after --until, allowed: approval");
  }
}

// As `rollout run` goes on: past hosts that are away, as many as a wave allows.
bool may_run(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
             const HostSurvey& asked) {
  for (const RolloutWave& wave : plan.waves) {
    unsigned away = 0;
    for (std::size_t i = wave.first; i < wave.first + wave.count; ++i) {
      if (surveyed[i].away) {
        ++away;
      } else if (!surveyed[i].problem.empty() || !asked.findings[i].refusals.empty()) {
        return false;
      }
    }
    if (away > wave.max_unreachable) return false;
  }
  return true;
}

ExitCode rollout_plan(const Arguments& arguments) {
  Workbench bench(arguments);
  bench.handle_signals();
  const CheckedRollout checked = checked_rollout(bench, arguments.positional[1]);
  const RolloutPlan& plan = checked.plan;
  if (const auto refusal = refused_for_its_name(arguments, plan)) throw *refusal;
  const auto sent = pipeline_for_hosts(plan, checked.pipeline);
  const Hosts hosts(plan);
  const RolloutPlace place(arguments, checked.rollout.folder);
  const std::unique_ptr<RolloutStore> store = place.open_existing();
  SurveyProgress progress(arguments.json ? nullptr : &std::cout, style_of_stdout());
  const HostSurvey asked = survey_hosts(plan, hosts,
                                        {checked.expected, arguments.plugin_dirs, all_targets(plan),
                                         known_environments(store.get(), plan)},
                                        progress, bench.cancellation());
  std::vector<TargetPlan> surveyed =
      survey(plan, hosts, asked, sent ? &*sent : nullptr, arguments.plugin_dirs, bench.masker(),
             progress, bench.cancellation());
  if (store) learn_durations(*store, plan, surveyed);
  if (arguments.json) {
    std::cout << indented(rollout_plan_document(plan, surveyed, asked, bench.masker()));
  } else {
    print_rollout_plan(plan, surveyed, bench.masker());
    print_host_survey(plan, asked);
  }
  return may_run(plan, surveyed, asked) ? ExitCode::done : ExitCode::refused;
}

// Whoever may not read the state may still check a file.
std::optional<Error> known_refusal(const Arguments& arguments, const RolloutPlan& plan) {
  try {
    return refused_for_its_name(arguments, plan);
  } catch (const Error& e) {
    std::cerr << "drydock: whether another file has the name '" << plan.name
              << "' is not known: " << make_visible(e.what()) << "\n";
    return std::nullopt;
  }
}

}  // namespace

CheckedRollout checked_rollout(Workbench& bench, const std::string& file) {
  Rollout rollout = load_rollout(file);
  Pipeline pipeline = pipeline_of(rollout, bench.installation());
  PluginIndex plugins = bench.plugins(pipeline);
  check_controller_stages(rollout, pipeline, plugins);
  check_pipeline(pipeline, plugins);
  RolloutPlan plan = plan_rollout(rollout, pipeline, read_vars({}, bench.arguments().vars));
  learn_secrets(plan, pipeline, bench.masker());
  Expected expected = expected_of(pipeline, plugins);
  return {std::move(rollout), std::move(plugins), std::move(plan), std::move(pipeline),
          std::move(expected)};
}

std::optional<SentPipeline> pipeline_for_hosts(const RolloutPlan& plan, const Pipeline& pipeline) {
  const bool any = std::any_of(plan.targets.begin(), plan.targets.end(),
                               [](const RolloutTarget& each) { return !each.host.empty(); });
  return any ? std::optional(pack_pipeline(pipeline)) : std::nullopt;
}

std::vector<std::size_t> all_targets(const RolloutPlan& plan) {
  std::vector<std::size_t> all(plan.targets.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

KnownEnvironments known_environments(const RolloutStore* store, const RolloutPlan& plan) {
  KnownEnvironments known(plan.targets.size());
  if (store == nullptr) return known;
  const std::string here = host_name();
  for (std::size_t i = 0; i < known.size(); ++i) {
    known[i] = store->environment(place_of(plan.targets[i], here));
  }
  return known;
}

void learn_durations(const RolloutStore& store, const RolloutPlan& plan,
                     std::vector<TargetPlan>& surveyed) {
  const std::vector<RunSummary> runs = store.runs("", "");
  const std::string here = host_name();
  for (std::size_t i = 0; i < surveyed.size(); ++i) {
    surveyed[i].likely_ms =
        likely_duration_ms(runs, plan.pipeline, place_of(plan.targets[i], here));
  }
}

void print_host_survey(const RolloutPlan& plan, const HostSurvey& survey) {
  const Lines lines = host_survey_lines(plan, survey, style_of_stdout());
  if (!lines.empty()) std::cout << "\n";
  for (const std::string& line : lines) std::cout << line << "\n";
}

void print_rollout_plan(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
                        const Masker& masker) {
  for (const std::string& line : rollout_plan_lines(plan, surveyed, masker, style_of_stdout())) {
    std::cout << line << "\n";
  }
}

ExitCode validate_rollout(const Arguments& arguments, const std::string& file) {
  Workbench bench(arguments);
  const RolloutPlan plan = checked_rollout(bench, file).plan;
  if (const auto refusal = known_refusal(arguments, plan)) throw *refusal;
  if (arguments.json) {
    nlohmann::json document = rollout_plan_document(plan, {}, {}, bench.masker());
    document["valid"] = true;
    std::cout << indented(document);
  } else {
    std::cout << file << ": valid\n\n";
    print_rollout_plan(plan, {}, bench.masker());
  }
  return ExitCode::done;
}

ExitCode command_rollout(const Arguments& arguments) {
  check_rollout(arguments);
  use_all_open_files();  // three for each environment that is at work
  const std::string& action = arguments.positional[0];
  if (action == "run") return rollout_run(arguments);
  if (action == "status") return rollout_status(arguments);
  if (action == "approve") return rollout_approve(arguments);
  if (action == "rollback") return rollout_rollback(arguments);
  if (action == "history") return rollout_history(arguments);
  if (action == "resume") return rollout_resume(arguments);
  return rollout_plan(arguments);
}

}  // namespace drydock
