// plan and run.
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "commands.h"
#include "consent.h"
#include "detached_run.h"
#include "follow.h"
#include "json_text.h"
#include "named_pipeline.h"
#include "prepared_session.h"
#include "recovery.h"
#include "run_pipeline.h"
#include "runner.h"
#include "saved_plan.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

// Null: nothing was ever run.
std::unique_ptr<Journal> existing_journal(const StateDir& state) {
  if (::access(state.journal().c_str(), F_OK) == 0) {
    return std::make_unique<Journal>(state.journal());
  }
  if (errno != EACCES) return nullptr;
  throw Error("the journal " + state.journal() + " cannot be read (" + std::strerror(errno) +
              "); run drydock as the user who owns it");
}

// What a killed run left behind may be why a new one cannot be prepared, and is the thing to say
// then. A run that could be prepared is refused when it holds the lock.
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

}  // namespace

ExitCode command_plan(const Arguments& arguments) {
  if (arguments.of_rollback) return command_plan_rollback(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  bench.worker().prepare();
  const TemporaryDir place;  // of a pipeline that was sent
  PreparedSession prepared(bench,
                           is_sent_pipeline(arguments)
                               ? received_pipeline(bench, place.path())
                               : find_pipeline(arguments, bench.installation()),
                           PreparedSession::Lock::none);
  if (const auto journal = existing_journal(prepared.state())) {
    refuse_state_of_another_deployment(*journal, prepared.session().deployment.dir,
                                       prepared.state());
    warn_of_half_done(bench, prepared, *journal);
    if (const auto interrupted = interrupted_run(*journal, prepared.state())) {
      bench.events().emit(
          "warning",
          {{"text", describe_interruption(*journal, *interrupted, prepared.session().deployment.dir,
                                          prepared.state())}});
    }
  }
  if (!arguments.plan_file.empty()) prepared.state().create();  // for the key of fingerprints
  const Plan plan = Planner(prepared.session()).plan(arguments.fetch);
  if (!arguments.plan_file.empty()) {
    save_plan(prepared.session(), plan, arguments.fetch, arguments.plan_file);
  }
  bench.print_document();
  return ExitCode::done;
}

namespace {

// What it was to do is done or was put back, and what it left is not known any more: it is for a
// person to say whether it has to be done again.
void refuse_key_of_removed_run(const Journal& journal, const std::string& key) {
  const auto removed = journal.removed_run_with_key(key);
  if (!removed) return;
  throw Error("run " + std::to_string(removed->id) + " had the key '" + key + "' (" +
                  removed->state +
                  "), and was removed from the history since; no other one is begun with it: look "
                  "whether the deployment is as it should be, and where it is not use another key",
              ExitCode::needs_person);
}

// A key that a run has already: that run is shown, and no other one started.
std::optional<std::uint64_t> run_with_key(const Arguments& arguments, const StateDir& state) {
  const auto journal = arguments.key.empty() ? nullptr : existing_journal(state);
  const auto run = journal ? journal->run_with_key(arguments.key) : std::nullopt;
  if (run) return run->id;
  if (journal) refuse_key_of_removed_run(*journal, arguments.key);
  return std::nullopt;
}

// Who holds the lock for the same key.
std::optional<DeploymentLock::Holder> is_planned_by_another(const Arguments& arguments,
                                                            const StateDir& state) {
  if (arguments.key.empty()) return std::nullopt;
  auto holder = DeploymentLock::held(state);
  return holder && holder->key == arguments.key ? holder : std::nullopt;
}

// A run that has the key, also one that another process is still planning: that is waited for,
// until it has begun its run or leaves it to this one.
std::optional<std::uint64_t> run_with_key_at_last(Workbench& bench, const StateDir& state) {
  constexpr int look_again_ms = 100;
  const Arguments& arguments = bench.arguments();
  for (bool told = false;; told = true) {
    const auto planning = is_planned_by_another(arguments, state);
    // Looked for second: whoever has begun its run since is found here.
    const auto run = run_with_key(arguments, state);
    if (run || !planning) return run;
    if (!told) {
      bench.events().emit("warning", {{"text", "process " + std::to_string(planning->pid) + " of " +
                                                   planning->user + " (since " + planning->since +
                                                   ") plans the run '" + arguments.key +
                                                   "'; waiting until it begins"}});
    }
    pollfd cancelled{bench.cancellation().fd(), POLLIN, 0};
    if (::poll(&cancelled, 1, look_again_ms) > 0) {
      throw Error("cancelled while another process planned the run '" + arguments.key +
                      "'; nothing was changed",
                  ExitCode::cancelled);
    }
  }
}

// A run that another process performs, as `run` shows it.
ExitCode show_other_run(Workbench& bench, const std::string& dir, std::uint64_t run) {
  Arguments named = bench.arguments();
  named.directory = dir;
  const Lookup lookup(named);
  const auto code = attach_to(lookup, run, bench.cancellation(), bench.sink());
  bench.print_document();
  if (code) return *code;
  const std::string number = std::to_string(run);
  throw Error("run " + number + " goes on; `" +
                  command_for(dir, lookup.state.path(), "attach " + number) +
                  "` shows it again, `" +
                  command_for(dir, lookup.state.path(), "cancel " + number) + "` cancels it",
              ExitCode::busy);
}

ExitCode say_detached(const Arguments& arguments, const std::string& dir, const StateDir& state,
                      std::uint64_t run, bool known) {
  if (arguments.json) {
    std::cout << indented({{"run", run}, {"known", known}});
  } else if (!arguments.events) {
    std::cout << "\nRun " << run
              << (known ? " has this key already" : " has started and goes on by itself")
              << "; see: " << command_for(dir, state.path(), "attach " + std::to_string(run))
              << "\n";
  }
  return ExitCode::done;
}

std::optional<SavedPlan> saved_plan_of(const Arguments& arguments) {
  if (arguments.plan_file.empty()) return std::nullopt;
  return load_saved_plan(arguments.plan_file);
}

// Before anything looks at it, or makes a folder in it.
void refuse_another_deployment(const SavedPlan& saved, const std::string& dir) {
  if (saved.deployment == dir) return;
  throw Error("the plan " + saved.file + " is of the deployment " + saved.deployment +
              ", and this is " + dir + "; name that one with -C");
}

void refuse_another_plan(const SavedPlan& saved, const json& now) {
  const std::vector<std::string> other = differences(saved.document, now);
  if (other.empty()) return;
  throw Error("the plan " + saved.file + " no longer holds: " + first_of(other) +
                  "; nothing was changed, plan again",
              ExitCode::refused, all_but_first_of(other));
}

ExitCode run_detached(Workbench& bench, const std::string& dir, const StateDir& state) {
  const Arguments& arguments = bench.arguments();
  // What was read of our standard input already, as far as a pipeline came with it.
  const std::string* input = is_sent_pipeline(arguments) ? &bench.given().text : nullptr;
  const DetachedRun started = start_detached(arguments, input, bench.sink(), bench.cancellation());
  if (started.run != 0) return say_detached(arguments, dir, state, started.run, false);
  // Another one with the same key may have been quicker.
  if (const auto run = run_with_key(arguments, state); run && started.code == ExitCode::busy) {
    return say_detached(arguments, dir, state, *run, true);
  }
  throw Error(started.said, started.code, started.details);
}

}  // namespace

ExitCode run_pipeline(Workbench& bench, const Pipeline& pipeline, const SavedPlan* saved) {
  const Arguments& arguments = bench.arguments();
  const std::string dir = deployment_dir(arguments.directory, pipeline.deployment);
  if (saved != nullptr) refuse_another_deployment(*saved, dir);
  // Else that run would be shown as one that goes on.
  if (!arguments.key.empty()) refuse_after_interruption(arguments, dir);
  if (!arguments.detach) bench.worker().prepare();
  const StateDir state = state_of(arguments, dir);
  std::optional<PreparedSession> prepared;
  while (!prepared) {
    if (const auto run = run_with_key_at_last(bench, state)) {
      if (arguments.detach) return say_detached(arguments, dir, state, *run, true);
      return show_other_run(bench, dir, *run);
    }
    if (arguments.detach) return run_detached(bench, dir, state);
    try {
      prepared.emplace(bench, pipeline, PreparedSession::Lock::taken, saved);
    } catch (const Error& e) {
      // One with the same key was quicker to take the lock.
      if (e.code() == ExitCode::busy && is_planned_by_another(arguments, state)) continue;
      refuse_after_interruption(arguments, dir);
      throw;
    }
  }
  Session& session = prepared->session();
  Journal journal(state.journal());
  journal.check();
  refuse_state_of_another_deployment(journal, dir, state);
  // A removal of old runs may have taken it away while this one waited for the lock.
  if (is_sent_pipeline(arguments)) keep_pipeline(*bench.given().pipeline, state);
  if (const auto interrupted = journal.unfinished_run()) {
    throw Error(describe_interruption(journal, *interrupted, session.deployment.dir, state),
                ExitCode::busy);
  }
  // While this one waited for the lock.
  if (const auto same_key = journal.run_with_key(arguments.key)) {
    prepared.reset();
    return show_other_run(bench, dir, same_key->id);
  }
  refuse_key_of_removed_run(journal, arguments.key);

  warn_of_half_done(bench, *prepared, journal);
  Planner planner(session);
  Plan plan = planner.plan(saved != nullptr ? saved->fetched : true);
  require_whole_way_back(arguments, plan);
  if (saved != nullptr) {
    refuse_another_plan(*saved, to_document(session, plan, saved->fetched));
  } else if (!arguments.yes) {
    if (!person_agrees("\nGo ahead?", bench.cancellation()))
      throw Error("not confirmed; nothing was changed");
    // While a person was reading, the world may have moved on.
    const std::vector<std::string> stale = planner.stale_facts(plan);
    if (!stale.empty()) {
      throw Error("the plan is stale: " + first_of(stale) + "; nothing was changed, plan again",
                  ExitCode::refused, all_but_first_of(stale));
    }
  }
  const ExitCode code = Runner(session, journal).run(std::move(plan));
  bench.print_document();
  return code;
}

namespace {

// Whoever performs the run keeps the pipeline with the deployment, so that it can be gone on with.
ExitCode run_sent_pipeline(Workbench& bench) {
  const TemporaryDir place;
  const Pipeline pipeline = received_pipeline(bench, place.path());
  if (bench.arguments().detach) return run_pipeline(bench, pipeline, nullptr);
  const std::string dir = deployment_dir(bench.arguments().directory, pipeline.deployment);
  const StateDir state = state_of(bench.arguments(), dir);
  state.create();
  const std::string kept = keep_pipeline(*bench.given().pipeline, state);
  return run_pipeline(bench, load_pipeline_of_run(kept, state, dir), nullptr);
}

}  // namespace

ExitCode command_run(const Arguments& arguments) {
  const std::string dir = deployment_dir(arguments.directory, {});
  Workbench bench(arguments);
  bench.handle_signals();
  if (is_sent_pipeline(arguments)) {
    refuse_after_interruption(arguments, dir);
    require_consent_possible(arguments);
    return run_sent_pipeline(bench);
  }
  std::optional<SavedPlan> saved;
  std::optional<Pipeline> pipeline;
  try {
    require_consent_possible(arguments);
    saved = saved_plan_of(arguments);
    pipeline = saved ? load_pipeline(saved->pipeline_file)
                     : find_pipeline(arguments, bench.installation());
  } catch (const Error&) {
    refuse_after_interruption(arguments, dir);
    throw;
  }
  return run_pipeline(bench, *pipeline, saved ? &*saved : nullptr);
}

}  // namespace drydock
