// plan, run and rollback: the commands that work on a deployment.
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "commands.h"
#include "detached_run.h"
#include "ending.h"
#include "follow.h"
#include "recovery.h"
#include "rollback_plugin.h"
#include "runner.h"
#include "workbench.h"

namespace drydock {
namespace {

using nlohmann::json;

void print_document(const Workbench& bench) {
  if (!bench.arguments().json) return;
  std::cout << bench.document().dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

// Nothing is asked without a terminal: then consent is --yes.
void require_consent_possible(const Arguments& arguments) {
  if (arguments.yes || (::isatty(STDIN_FILENO) != 0 && !arguments.json && !arguments.events))
    return;
  throw Error(arguments.command +
              " asks before it changes anything, and there is no terminal to ask on; add --yes");
}

bool person_agrees(const std::string& question, const Cancellation& cancellation) {
  std::cout << question << " [y/N] " << std::flush;
  // Ctrl-C is an answer, too.
  std::array<pollfd, 2> heard{pollfd{STDIN_FILENO, POLLIN, 0},
                              pollfd{cancellation.fd(), POLLIN, 0}};
  while (::poll(heard.data(), heard.size(), -1) < 0 && errno == EINTR) {
  }
  if (cancellation.requested()) {
    std::cout << "\n";
    throw Error("cancelled; nothing was changed", ExitCode::cancelled);
  }
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// Null: nothing was ever run.
std::unique_ptr<Journal> existing_journal(const StateDir& state) {
  if (::access(state.journal().c_str(), F_OK) == 0) {
    return std::make_unique<Journal>(state.journal());
  }
  if (errno != EACCES) return nullptr;
  throw Error("the journal " + state.journal() + " cannot be read (" + std::strerror(errno) +
              "); run drydock as the user who owns it");
}

void refuse_after_interruption(const Arguments& arguments, const std::string& dir) {
  const StateDir state = state_of(arguments, dir);
  const auto journal = existing_journal(state);
  if (!journal) return;
  if (const auto interrupted = interrupted_run(*journal, state)) {
    throw Error(describe_interruption(*journal, *interrupted, dir, state), ExitCode::busy);
  }
}

// A person may have mended by hand what a run left, so this stops nobody.
void warn_of_half_done(Workbench& bench, PreparedSession& prepared, const Journal& journal) {
  const std::string left =
      describe_half_done(journal, prepared.session().deployment.dir, prepared.state());
  if (!left.empty()) bench.events().emit("warning", {{"text", left}});
}

// `.env` as it is, or nothing of it: what the run made of it may be what has to be put back.
std::map<std::string, std::string> readable_dot_env(const std::string& dir, Events& events) {
  try {
    return evaluate_dot_env(dir + "/.env");
  } catch (const Error& e) {
    events.emit("warning", {{"text", e.what()}});
    return {};
  }
}

std::uint64_t run_number(const std::string& text) {
  if (text.empty() || text.size() > 9 ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    throw Error("found '" + text +
                "' where the number of a run is needed; `drydock history` lists them");
  }
  return std::stoull(text);
}

// The run that `rollback` means: the one named, else the newest that is not finished well.
RunRecord run_to_roll_back(const Journal& journal, const Arguments& arguments,
                           const std::string& dir) {
  std::optional<RunRecord> run;
  if (!arguments.positional.empty()) {
    run = journal.run(run_number(arguments.positional.front()));
    if (!run) {
      throw Error("there is no run " + arguments.positional.front() + " of " + dir +
                  "; `drydock history` lists them");
    }
  } else {
    run = journal.last_run();
    if (!run) throw Error("nothing was ever run on " + dir + ", so there is nothing to roll back");
  }
  const std::string obstacle = obstacle_to_rollback(journal, *run);
  if (!obstacle.empty()) throw Error(obstacle);
  return *run;
}

// A finished run has been in use since: what was written after its dump is lost, and that needs a
// word of its own.
void require_consent_to_roll_back(const Arguments& arguments, const RunRecord& run,
                                  const std::string& dir, const Cancellation& cancellation) {
  const std::string number = std::to_string(run.id);
  const bool in_use_since = run.state == RunState::done;
  const std::string loss =
      "Everything that was written into its databases since (" + run.finished + ") is lost";
  if (!arguments.yes) {
    if (!person_agrees("Put back everything that run " + number + " (" + run.pipeline + ", " +
                           run.started + ") changed in " + dir + "?" +
                           (in_use_since ? " It finished well. " + loss + "." : ""),
                       cancellation)) {
      throw Error("not confirmed; nothing was changed");
    }
  } else if (in_use_since && !arguments.accept_loss) {
    throw Error("run " + number + " finished well. " + loss +
                " when it is rolled back; add --accept-loss to go on");
  }
}

}  // namespace

ExitCode command_plan(const Arguments& arguments) {
  Workbench bench(arguments);
  bench.handle_signals();
  PreparedSession prepared(bench, find_pipeline(arguments, bench.installation()),
                           PreparedSession::Lock::none);
  if (const auto journal = existing_journal(prepared.state())) {
    warn_of_half_done(bench, prepared, *journal);
    if (const auto interrupted = interrupted_run(*journal, prepared.state())) {
      bench.events().emit(
          "warning",
          {{"text", describe_interruption(*journal, *interrupted, prepared.session().deployment.dir,
                                          prepared.state())}});
    }
  }
  Planner(prepared.session()).plan(arguments.fetch);
  print_document(bench);
  return ExitCode::done;
}

namespace {

// A key that a run has already: that run is shown, and no other one started.
std::optional<std::uint64_t> run_with_key(const Arguments& arguments, const StateDir& state) {
  const auto journal = arguments.key.empty() ? nullptr : existing_journal(state);
  const auto run = journal ? journal->run_with_key(arguments.key) : std::nullopt;
  return run ? std::optional(run->id) : std::nullopt;
}

ExitCode say_detached(const Arguments& arguments, const std::string& dir, const StateDir& state,
                      std::uint64_t run, bool known) {
  if (arguments.json) {
    std::cout << json{{"run", run}, {"known", known}}.dump(2) << "\n";
  } else if (!arguments.events) {
    std::cout << "\nRun " << run
              << (known ? " has this key already" : " has started and goes on by itself")
              << "; see: " << command_for(dir, state.path(), "attach " + std::to_string(run))
              << "\n";
  }
  return ExitCode::done;
}

ExitCode run_detached(const Arguments& arguments, const std::string& dir, const StateDir& state) {
  Workbench bench(arguments);
  const DetachedRun started = start_detached(arguments, bench.sink());
  if (started.run != 0) return say_detached(arguments, dir, state, started.run, false);
  // Another one with the same key may have been quicker.
  if (const auto run = run_with_key(arguments, state)) {
    return say_detached(arguments, dir, state, *run, true);
  }
  std::cerr << started.said;
  return started.code;
}

}  // namespace

ExitCode command_run(const Arguments& arguments) {
  // First of all: what a killed run left behind may be why anything else cannot be prepared.
  refuse_after_interruption(arguments, deployment_dir(arguments.directory, {}));
  require_consent_possible(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  Pipeline pipeline = find_pipeline(arguments, bench.installation());
  const std::string dir = deployment_dir(arguments.directory, pipeline.deployment);
  const StateDir own_state = state_of(arguments, dir);
  if (const auto run = run_with_key(arguments, own_state)) {
    if (arguments.detach) return say_detached(arguments, dir, own_state, *run, true);
    Arguments named = arguments;
    named.positional = {std::to_string(*run)};
    named.directory = dir;
    return attach_to(Lookup(named), *run, bench.cancellation(), bench.sink());
  }
  refuse_after_interruption(arguments, dir);
  if (arguments.detach) return run_detached(arguments, dir, own_state);
  PreparedSession prepared(bench, std::move(pipeline), PreparedSession::Lock::taken);
  Session& session = prepared.session();
  const StateDir& state = prepared.state();
  Journal journal(state.journal());
  if (const auto interrupted = journal.unfinished_run()) {
    throw Error(describe_interruption(journal, *interrupted, session.deployment.dir, state),
                ExitCode::busy);
  }
  if (const auto same_key = journal.run_with_key(arguments.key)) {
    throw Error("run " + std::to_string(same_key->id) + " has begun with the key " + arguments.key +
                    " meanwhile; `drydock attach " + std::to_string(same_key->id) + "` shows it",
                ExitCode::busy);
  }

  warn_of_half_done(bench, prepared, journal);
  Planner planner(session);
  Plan plan = planner.plan(true);
  if (!arguments.yes) {
    if (!person_agrees("\nGo ahead?", bench.cancellation()))
      throw Error("not confirmed; nothing was changed");
    // While a person was reading, the world may have moved on.
    const std::vector<std::string> stale = planner.stale_facts(plan);
    if (!stale.empty()) {
      throw Error("the plan is stale: " + stale.front() +
                  (stale.size() > 1 ? " (and " + std::to_string(stale.size() - 1) + " more)" : "") +
                  "; nothing was changed, plan again");
    }
  }
  const ExitCode code = Runner(session, journal).run(std::move(plan));
  print_document(bench);
  return code;
}

ExitCode command_rollback(const Arguments& arguments) {
  require_consent_possible(arguments);
  const std::string dir = deployment_dir(arguments.directory, {});
  const StateDir state = state_of(arguments, dir);
  if (!state.exists())
    throw Error("nothing was ever run on " + dir + ", so there is nothing to roll back");
  Workbench bench(arguments);
  bench.handle_signals();
  const DeploymentLock lock(state, bench.patience());
  Journal journal(state.journal());
  const RunRecord run = run_to_roll_back(journal, arguments, dir);
  const std::string number = std::to_string(run.id);
  require_consent_to_roll_back(arguments, run, dir, bench.cancellation());

  // Everything from the journal: the pipeline file may be gone by now.
  Deployment deployment = deployment_from_json(run.deployment);
  deployment.model_before = state.model_before(run.id);
  if (::access(deployment.model_before.c_str(), R_OK) != 0) deployment.model_before.clear();
  const std::map<std::string, std::string> env = readable_dot_env(dir, bench.events());
  mask_env(env, bench.masker());
  SecretStore secrets(secret_sources_from_json(run.secret_sources), env, bench.masker());
  Scope scope;
  scope.vars = run.vars;
  scope.env = scope.before_env = env;
  scope.secret = [&secrets](const std::string& name) { return secrets.get(name); };

  make_private_dir(state.logs(run.id));
  bench.events().set_run(run.id, last_seq_of(state.logs(run.id)));
  const std::unique_ptr<EventSink> log = make_run_log(state.logs(run.id));
  bench.events().add(*log);
  end_dead_workers(journal, run.id, bench.events());
  const auto began = std::chrono::steady_clock::now();
  const bool interrupted = run.state == RunState::running || run.state == RunState::rolling_back;
  const bool finished_well = run.state == RunState::done;
  const std::string reason = interrupted     ? "run " + number + " was interrupted"
                             : finished_well ? "run " + number + " is undone on request"
                                             : run.reason;
  journal.set_run_state(run.id, RunState::rolling_back, run.failed_stage, run.failed_step, reason);
  RollbackPlugins plugins(bench.plugin_folders(), bench.worker());
  const RollbackReport report =
      Rollback(journal, bench.worker(), bench.events(), bench.masker(), state, deployment, scope,
               [&plugins](const StageRecord& stage) { return plugins.file_for(stage); })
          .whole_run(run.id, reason);

  Ending ending = rolled_back_ending(report, false);
  if (report.verified()) {
    ending.code = ExitCode::done;
    // The files are those of before again, and so the snapshot that counts is the one of before.
    std::error_code ignored;
    std::filesystem::remove_all(state.snapshots() + "/" + number, ignored);
  }
  ending.failed_stage = run.failed_stage;
  ending.failed_step = run.failed_step;
  ending.reason = reason;
  if (interrupted) {
    ending.data_lost = "none, unless the application wrote something after the interruption";
  }
  if (finished_well) ending.data_lost = "what was written into the databases since " + run.finished;
  ending.duration = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  finish_run(journal, bench.events(), deployment, state, run.id, ending);
  bench.events().remove(*log);
  print_document(bench);
  return ending.code;
}

}  // namespace drydock
