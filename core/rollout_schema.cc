#include "rollout_schema.h"

#include <array>

#include "error.h"

namespace drydock {
namespace {

constexpr int schema_version = 1;

// Words and types that both databases know. Times are texts, UTC, RFC 3339; until and ended are
// milliseconds since the epoch.
constexpr std::array<const char*, 11> statements = {
    "CREATE TABLE rollout_schema (version INTEGER NOT NULL)",
    "CREATE TABLE rollouts (id BIGINT PRIMARY KEY, name TEXT NOT NULL, file TEXT NOT NULL, "
    "token TEXT NOT NULL UNIQUE, state TEXT NOT NULL, plan TEXT NOT NULL, started_by TEXT NOT "
    "NULL, "
    "host TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, exit_code INTEGER NOT "
    "NULL, reason TEXT NOT NULL)",
    "CREATE TABLE rollout_targets (rollout BIGINT NOT NULL, position INTEGER NOT NULL, wave "
    "INTEGER "
    "NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, run BIGINT NOT "
    "NULL, exit_code INTEGER NOT NULL, reason TEXT NOT NULL, started TEXT NOT NULL, finished TEXT "
    "NOT NULL, outputs TEXT NOT NULL, PRIMARY KEY (rollout, position))",
    "CREATE TABLE rollout_waves (rollout BIGINT NOT NULL, position INTEGER NOT NULL, name TEXT NOT "
    "NULL, ended BIGINT NOT NULL, gate_held INTEGER NOT NULL, gate_reason TEXT NOT NULL, "
    "passed INTEGER NOT NULL, told INTEGER NOT NULL, approved_by TEXT NOT NULL, approved_at TEXT "
    "NOT NULL, comment TEXT "
    "NOT NULL, PRIMARY KEY (rollout, position))",
    // Who carries out the rollout with this name, and until when nobody else does. Each new one has
    // a higher fence, without which it writes nothing.
    "CREATE TABLE rollout_leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, place TEXT NOT "
    "NULL, fence BIGINT NOT NULL, until BIGINT NOT NULL)",
    // As it was when a rollout last left it. place: HOST:FOLDER.
    "CREATE TABLE rollout_environments (place TEXT PRIMARY KEY, name TEXT NOT NULL, rollout TEXT "
    "NOT NULL, run BIGINT NOT NULL, version TEXT NOT NULL, images TEXT NOT NULL)",
    "CREATE TABLE rollout_runs (place TEXT NOT NULL, run BIGINT NOT NULL, environment TEXT NOT "
    "NULL, rollout TEXT NOT NULL, pipeline TEXT NOT NULL, version TEXT NOT NULL, started_by TEXT "
    "NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, state TEXT NOT NULL, exit_code "
    "INTEGER NOT NULL, reason TEXT NOT NULL, duration_ms BIGINT NOT NULL, unreachable_ms BIGINT "
    "NOT NULL, data_lost TEXT NOT NULL, PRIMARY KEY (place, run))",
    // Each joins or groups, so that PostgreSQL writes through none of them.
    "CREATE VIEW drydock_rollouts AS SELECT r.id, r.name, r.file, r.state, r.started_by, r.host, "
    "r.started, NULLIF(r.finished, '') AS finished, NULLIF(r.exit_code, -1) AS exit_code, "
    "NULLIF(r.reason, '') AS reason, COUNT(t.position) AS environments, "
    "SUM(CASE WHEN t.state = 'done' THEN 1 ELSE 0 END) AS done, "
    "SUM(CASE WHEN t.state = 'failed' THEN 1 ELSE 0 END) AS failed, "
    "SUM(CASE WHEN t.state = 'unreachable' THEN 1 ELSE 0 END) AS unreachable FROM rollouts r LEFT "
    "JOIN rollout_targets t ON t.rollout = r.id GROUP BY r.id, r.name, r.file, r.state, "
    "r.started_by, r.host, r.started, r.finished, r.exit_code, r.reason",
    "CREATE VIEW drydock_environments AS SELECT r.id AS rollout, r.name AS rollout_name, w.name AS "
    "wave, t.name AS environment, t.state, t.attempt, NULLIF(t.run, 0) AS run, "
    "NULLIF(t.exit_code, -1) AS exit_code, NULLIF(t.reason, '') AS reason, NULLIF(t.started, '') "
    "AS started, NULLIF(t.finished, '') AS finished FROM rollout_targets t JOIN rollouts r ON r.id "
    "= t.rollout JOIN rollout_waves w ON w.rollout = t.rollout AND w.position = t.wave",
    "CREATE VIEW drydock_approvals AS SELECT r.id AS rollout, r.name AS rollout_name, w.name AS "
    "wave, w.approved_by, w.approved_at, w.comment FROM rollout_waves w JOIN rollouts r ON r.id = "
    "w.rollout WHERE w.approved_at <> ''",
    "CREATE VIEW drydock_runs AS SELECT n.place, n.environment, n.run, NULLIF(n.rollout, '') AS "
    "rollout_name, n.pipeline, NULLIF(n.version, '') AS version, n.started_by, n.started, "
    "n.finished, n.state, NULLIF(n.exit_code, -1) AS exit_code, NULLIF(n.reason, '') AS reason, "
    "NULLIF(n.duration_ms, -1) AS duration_ms, NULLIF(n.unreachable_ms, -1) AS unreachable_ms, "
    "NULLIF(n.data_lost, '') AS data_lost, CASE WHEN e.run = n.run THEN 1 ELSE 0 END AS current "
    "FROM rollout_runs n LEFT JOIN rollout_environments e ON e.place = n.place",
};

void make(RolloutDatabase& database) {
  database.begin();
  try {
    if (!database.has_table("rollout_schema")) {  // else another one was quicker
      for (const char* statement : statements) database.run(statement);
      database.run("INSERT INTO rollout_schema VALUES (?)", {std::to_string(schema_version)});
    }
    database.commit();
  } catch (const DatabaseFailure&) {
    database.roll_back();
    throw;
  }
}

}  // namespace

void prepare_rollout_tables(RolloutDatabase& database) {
  if (!database.has_table("rollout_schema")) make(database);
  const auto rows = database.run("SELECT version FROM rollout_schema", {}, 1);
  const int found = rows.empty() ? 0 : std::stoi(rows[0][0]);
  if (found <= schema_version) return;
  throw Error("the database of rollouts " + database.name() + " has schema version " +
              std::to_string(found) + " and this Drydock knows " + std::to_string(schema_version) +
              "; use the newer Drydock that wrote it");
}

}  // namespace drydock
