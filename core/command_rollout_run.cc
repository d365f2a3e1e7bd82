// rollout run, resume: what carries a rollout out.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iostream>

#include "command_rollout.h"
#include "consent.h"
#include "files.h"
#include "json_text.h"
#include "process.h"
#include "rollout_host.h"
#include "rollout_lease.h"
#include "rollout_left_behind.h"
#include "rollout_place.h"
#include "rollout_report.h"
#include "rollout_set_apart.h"
#include "rollout_store.h"
#include "rollout_supervisor.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

std::string random_token() {
  std::array<unsigned char, 5> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error("the operating system gave no random bytes for a key; try again");
  }
  constexpr std::string_view digits = "0123456789abcdef";
  std::string token;
  for (const unsigned char byte : bytes) {
    token += digits[byte >> 4];
    token += digits[byte & 15];
  }
  return token;
}

SupervisorSetup setup_of(const Arguments& arguments, const RolloutPlace& place,
                         const RolloutPlan& plan, const Hosts& hosts) {
  return {hosts,
          place.commands(plan),
          place.of(plan.name),
          arguments.plugin_dirs,
          !arguments.until.empty(),
          {},
          {},
          {}};
}

// From here on what is started outlives this process.
ExitCode supervise(Workbench& bench, RolloutStore& store, const RolloutRecord& record,
                   const SupervisorSetup& setup) {
  const Arguments& arguments = bench.arguments();
  leave_orphans_to_init();
  ExitCode code = ExitCode::done;
  {
    RolloutReport report(arguments.json ? nullptr : &std::cout, style_of_stdout(), bench.masker(),
                         setup.commands);
    code =
        Supervisor(record, store, setup, report, bench.masker(), bench.cancellation()).supervise();
  }
  print_end(bench, store, record, setup.commands);
  return code;
}

void warn_of(const std::vector<LeftBehind>& left, const Arguments& arguments) {
  const ViewStyle style = style_of_stdout();
  for (const LeftBehind& each : left) {
    if (arguments.json) {
      std::cerr << "drydock: " << each.sentence << "\n";
      continue;
    }
    const std::string mark = indent + Ink(style).yellow("warning:") + " ";
    for (const std::string& line : wrap(each.sentence, style.width, mark, indent + indent)) {
      std::cout << line << "\n";
    }
  }
}

std::string names_of(const std::vector<LeftBehind>& left) {
  std::vector<std::string> names;
  for (const LeftBehind& each : left) names.push_back(each.name);
  return names.empty() ? "" : "; what was going on: " + join(names, ", ");
}

}  // namespace

ExitCode rollout_run(const Arguments& arguments) {
  require_consent_possible(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  CheckedRollout checked = checked_rollout(bench, arguments.positional[1]);
  const auto& [rollout, plugins, plan, pipeline, expected] = checked;
  checked.plan.accept_partial_rollback = arguments.accept_partial_rollback;
  const RolloutPlace place(arguments, rollout.folder);
  StateDir(place.state()).create();
  const DeploymentLock lock = lock_of(place, plan);
  const std::unique_ptr<RolloutStore> opened = place.open();
  RolloutStore& store = *opened;
  const Lease lease(bench, store, place, plan);
  const auto earlier = store.newest(plan.name);
  if (earlier && !store.is_shared()) {
    if (const auto refusal = name_refusal(plan, *earlier)) throw *refusal;
  }
  const bool unfinished = earlier && earlier->state == RolloutState::running;
  if (unfinished && !arguments.abandon) throw not_ended(place, *earlier);
  const auto sent = pipeline_for_hosts(plan, pipeline);
  const Hosts hosts(plan);
  SupervisorSetup setup = setup_of(arguments, place, plan, hosts);
  setup.pipeline = sent;
  setup.expected = expected;
  SurveyProgress shown(arguments.json ? nullptr : &std::cout, style_of_stdout());
  const HostSurvey asked = survey_hosts(
      plan, hosts,
      {expected, arguments.plugin_dirs, all_targets(plan), known_environments(&store, plan)}, shown,
      bench.cancellation());
  require_fit(plan, asked);
  if (!arguments.yes) {
    std::vector<TargetPlan> surveyed =
        survey(plan, hosts, asked, sent ? &*sent : nullptr, arguments.plugin_dirs, bench.masker(),
               shown, bench.cancellation());
    learn_durations(store, plan, surveyed);
    print_rollout_plan(plan, surveyed, bench.masker());
  }
  if (!arguments.json) print_host_survey(plan, asked);
  const std::vector<LeftBehind> left = unfinished
                                           ? left_behind(earlier->plan, store.targets(earlier->id))
                                           : std::vector<LeftBehind>();
  warn_of(left, arguments);
  if (!arguments.yes) {
    if (!person_agrees("\nGo ahead?", bench.cancellation())) {
      throw Error("not confirmed; nothing was changed");
    }
  }
  // Whoever came while a person read, or hosts were slow, has it now.
  store.renew();
  if (unfinished) {
    store.finish(earlier->id, RolloutState::failed, static_cast<int>(ExitCode::cancelled),
                 "given up by " + person_name() + names_of(left));
  }
  set_secrets_apart(checked.plan, plugins, bench.masker());
  RolloutRecord record;
  record.token = random_token();
  record.plan = plan;
  record.user = person_name();
  record.host = host_name();
  record.started = utc_now();
  record.id = store.begin(record);
  return supervise(bench, store, record, setup);
}

namespace {

// As a resume finds it.
struct Progress {
  std::vector<TargetRecord> targets;
  std::vector<WaveRecord> waves;
  std::vector<std::size_t> begun_again = {};  // waves
};

// What could not be reached is looked for again by its key; what failed, where that is wanted, is
// begun again under another one. What must hold after their waves holds no more. Returns how many.
std::size_t begin_again(const RolloutPlan& plan, bool failed_too, Progress& progress) {
  std::size_t again = 0;
  for (std::size_t i = 0; i < progress.waves.size(); ++i) {
    const RolloutWave& wave = plan.waves[i];
    const std::size_t before = again;
    for (std::size_t t = wave.first; t < wave.first + wave.count; ++t) {
      TargetRecord& target = progress.targets[t];
      const bool away = target.state == TargetState::unreachable;
      const bool undone =
          target.state == TargetState::failed || target.state == TargetState::rolled_back ||
          target.state == TargetState::abandoned || target.state == TargetState::skipped;
      if (!away && !(failed_too && undone)) continue;
      TargetRecord anew;
      anew.attempt = target.attempt + (away ? 0 : 1);
      if (away) {
        anew.run = target.run;
        anew.exit_code = target.exit_code;  // whether a run may have been begun there
      }
      target = anew;
      ++again;
    }
    if (again == before) continue;
    progress.waves[i] = WaveRecord();
    progress.begun_again.push_back(i);
  }
  return again;
}

// A gate may be asked again; past a budget nobody goes on without a word.
bool may_go_on(const RolloutRecord& rollout, const Progress& progress, std::size_t again) {
  if (rollout.state == RolloutState::running) return true;
  if (rollout.state == RolloutState::passed) return again > 0;
  const Schedule schedule = schedule_at_work(rollout.plan, progress.targets, progress.waves);
  return !schedule.budget_spent() && !schedule.put_back();
}

std::vector<std::size_t> waiting_targets(const Progress& progress) {
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < progress.targets.size(); ++i) {
    if (progress.targets[i].state == TargetState::waiting) waiting.push_back(i);
  }
  return waiting;
}

// Those that a run is, or may be, still started in, which needs their variables.
std::vector<std::size_t> to_be_ordered(const Progress& progress) {
  std::vector<std::size_t> ordered;
  for (std::size_t i = 0; i < progress.targets.size(); ++i) {
    const TargetRecord& each = progress.targets[i];
    if (each.state == TargetState::waiting ||
        (each.state == TargetState::running && each.run == 0)) {
      ordered.push_back(i);
    }
  }
  return ordered;
}

// It was agreed to when the rollout was begun, so that nobody has to be there for it. Whoever is
// there is told how much it is.
void agree_to_go_on(Workbench& bench, const Progress& progress, std::size_t again) {
  const std::size_t waiting = waiting_targets(progress).size();
  if (waiting == 0 || bench.arguments().yes || !can_ask(bench.arguments())) return;
  const std::string question =
      "\n" + count_of(static_cast<std::int64_t>(waiting), "environment") + " to come" +
      (again == 0 ? "" : ", " + std::to_string(again) + " of them once more") + ". Go on?";
  if (!person_agrees(question, bench.cancellation())) {
    throw Error("not confirmed; nothing was changed");
  }
}

void warn_of_another_file(const RolloutPlan& plan) {
  if (plan.sha256.empty()) return;  // begun by an older Drydock
  std::error_code error;
  const bool there = std::filesystem::is_regular_file(plan.file, error);
  if (there && sha256_of_file(plan.file) == plan.sha256) return;
  std::cerr << "drydock: " << make_visible(plan.file)
            << (there ? " has been changed" : " is not there") << " since the rollout '"
            << plan.name << "' was begun; what it was begun with counts, but for what holds a "
            << "secret. A new `drydock rollout run` takes the file as it is\n";
}

// Waves first: whoever dies in between leaves nothing approved that is begun again.
void save(RolloutStore& store, std::int64_t rollout, const Progress& progress) {
  for (const std::size_t wave : progress.begun_again) {
    store.save_wave(rollout, wave, progress.waves[wave]);
    store.withdraw_approval(rollout, wave);
  }
  for (std::size_t i = 0; i < progress.targets.size(); ++i) {
    store.save_target(rollout, i, progress.targets[i]);
  }
}

// The rest of a wave that is to be put back. Nothing is upgraded, so that neither the pipeline nor
// the hosts of others matter.
ExitCode go_on_putting_back(Workbench& bench, const FoundRollout& found, std::size_t wave) {
  const Arguments& arguments = bench.arguments();
  const RolloutRecord& record = found.record;
  const RolloutPlan& plan = record.plan;
  if (!arguments.retry.empty()) {
    throw Error(
        "the wave '" + plan.waves[wave].name + "' of the rollout '" + plan.name +
        "' is being put back; go on with that first, without --retry, or begin a new rollout "
        "with `" +
        found.commands().of("run", "--abandon") + "`");
  }
  const bool wants_it_itself = plan.rollback_wave && record.reason.empty();
  if (wants_it_itself) {
    RolloutRecord filled = record;
    fill_in_notification(filled.plan, bench.masker());
    const Hosts hosts(plan);
    return supervise(bench, *found.store, filled, setup_of(arguments, found.place, plan, hosts));
  }
  return put_back(bench, found, wave);
}

}  // namespace

ExitCode rollout_resume(const Arguments& arguments) {
  Workbench bench(arguments);
  bench.handle_signals();
  const HeldRollout held(bench);
  const FoundRollout& found = held.found();
  RolloutRecord record = found.record;
  const RolloutPlan& plan = record.plan;
  if (const auto back = wave_going_back(record, found.store->targets(record.id))) {
    return go_on_putting_back(bench, found, *back);
  }
  const RolloutCommands commands = found.commands();
  require_same_pipeline(plan, commands);
  Progress progress{found.store->targets(record.id), found.store->waves(record.id)};
  const std::size_t again = begin_again(plan, !arguments.retry.empty(), progress);
  if (!arguments.retry.empty() && again == 0) {
    throw Error("no environment of the rollout '" + plan.name +
                "' has failed, so there is nothing to retry; leave --retry out");
  }
  if (!may_go_on(record, progress, again)) {
    throw Error(
        "the rollout '" + plan.name + "' has ended (" + std::string(name_of(record.state)) +
        (record.reason.empty() ? "" : ": " + record.reason) + "); " +
        (record.state == RolloutState::passed ? "" : "retry what failed with --retry failed, or ") +
        "begin a new one with `" + commands.of("run") + "`");
  }
  const Pipeline pipeline = load_pipeline(plan.pipeline_file);
  require_same_pipeline(plan, pipeline, commands);
  warn_of_another_file(plan);
  fill_in_secrets(record.plan, to_be_ordered(progress), pipeline, read_vars({}, arguments.vars),
                  bench.masker());
  const Hosts hosts(plan);
  SupervisorSetup setup = setup_of(arguments, found.place, plan, hosts);
  setup.pipeline = pipeline_for_hosts(plan, pipeline);
  setup.expected = expected_of(pipeline, bench.plugins(pipeline));
  SurveyProgress shown(arguments.json ? nullptr : &std::cout, style_of_stdout());
  HostSurvey asked =
      survey_hosts(plan, hosts, {setup.expected, arguments.plugin_dirs, waiting_targets(progress)},
                   shown, bench.cancellation());
  const std::size_t wave = schedule_at_work(plan, progress.targets, progress.waves).wave();
  setup.ask_again = put_off_later_waves(plan, wave, asked);
  require_fit(plan, asked);
  if (!arguments.json) print_host_survey(plan, asked);
  agree_to_go_on(bench, progress, again);
  if (again > 0) save(*found.store, record.id, progress);
  if (record.state != RolloutState::running) found.store->reopen(record.id);
  return supervise(bench, *found.store, record, setup);
}

}  // namespace drydock
