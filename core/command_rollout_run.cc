// rollout run, status, approve, resume.
#include <sys/random.h>

#include <array>
#include <filesystem>
#include <iostream>

#include "command_rollout.h"
#include "consent.h"
#include "files.h"
#include "json_text.h"
#include "process.h"
#include "rollout_host.h"
#include "rollout_report.h"
#include "rollout_store.h"
#include "rollout_supervisor.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

// Where the state of the rollouts of a folder is.
struct RolloutPlaces {
  explicit RolloutPlaces(const std::string& folder) : state(folder + "/.drydock") {}
  std::string database() const { return state + "/rollouts.db"; }
  // Private files of one rollout, and its lock.
  std::string of(const std::string& rollout) const { return state + "/rollouts/" + rollout; }
  std::string state;
};

std::string folder_of(const std::string& file) {
  return fs::absolute(file).lexically_normal().parent_path().string();
}

// Of the rollout, so that no two supervisors work on one.
DeploymentLock lock_of(const RolloutPlaces& places, const std::string& rollout) {
  const StateDir folder(places.of(rollout));
  make_private_dir(folder.path());
  try {
    return DeploymentLock(folder);
  } catch (const Error& e) {
    if (e.code() != ExitCode::busy) throw;
    const auto holder = DeploymentLock::held(folder);
    throw Error("another process carries out the rollout '" + rollout + "'" +
                    (holder && holder->pid != 0
                         ? " (process " + std::to_string(holder->pid) + " of " + holder->user +
                               " on " + holder->host + " since " + holder->since + ")"
                         : "") +
                    "; `drydock rollout status` shows how far it is",
                ExitCode::busy);
  }
}

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

void refuse_what_is_not_carried_out(const Rollout& rollout) {
  const auto not_yet = [](const Place& place, const std::string& what) {
    throw Error(place.text() + ": '" + what +
                "' can be declared and planned, but this Drydock does not carry it out; take it "
                "out to run the rollout");
  };
  if (rollout.rollback_wave) not_yet(rollout.on_failure_place, "on_failure: rollback-wave");
  if (rollout.drift_place.line != 0) not_yet(rollout.drift_place, "drift:");
}

struct FoundRollout {
  RolloutPlaces places;
  std::unique_ptr<RolloutStore> store;
  RolloutRecord record;
  bool supervised() const {
    return DeploymentLock::held(StateDir(places.of(record.plan.name))).has_value();
  }
};

// By its file, or by its name in this folder.
FoundRollout find_rollout(const Arguments& arguments) {
  const std::string& named = arguments.positional[1];
  const bool is_file = fs::is_regular_file(named);
  const std::string folder =
      is_file ? folder_of(named)
              : fs::absolute(arguments.directory.empty() ? fs::path(".")
                                                         : fs::path(arguments.directory))
                    .lexically_normal()
                    .string();
  FoundRollout found{RolloutPlaces(folder), nullptr, {}};
  std::vector<std::string> names;
  if (fs::exists(found.places.database())) {
    found.store = std::make_unique<RolloutStore>(found.places.database());
    auto record = is_file
                      ? found.store->newest_of_file(fs::absolute(named).lexically_normal().string())
                      : found.store->newest(named);
    if (record) {
      found.record = std::move(*record);
      return found;
    }
    names = found.store->names();
  }
  throw Error("no rollout '" + named + "' was begun in " + folder +
              (names.empty() ? "" : ", but: " + join(names, ", ")) + did_you_mean(named, names) +
              "; begin it with `drydock rollout run FILE`");
}

// The pipeline is what the rollout was begun with, or waves would get different ones.
void refuse_another_pipeline(const RolloutPlan& plan) {
  for (const auto& [file, digest] : plan.digests) {
    if (fs::exists(file) && sha256_of_file(file) == digest) continue;
    throw Error(file + " is another one than when the rollout '" + plan.name +
                "' was begun; put it back, or begin a new rollout with `drydock rollout run " +
                shell_word(plan.file) + " --abandon`");
  }
}

// For whoever watches: does something wait for a person?
ExitCode code_of(const RolloutRecord& record, const Standing& standing) {
  if (standing.waits) return ExitCode::waits;
  if (standing.word == "left") return ExitCode::busy;
  return record.state == RolloutState::failed ? static_cast<ExitCode>(record.exit_code)
                                              : ExitCode::done;
}

ExitCode print_status(const FoundRollout& found, bool json) {
  const RolloutRecord& record = found.record;
  const auto targets = found.store->targets(record.id);
  const auto waves = found.store->waves(record.id);
  const bool supervised = found.supervised();
  const Instant now = now_in_milliseconds();
  if (json) {
    std::cout << indented(rollout_status_document(record, targets, waves, supervised, now));
  } else {
    for (const std::string& line :
         rollout_status_lines(record, targets, waves, supervised, now, style_of_stdout())) {
      std::cout << line << "\n";
    }
  }
  return code_of(record, standing_of(record, targets, waves, supervised, now));
}

// From here on what is started outlives this process.
ExitCode supervise(Workbench& bench, RolloutStore& store, const RolloutPlaces& places,
                   const RolloutRecord& record, const Hosts& hosts,
                   std::optional<SentPipeline> pipeline) {
  const Arguments& arguments = bench.arguments();
  leave_orphans_to_init();
  const SupervisorSetup setup{hosts, places.of(record.plan.name), arguments.plugin_dirs,
                              !arguments.until.empty(), std::move(pipeline)};
  const ViewStyle style = style_of_stdout();
  RolloutReport report(arguments.json ? nullptr : &std::cout, style, bench.masker());
  const ExitCode code =
      Supervisor(record, store, setup, report, bench.masker(), bench.cancellation()).supervise();
  const auto now = store.newest(record.plan.name);
  const auto targets = store.targets(record.id);
  const auto waves = store.waves(record.id);
  if (arguments.json) {
    std::cout << indented(
        rollout_status_document(*now, targets, waves, false, now_in_milliseconds()));
  } else {
    std::cout << "\n";
    for (const std::string& line : rollout_closing_lines(*now, targets, waves, style)) {
      std::cout << bench.masker().mask(line) << "\n";
    }
  }
  return code;
}

}  // namespace

ExitCode rollout_run(const Arguments& arguments) {
  require_consent_possible(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  const auto [rollout, plan, pipeline, expected] = checked_rollout(bench, arguments.positional[1]);
  refuse_what_is_not_carried_out(rollout);
  const RolloutPlaces places(rollout.folder);
  StateDir(places.state).create();
  const DeploymentLock lock = lock_of(places, plan.name);
  RolloutStore store(places.database());
  const auto earlier = store.newest(plan.name);
  const bool unfinished = earlier && earlier->state == RolloutState::running;
  if (unfinished && !arguments.abandon) {
    throw Error("the rollout '" + plan.name + "' that was begun at " + earlier->started + " by " +
                    earlier->user + " has not ended; go on with `drydock rollout resume " +
                    shell_word(arguments.positional[1]) + "`, or give it up with --abandon",
                ExitCode::busy);
  }
  const auto sent = pipeline_for_hosts(plan, pipeline);
  const Hosts hosts(plan);
  const HostSurvey asked =
      survey_hosts(plan, hosts, expected, all_targets(plan), bench.cancellation());
  require_fit(plan, asked);
  if (!arguments.yes) {
    print_rollout_plan(plan, survey(plan, hosts, asked, sent ? &*sent : nullptr,
                                    arguments.plugin_dirs, bench.masker(), bench.cancellation()));
  }
  if (!arguments.json) print_host_survey(plan, asked);
  if (!arguments.yes) {
    if (!person_agrees("\nGo ahead?", bench.cancellation())) {
      throw Error("not confirmed; nothing was changed");
    }
  }
  if (unfinished) {
    store.finish(earlier->id, RolloutState::failed, static_cast<int>(ExitCode::cancelled),
                 "given up by " + user_name());
  }
  RolloutRecord record;
  record.token = random_token();
  record.plan = plan;
  record.user = user_name();
  record.host = host_name();
  record.started = utc_now();
  record.id = store.begin(record);
  return supervise(bench, store, places, record, hosts, sent);
}

ExitCode rollout_status(const Arguments& arguments) {
  return print_status(find_rollout(arguments), arguments.json);
}

ExitCode rollout_approve(const Arguments& arguments) {
  const FoundRollout found = find_rollout(arguments);
  const RolloutPlan& plan = found.record.plan;
  std::vector<std::string> names;
  std::optional<std::size_t> wave;
  for (std::size_t i = 0; i < plan.waves.size(); ++i) {
    if (plan.waves[i].name == arguments.wave) wave = i;
    names.push_back(plan.waves[i].name);
  }
  if (!wave) {
    throw Error("--wave: found '" + arguments.wave + "', allowed: " + join(names, ", ") +
                did_you_mean(arguments.wave, names));
  }
  const Standing standing =
      standing_of(found.record, found.store->targets(found.record.id),
                  found.store->waves(found.record.id), found.supervised(), now_in_milliseconds());
  if (standing.waits != wave) {
    throw Error("the wave '" + arguments.wave + "' does not wait for approval: the rollout '" +
                plan.name + "' " + standing_words(plan, standing) +
                "; `drydock rollout status` shows it");
  }
  found.store->approve(found.record.id, *wave, user_name() + "@" + host_name(), arguments.comment);
  if (arguments.json) {
    std::cout << indented({{"rollout", plan.name}, {"wave", arguments.wave}, {"approved", true}});
  } else {
    std::cout << "wave " << arguments.wave << " of " << plan.name << " is approved"
              << (found.supervised() ? "; the rollout goes on"
                                     : "; go on with: drydock rollout resume " +
                                           shell_word(arguments.positional[1]))
              << "\n";
  }
  return ExitCode::done;
}

namespace {

// As a resume finds it.
struct Progress {
  std::vector<TargetRecord> targets;
  std::vector<WaveRecord> waves;
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
      if (!away && !(failed_too && target.state == TargetState::failed)) continue;
      TargetRecord anew;
      anew.attempt = target.attempt + (away ? 0 : 1);
      if (away) anew.run = target.run;
      target = anew;
      ++again;
    }
    if (again == before) continue;
    WaveRecord& record = progress.waves[i];
    record.known.ended.reset();
    record.known.gate_held = record.passed = false;
  }
  return again;
}

// A gate may be asked again; past a budget nobody goes on without a word.
bool may_go_on(const RolloutRecord& rollout, const Progress& progress, std::size_t again) {
  if (rollout.state == RolloutState::running) return true;
  if (rollout.state == RolloutState::passed) return again > 0;
  return !schedule_at_work(rollout.plan, progress.targets, progress.waves).budget_spent();
}

std::vector<std::size_t> waiting_targets(const Progress& progress) {
  std::vector<std::size_t> waiting;
  for (std::size_t i = 0; i < progress.targets.size(); ++i) {
    if (progress.targets[i].state == TargetState::waiting) waiting.push_back(i);
  }
  return waiting;
}

void save(RolloutStore& store, std::int64_t rollout, const Progress& progress) {
  for (std::size_t i = 0; i < progress.targets.size(); ++i) {
    store.save_target(rollout, i, progress.targets[i]);
  }
  for (std::size_t i = 0; i < progress.waves.size(); ++i) {
    store.save_wave(rollout, i, progress.waves[i]);
  }
}

}  // namespace

ExitCode rollout_resume(const Arguments& arguments) {
  const FoundRollout found = find_rollout(arguments);
  const RolloutRecord& record = found.record;
  const RolloutPlan& plan = record.plan;
  Workbench bench(arguments);
  bench.handle_signals();
  const DeploymentLock lock = lock_of(found.places, plan.name);
  refuse_another_pipeline(plan);
  Progress progress{found.store->targets(record.id), found.store->waves(record.id)};
  const std::size_t again = begin_again(plan, !arguments.retry.empty(), progress);
  if (!arguments.retry.empty() && again == 0) {
    throw Error("no environment of the rollout '" + plan.name +
                "' has failed, so there is nothing to retry; leave --retry out");
  }
  if (!may_go_on(record, progress, again)) {
    throw Error("the rollout '" + plan.name + "' has ended (" + std::string(name_of(record.state)) +
                (record.reason.empty() ? "" : ": " + record.reason) + "); " +
                (record.state == RolloutState::passed
                     ? "begin a new one with `drydock rollout run`"
                     : "retry what failed with --retry failed, or begin a new one with `drydock "
                       "rollout run`"));
  }
  const Pipeline pipeline = load_pipeline(plan.pipeline_file);
  auto sent = pipeline_for_hosts(plan, pipeline);
  const Hosts hosts(plan);
  const HostSurvey asked = survey_hosts(plan, hosts, expected_of(pipeline, bench.plugins()),
                                        waiting_targets(progress), bench.cancellation());
  require_fit(plan, asked);
  if (!arguments.json) print_host_survey(plan, asked);
  if (again > 0) save(*found.store, record.id, progress);
  if (record.state != RolloutState::running) found.store->reopen(record.id);
  return supervise(bench, *found.store, found.places, record, hosts, std::move(sent));
}

}  // namespace drydock
