// resume: goes on with a run that was interrupted or stopped.
#include <algorithm>

#include "claim.h"
#include "commands.h"
#include "consent.h"
#include "plan_record.h"
#include "prepared_session.h"
#include "recovery.h"
#include "runner.h"
#include "sent_pipeline.h"
#include "text.h"

namespace drydock {
namespace {

void refuse_what_cannot_go_on(const RunRecord& run, const std::string& dir, const StateDir& state) {
  const std::string number = std::to_string(run.id);
  const std::string roll_back = command_for(dir, state.path(), "rollback " + number);
  if (run.state == RunState::rolling_back) {
    throw Error("run " + number + " was interrupted while it was being rolled back; finish that " +
                "with: " + roll_back);
  }
  if (run.state == RunState::needs_person) {
    throw Error("run " + number + " was rolled back, but not wholly; mend what `drydock show " +
                number + "` names, then repeat: " + roll_back);
  }
  if (run.state != RunState::running && run.state != RunState::stopped) {
    throw Error("run " + number + " has ended (" + state_in_words(run, false) + ", " +
                run.finished + "), so there is nothing to go on with; start a new one with " +
                "`drydock run`");
  }
  if (run.inputs.empty()) {
    throw Error("run " + number +
                " was of a single stage without a pipeline file, or a rehearsal, and cannot go " +
                "on; put it back with: " + roll_back + ", then run it again");
  }
}

// Its plan may not have been journaled whole.
void refuse_before_the_first_stage(const RunRecord& run, const std::vector<StageRecord>& records,
                                   const std::string& dir, const StateDir& state) {
  const bool begun = std::any_of(records.begin(), records.end(),
                                 [](const StageRecord& stage) { return stage.attempt > 0; });
  if (begun) return;
  throw Error("run " + std::to_string(run.id) + " was interrupted before its first stage, and " +
              "nothing was changed; close it with: " +
              command_for(dir, state.path(), "rollback " + std::to_string(run.id)) +
              ", then start a new one");
}

void refuse_after_changes(Workbench& bench, const std::vector<std::string>& changed,
                          const RunRecord& run, const std::string& dir, const StateDir& state) {
  if (changed.empty()) return;
  if (bench.arguments().force) {
    for (const std::string& one : changed) {
      bench.events().emit("warning", {{"text", one + "; going on all the same (--force)"}});
    }
    return;
  }
  throw Error("run " + std::to_string(run.id) +
                  " cannot go on as it was planned: " + first_of(changed) +
                  "; put that back as it was, go on with --force, or put everything back with: " +
                  command_for(dir, state.path(), "rollback " + std::to_string(run.id)),
              ExitCode::refused, all_but_first_of(changed));
}

// Its notes are there already, and only that version of its plugin reads them.
void refuse_other_notes(const Plan& plan, const std::vector<StageRecord>& records,
                        const RunRecord& run) {
  for (const PlannedStage& stage : plan.stages) {
    const StageRecord& record = records[static_cast<std::size_t>(stage.identity.position)];
    const std::uint32_t version = stage.type->description.notes_version;
    if (stage.ended || record.attempt == 0 || version == record.notes_version) continue;
    throw Error("stage '" + record.key + "' of run " + std::to_string(run.id) +
                " has written notes of version " + std::to_string(record.notes_version) + ", and " +
                stage.type->plugin_file + " reads version " + std::to_string(version) +
                "; install " + record.plugin_id + " " + record.plugin_version + " again");
  }
}

// One that is missing is said before anything is changed; and what a log must not show is known.
void read_secrets(Session& session, const std::vector<StageRecord>& records, const RunRecord& run) {
  Scope scope;
  scope.vars = run.vars;
  scope.secret = [&session](const std::string& name) { return session.secrets.get(name); };
  for (const StageRecord& record : records) resolve_secret_texts(record.secret_texts, scope);
}

}  // namespace

ExitCode command_resume(const Arguments& arguments) {
  Claim claim(arguments);
  const Lookup& lookup = claim.lookup;
  Workbench& bench = claim.bench;
  Journal& journal = claim.journal;
  const RunRecord run = lookup.run(arguments);
  refuse_run_of_another_deployment(run, lookup.dir, lookup.state,
                                   "resume " + std::to_string(run.id));
  refuse_what_cannot_go_on(run, lookup.dir, lookup.state);
  if (const auto newer = journal.last_standing_run(); newer && newer->id > run.id) {
    throw Error("run " + std::to_string(newer->id) + " came after run " + std::to_string(run.id) +
                ", which cannot go on beneath it: roll back run " + std::to_string(newer->id) +
                " first");
  }

  const std::vector<StageRecord> records = journal.stages(run.id);
  refuse_before_the_first_stage(run, records, lookup.dir, lookup.state);

  PreparedSession prepared(
      bench, load_pipeline_of_run(run.inputs.front().path, lookup.state, lookup.dir), run);
  Session& session = prepared.session();
  Plan plan = Planner(session).laid_out();
  restore(plan, session, journal, run);
  refuse_after_changes(bench, changed_since(plan, run, records), run, lookup.dir, lookup.state);
  refuse_other_notes(plan, records, run);
  read_secrets(session, records, run);
  if (!arguments.yes &&
      !person_agrees("Go on with run " + std::to_string(run.id) + " (" + run.pipeline + ", " +
                         run.started + ") in " + lookup.dir + "?",
                     bench.cancellation())) {
    throw Error("not confirmed; nothing was changed");
  }
  end_dead_workers(journal, run.id, bench.events());
  const ExitCode code = Runner(session, journal).resume(std::move(plan), run);
  bench.print_document();
  return code;
}

}  // namespace drydock
