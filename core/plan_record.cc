#include "plan_record.h"

#include <algorithm>
#include <map>

#include "error.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

void refuse_other_stages(const Plan& plan, const std::vector<StageRecord>& records,
                         const std::string& run, const std::string& pipeline) {
  std::vector<std::string> were, are;
  for (const StageRecord& record : records) were.push_back(record.key + " (" + record.uses + ")");
  for (const PlannedStage& stage : plan.stages) {
    are.push_back(stage.identity.key + " (" + stage.type->description.name + ")");
  }
  if (were == are) return;
  throw Error("run " + run + " has the stages " + join(were, ", ") + ", and " + pipeline +
              " has now " + join(are, ", ") +
              "; put the pipeline back as it was, or roll back run " + run);
}

// To put such a stage back again would undo what later stages have done since.
void refuse_unclean_stages(const std::vector<StageRecord>& records, const RunRecord& run) {
  for (auto stage = records.begin(); stage != records.end(); ++stage) {
    const bool undone =
        stage->state == StageState::rolled_back || stage->state == StageState::settled;
    const bool went_on = std::any_of(stage + 1, records.end(), [](const StageRecord& later) {
      return later.attempt > 0 && !later.final;
    });
    if (!undone || !went_on) continue;
    throw Error("stage '" + stage->key + "' of run " + std::to_string(run.id) +
                " could not be put back whole before later stages began (" + stage->reason +
                "); roll back the run instead");
  }
}

// What an interrupted or ended stage of the run still has to do.
void restore_stage(PlannedStage& stage, const StageRecord& record) {
  using State = PlannedStage::State;
  stage.attempts = record.attempt;
  stage.ended = record.state == StageState::done || record.state == StageState::skipped ||
                record.state == StageState::put_back_alone;
  const bool undone = record.state == StageState::failed ||
                      record.state == StageState::rolled_back ||
                      record.state == StageState::settled;
  if (undone && stage.spec->continue_on_failure) stage.failed_before = record.reason;
  stage.inputs = record.inputs;
  stage.resolved = !record.options.is_null();
  // One that was not begun is planned again: its plan may have waited for what is known by now.
  stage.state = record.state == StageState::skipped ? State::skipped
                : record.attempt > 0                ? State::planned
                                                    : State::unknown;
  if (!stage.resolved) return;
  stage.options.values = record.options;
  stage.options.secret_texts = record.secret_texts;
}

std::string said_of(const std::string& what, const std::string& path, const std::string& before,
                    const std::string& now) {
  const std::string gone = now == "absent" ? "is gone" : "has SHA-256 " + now.substr(0, 12) + "...";
  return what + " " + path + " had SHA-256 " + before.substr(0, 12) + "... and " + gone;
}

}  // namespace

RunRecord record_of(const Session& session) {
  RunRecord record;
  record.key = session.key;
  record.pipeline = session.pipeline.name;
  record.pipeline_file = session.pipeline.file;
  record.pipeline_sha256 = session.pipeline.sha256;
  record.user = user_name();
  record.host = host_name();
  record.started = utc_now();
  record.vars = session.vars;
  record.secret_sources = to_json(session.pipeline.secrets);
  record.deployment = to_json(session.deployment);
  record.deployment["promoted"] = session.promoted;
  record.inputs = session.inputs;
  return record;
}

StageRecord record_of(const PlannedStage& stage, const std::string& plugin_sha256) {
  StageRecord record;
  record.position = stage.identity.position;
  record.key = stage.identity.key;
  record.name = stage.identity.name;
  record.uses = stage.type->description.name;
  record.plugin_file = stage.type->plugin_file;
  record.plugin_id = stage.type->plugin_id;
  record.plugin_version = stage.type->plugin_version;
  record.plugin_sha256 = plugin_sha256;
  record.notes_version = stage.type->description.notes_version;
  record.options = stage.resolved ? stage.options.values : nlohmann::json();
  record.secret_texts = stage.options.secret_texts;
  for (Step step : all_steps) {
    if (stage.resolved && stage.has(step)) record.steps.push_back(step);
  }
  record.final = stage.final;
  record.rollback_timeout_ms = stage.spec->rollback_timeout.value_or(milliseconds(0)).count();
  record.memory_limit = stage.spec->memory_limit;
  record.inputs = stage.inputs;
  for (const PlannedChange& change : stage.changes) {
    if (!change.rollback_loses.empty()) record.loses.push_back(change.rollback_loses);
  }
  return record;
}

std::vector<StageRecord> records_of(const Plan& plan) {
  std::vector<StageRecord> records;
  std::map<std::string, std::string> digests;
  for (const PlannedStage& stage : plan.stages) {
    std::string& digest = digests[stage.type->plugin_file];
    if (digest.empty()) digest = stage.type->sha256();
    records.push_back(record_of(stage, digest));
  }
  return records;
}

void restore(Plan& plan, Session& session, const Journal& journal, const RunRecord& run) {
  const std::vector<StageRecord> records = journal.stages(run.id);
  refuse_other_stages(plan, records, std::to_string(run.id), session.pipeline.file);
  refuse_unclean_stages(records, run);
  for (PlannedStage& stage : plan.stages) {
    const int position = stage.identity.position;
    restore_stage(stage, records[static_cast<std::size_t>(position)]);
    stage.facts = journal.facts(run.id, position, Moment::before);
    stage.observed = !stage.facts.empty();
    stage.facts_when_begun = journal.facts(run.id, position, Moment::when_begun);
    if (!stage.ended) continue;
    auto& outputs = session.outputs[stage.spec->id];  // a skipped stage's are defined, and empty
    for (const Output& output : journal.outputs(run.id, position)) {
      outputs[output.name] = Value{output.value, "", false};
    }
  }
}

std::vector<std::string> changed_since(const Plan& plan, const RunRecord& run,
                                       const std::vector<StageRecord>& records) {
  std::vector<std::string> changed;
  const auto compare = [&](const std::string& what, const Input& input) {
    const std::string now = digest_of(input.path);
    if (now != input.digest) changed.push_back(said_of(what, input.path, input.digest, now));
  };
  for (const Input& input : run.inputs) compare("the file", input);
  for (const PlannedStage& stage : plan.stages) {
    const StageRecord& record = records[static_cast<std::size_t>(stage.identity.position)];
    if (stage.ended) continue;
    const std::string plugin = stage.type->sha256();
    if (plugin != record.plugin_sha256) {
      changed.push_back(said_of("the plugin of stage '" + record.key + "'", stage.type->plugin_file,
                                record.plugin_sha256, plugin));
    }
    for (const Input& input : stage.inputs) {
      // What the run itself is still to write is not there yet.
      const bool there =
          input.written_by < 0 || plan.stages.at(static_cast<std::size_t>(input.written_by)).ended;
      if (there) compare("stage '" + record.key + "' reads", input);
    }
  }
  return changed;
}

std::string what_is_lost(const std::vector<StageRecord>& records) {
  std::string lost;
  for (const StageRecord& record : records) {
    if (record.attempt == 0) continue;
    for (const std::string& one : record.loses) lost += (lost.empty() ? "" : "; ") + one;
  }
  return lost;
}

}  // namespace drydock
