// What is kept of environments and of their runs.
#include "rollout_rows.h"
#include "rollout_store.h"

namespace drydock {
namespace {

constexpr auto run_columns =
    "place, run, environment, rollout, pipeline, version, started_by, started, finished, state, "
    "exit_code, reason, duration_ms, unreachable_ms, data_lost";
constexpr std::size_t run_column_count = 15;

RunSummary run_in(const RolloutDatabase::Row& row) {
  Fields fields(row);
  RunSummary run;
  run.place = fields.text();
  run.run = fields.count();
  run.environment = fields.text();
  run.rollout = fields.text();
  run.pipeline = fields.text();
  run.version = fields.text();
  run.user = fields.text();
  run.started = fields.text();
  run.finished = fields.text();
  run.state = fields.text();
  run.exit_code = fields.small();
  run.reason = fields.text();
  run.duration_ms = fields.number();
  run.unreachable_ms = fields.number();
  run.data_lost = fields.text();
  return run;
}

RolloutDatabase::Values values_of(const RunSummary& run) {
  return {run.place,
          as_text(static_cast<std::int64_t>(run.run)),
          run.environment,
          run.rollout,
          run.pipeline,
          run.version,
          run.user,
          run.started,
          run.finished,
          run.state,
          as_text(std::int64_t{run.exit_code}),
          run.reason,
          as_text(run.duration_ms),
          as_text(run.unreachable_ms),
          run.data_lost};
}

}  // namespace

void RolloutStore::save_environment(const KnownEnvironment& environment) {
  run("record an environment",
      "INSERT INTO rollout_environments (place, name, rollout, run, version, images) VALUES (?, ?, "
      "?, ?, ?, ?) ON CONFLICT (place) DO UPDATE SET name = excluded.name, rollout = "
      "excluded.rollout, run = excluded.run, version = excluded.version, images = excluded.images",
      {environment.place, environment.name, environment.rollout,
       as_text(static_cast<std::int64_t>(environment.run)), environment.version,
       environment.images.dump()});
}

void RolloutStore::forget_environment(const std::string& place) {
  run("record an environment", "DELETE FROM rollout_environments WHERE place = ?", {place});
}

void RolloutStore::set_run_state(const std::string& place, std::uint64_t number,
                                 const std::string& state, int exit_code) {
  run("record a run",
      "UPDATE rollout_runs SET state = ?, exit_code = ? WHERE place = ? AND run = ?",
      {state, as_text(std::int64_t{exit_code}), place, as_text(static_cast<std::int64_t>(number))});
}

void RolloutStore::save_runs(const std::vector<RunSummary>& runs) {
  if (runs.empty()) return;
  const std::string sql =
      "INSERT INTO rollout_runs (" + std::string(run_columns) +
      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (place, run) DO UPDATE "
      "SET state = excluded.state, exit_code = excluded.exit_code, reason = excluded.reason, "
      "finished = excluded.finished, rollout = CASE WHEN excluded.rollout = '' THEN "
      "rollout_runs.rollout ELSE excluded.rollout END, version = CASE WHEN excluded.version = '' "
      "THEN rollout_runs.version ELSE excluded.version END, duration_ms = CASE WHEN "
      "rollout_runs.duration_ms < 0 THEN excluded.duration_ms ELSE rollout_runs.duration_ms END, "
      "unreachable_ms = CASE WHEN excluded.unreachable_ms < 0 THEN rollout_runs.unreachable_ms "
      "ELSE excluded.unreachable_ms END, data_lost = CASE WHEN excluded.data_lost = '' THEN "
      "rollout_runs.data_lost ELSE excluded.data_lost END";
  persist("record a run", [&] {
    const bool several = runs.size() > 1;
    if (several) database_->begin();
    try {
      for (const RunSummary& each : runs) database_->run(sql, values_of(each));
      if (several) database_->commit();
    } catch (const DatabaseFailure&) {
      if (several) database_->roll_back();
      throw;
    }
    return 0;
  });
}

std::optional<KnownEnvironment> RolloutStore::environment(const std::string& place) const {
  return persist("read an environment", [&]() -> std::optional<KnownEnvironment> {
    const auto rows = database_->run(
        "SELECT name, rollout, run, version, images FROM rollout_environments WHERE place = ?",
        {place}, 5);
    if (rows.empty()) return std::nullopt;
    Fields fields(rows[0]);
    KnownEnvironment known;
    known.place = place;
    known.name = fields.text();
    known.rollout = fields.text();
    known.run = fields.count();
    known.version = fields.text();
    known.images = fields.document();
    return known;
  });
}

std::vector<RunSummary> RolloutStore::runs(const std::string& environment,
                                           const std::string& since) const {
  return persist("read the runs", [&] {
    std::vector<RunSummary> runs;
    for (const Row& row :
         database_->run("SELECT " + std::string(run_columns) +
                            " FROM rollout_runs WHERE (? = '' OR environment = ?) AND started >= ? "
                            "ORDER BY started DESC, place, run DESC",
                        {environment, environment, since}, run_column_count)) {
      runs.push_back(run_in(row));
    }
    return runs;
  });
}

}  // namespace drydock
