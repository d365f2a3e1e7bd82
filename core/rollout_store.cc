#include "rollout_store.h"

#include <array>
#include <stdexcept>

#include "error.h"
#include "rollout_schema.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> rollout_states = {"running", "passed", "failed"};
constexpr std::array<std::string_view, 8> target_states = {
    "waiting", "running", "done", "failed", "unreachable", "skipped", "rolling_back", "rolled_back"};

template <class State, std::size_t n>
State state_named(const std::array<std::string_view, n>& names, const std::string& name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  throw std::out_of_range("it holds the state '" + name + "'");
}

std::string text_of(std::int64_t number) { return std::to_string(number); }
std::string text_of(bool flag) { return flag ? "1" : "0"; }

// The columns of a row, from the first on.
class Fields {
 public:
  explicit Fields(const RolloutDatabase::Row& row) : row_(row) {}
  const std::string& text() { return row_.at(at_++); }
  std::int64_t number() { return std::stoll(text()); }
  int small() { return static_cast<int>(number()); }
  std::uint64_t count() { return static_cast<std::uint64_t>(number()); }
  bool flag() { return number() != 0; }
  json document() { return json::parse(text()); }

 private:
  const RolloutDatabase::Row& row_;
  std::size_t at_ = 0;
};

constexpr auto rollout_columns =
    "id, token, state, plan, started_by, host, started, finished, exit_code, reason";
constexpr std::size_t rollout_column_count = 10;

RolloutRecord rollout_in(const RolloutDatabase::Row& row) {
  Fields fields(row);
  RolloutRecord rollout;
  rollout.id = fields.number();
  rollout.token = fields.text();
  rollout.state = state_named<RolloutState>(rollout_states, fields.text());
  rollout.plan = rollout_plan_from_json(fields.document());
  rollout.user = fields.text();
  rollout.host = fields.text();
  rollout.started = fields.text();
  rollout.finished = fields.text();
  rollout.exit_code = fields.small();
  rollout.reason = fields.text();
  return rollout;
}

constexpr auto target_columns =
    "state, attempt, run, exit_code, reason, started, finished, outputs";
constexpr std::size_t target_column_count = 8;

TargetRecord target_in(const RolloutDatabase::Row& row) {
  Fields fields(row);
  TargetRecord target;
  target.state = state_named<TargetState>(target_states, fields.text());
  target.attempt = static_cast<unsigned>(fields.number());
  target.run = fields.count();
  target.exit_code = fields.small();
  target.reason = fields.text();
  target.started = fields.text();
  target.finished = fields.text();
  target.outputs = fields.document();
  return target;
}

constexpr auto wave_columns =
    "ended, gate_held, gate_reason, passed, approved_by, approved_at, comment";
constexpr std::size_t wave_column_count = 7;

WaveRecord wave_in(const RolloutDatabase::Row& row) {
  Fields fields(row);
  WaveRecord wave;
  if (const std::int64_t ended = fields.number(); ended >= 0) wave.known.ended = ended;
  wave.known.gate_held = fields.flag();
  wave.gate_reason = fields.text();
  wave.passed = fields.flag();
  wave.approved_by = fields.text();
  wave.approved_at = fields.text();
  wave.comment = fields.text();
  wave.known.approved = !wave.approved_at.empty();
  return wave;
}

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
  return {run.place,     text_of(static_cast<std::int64_t>(run.run)),
          run.environment, run.rollout,
          run.pipeline,  run.version,
          run.user,      run.started,
          run.finished,  run.state,
          text_of(std::int64_t{run.exit_code}), run.reason,
          text_of(run.duration_ms), text_of(run.unreachable_ms),
          run.data_lost};
}

}  // namespace

std::string_view name_of(RolloutState state) {
  return rollout_states[static_cast<std::size_t>(state)];
}
std::string_view name_of(TargetState state) {
  return target_states[static_cast<std::size_t>(state)];
}

std::string place_of(const RolloutTarget& target, const std::string& here) {
  return (target.host.empty() ? here : target.host) + ":" + target.dir;
}

// Whatever is written may be written twice, so that a server which went away can be asked again.
template <class Work>
auto RolloutStore::persist(const char* what, Work work) const {
  const auto fail = [&](const std::string& why) {
    return Error("the database of rollouts " + database_->name() + " failed to " + what + " (" +
                 why + "); check " + (is_shared() ? "the server" : "its disk and who owns it"));
  };
  for (bool connected = true;;) {
    try {
      if (!connected) database_->reconnect();
      connected = true;
      return work();
    } catch (const DatabaseFailure& e) {
      if (!e.gone()) throw fail(e.what());
      connected = false;
      if (!again_ || !again_(e.what())) throw fail(e.what());
    } catch (const json::exception& e) {
      throw fail(e.what());
    } catch (const std::logic_error& e) {  // of a number or a column that is missing
      throw fail(e.what());
    }
  }
}

RolloutStore::RolloutStore(const std::string& sqlite_file)
    : RolloutStore(open_sqlite_database(sqlite_file)) {}

RolloutStore::RolloutStore(std::unique_ptr<RolloutDatabase> database)
    : database_(std::move(database)) {
  persist("be opened", [&] {
    prepare_rollout_tables(*database_);
    return 0;
  });
}

RolloutStore::~RolloutStore() = default;

std::vector<RolloutStore::Row> RolloutStore::run(const char* what, const std::string& sql,
                                                 const Values& values, std::size_t columns) const {
  return persist(what, [&] { return database_->run(sql, values, columns); });
}

// A supervisor that was thought dead, and wakes up, writes nothing any more.
std::string RolloutStore::fenced() const {
  return " EXISTS (SELECT fence FROM rollout_leases WHERE name = ? AND fence = ?" +
         database_->and_keep() + ")";
}

void RolloutStore::write(const char* what, const std::string& sql, Values values) {
  if (!mine_) {
    run(what, sql, values);
    return;
  }
  values.insert(values.end(), {mine_->rollout, fence_});
  if (run(what, sql + " AND" + fenced() + " RETURNING 1", values, 1).empty()) taken_over();
}

void RolloutStore::taken_over() const {
  const auto now = supervisor_of(mine_->rollout);
  throw Error("another process has taken over the rollout '" + mine_->rollout + "'" +
                  (now ? " (" + now->holder + ")" : "") +
                  ", since this one was not heard of for a while; nothing more is done here. "
                  "`drydock rollout status` shows how far it is",
              ExitCode::busy);
}

void RolloutStore::take(const Supervisorship& who) {
  const auto fence = persist("record who carries it out", [&]() -> std::optional<std::string> {
    const std::int64_t now = database_->now();
    const auto taken = database_->run(
        "INSERT INTO rollout_leases (name, holder, place, fence, until) VALUES (?, ?, ?, 1, ?) ON "
        "CONFLICT (name) DO UPDATE SET holder = excluded.holder, place = excluded.place, fence = "
        "rollout_leases.fence + 1, until = excluded.until WHERE rollout_leases.until < "
        "CAST(? AS BIGINT) OR rollout_leases.place = excluded.place RETURNING fence",
        {who.rollout, who.holder, who.place, text_of(now + lease_lasts.count()), text_of(now)}, 1);
    if (taken.empty()) return std::nullopt;
    return taken[0].at(0);
  });
  if (!fence) {
    const auto other = supervisor_of(who.rollout);
    throw Error("another process carries out the rollout '" + who.rollout + "'" +
                    (other ? " (" + other->holder + ")" : "") +
                    "; `drydock rollout status` shows how far it is. Were it dead, its place would "
                    "be free " +
                    text_of(std::int64_t{lease_lasts.count() / 1000}) +
                    " s after its last sign of life",
                ExitCode::busy);
  }
  mine_ = who;
  fence_ = *fence;
}

void RolloutStore::renew() {
  const auto kept = persist("record that it goes on", [&] {
    const std::string until = text_of(database_->now() + lease_lasts.count());
    return database_->run(
        "UPDATE rollout_leases SET until = ? WHERE name = ? AND fence = ? RETURNING 1",
        {until, mine_->rollout, fence_}, 1);
  });
  if (kept.empty()) taken_over();
}

void RolloutStore::give_up() {
  run("record that it ended", "UPDATE rollout_leases SET until = 0 WHERE name = ? AND fence = ?",
      {mine_->rollout, fence_});
  mine_.reset();
}

void RolloutStore::require_lease() {
  if (!mine_) return;
  const auto kept =
      run("say who carries it out", "SELECT fence FROM rollout_leases WHERE name = ? AND fence = ?",
          {mine_->rollout, fence_}, 1);
  if (kept.empty()) taken_over();
}

std::optional<Supervisorship> RolloutStore::supervisor_of(const std::string& rollout) const {
  return persist("say who carries it out", [&]() -> std::optional<Supervisorship> {
    const auto rows = database_->run(
        "SELECT holder, place FROM rollout_leases WHERE name = ? AND until >= CAST(? AS BIGINT)",
        {rollout, text_of(database_->now())}, 2);
    if (rows.empty()) return std::nullopt;
    return Supervisorship{rollout, rows[0].at(0), rows[0].at(1)};
  });
}

std::int64_t RolloutStore::begin(const RolloutRecord& rollout) {
  return persist("record the rollout", [&] {
    const RolloutPlan& plan = rollout.plan;
    database_->begin();
    try {
      // Where the server went away nobody knows whether it has been written.
      const auto there =
          database_->run("SELECT id FROM rollouts WHERE token = ?", {rollout.token}, 1);
      if (!there.empty()) {
        database_->commit();
        return std::stoll(there[0].at(0));
      }
      const std::string id =
          database_->run("SELECT COALESCE(MAX(id), 0) + 1 FROM rollouts", {}, 1).at(0).at(0);
      database_->run(
          "INSERT INTO rollouts (id, name, file, token, state, plan, started_by, host, started, "
          "finished, exit_code, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', -1, '')",
          {id, plan.name, plan.file, rollout.token, std::string(name_of(rollout.state)),
           to_json(plan).dump(), rollout.user, rollout.host, rollout.started});
      for (std::size_t wave = 0; wave < plan.waves.size(); ++wave) {
        const RolloutWave& of = plan.waves[wave];
        database_->run(
            "INSERT INTO rollout_waves (rollout, position, name, ended, gate_held, gate_reason, "
            "passed, approved_by, approved_at, comment) VALUES (?, ?, ?, -1, 0, '', 0, '', '', '')",
            {id, text_of(static_cast<std::int64_t>(wave)), of.name});
        for (std::size_t i = of.first; i < of.first + of.count; ++i) {
          database_->run(
              "INSERT INTO rollout_targets (rollout, position, wave, name, state, attempt, run, "
              "exit_code, reason, started, finished, outputs) VALUES (?, ?, ?, ?, 'waiting', 1, 0, "
              "-1, '', '', '', '{}')",
              {id, text_of(static_cast<std::int64_t>(i)), text_of(static_cast<std::int64_t>(wave)),
               plan.targets[i].name});
        }
      }
      database_->commit();
      return std::stoll(id);
    } catch (const DatabaseFailure&) {
      database_->roll_back();
      throw;
    }
  });
}

void RolloutStore::finish(std::int64_t rollout, RolloutState state, int exit_code,
                          const std::string& reason) {
  write("record the end",
        "UPDATE rollouts SET state = ?, exit_code = ?, reason = ?, finished = ? WHERE id = ?",
        {std::string(name_of(state)), text_of(std::int64_t{exit_code}), reason, utc_now(),
         text_of(rollout)});
}

void RolloutStore::reopen(std::int64_t rollout) {
  write("record that it goes on",
        "UPDATE rollouts SET state = 'running', exit_code = -1, reason = '', finished = '' WHERE "
        "id = ?",
        {text_of(rollout)});
}

void RolloutStore::save_target(std::int64_t rollout, std::size_t position,
                               const TargetRecord& target) {
  write("record an environment",
        "UPDATE rollout_targets SET state = ?, attempt = ?, run = ?, exit_code = ?, reason = ?, "
        "started = ?, finished = ?, outputs = ? WHERE rollout = ? AND position = ?",
        {std::string(name_of(target.state)), text_of(std::int64_t{target.attempt}),
         text_of(static_cast<std::int64_t>(target.run)), text_of(std::int64_t{target.exit_code}),
         target.reason, target.started, target.finished, target.outputs.dump(), text_of(rollout),
         text_of(static_cast<std::int64_t>(position))});
}

void RolloutStore::save_wave(std::int64_t rollout, std::size_t position, const WaveRecord& wave) {
  write("record a wave",
        "UPDATE rollout_waves SET ended = ?, gate_held = ?, gate_reason = ?, passed = ? WHERE "
        "rollout = ? AND position = ?",
        {text_of(wave.known.ended.value_or(-1)), text_of(wave.known.gate_held), wave.gate_reason,
         text_of(wave.passed), text_of(rollout), text_of(static_cast<std::int64_t>(position))});
}

void RolloutStore::approve(std::int64_t rollout, std::size_t wave, const std::string& who,
                           const std::string& comment) {
  run("record the approval",
      "UPDATE rollout_waves SET approved_by = ?, approved_at = ?, comment = ? WHERE rollout = ? "
      "AND position = ?",
      {who, utc_now(), comment, text_of(rollout), text_of(static_cast<std::int64_t>(wave))});
}

void RolloutStore::save_environment(const KnownEnvironment& environment) {
  run("record an environment",
      "INSERT INTO rollout_environments (place, name, rollout, run, version, images) VALUES (?, ?, "
      "?, ?, ?, ?) ON CONFLICT (place) DO UPDATE SET name = excluded.name, rollout = "
      "excluded.rollout, run = excluded.run, version = excluded.version, images = excluded.images",
      {environment.place, environment.name, environment.rollout,
       text_of(static_cast<std::int64_t>(environment.run)), environment.version,
       environment.images.dump()});
}

void RolloutStore::forget_environment(const std::string& place) {
  run("record an environment", "DELETE FROM rollout_environments WHERE place = ?", {place});
}

void RolloutStore::set_run_state(const std::string& place, std::uint64_t number,
                                 const std::string& state, int exit_code) {
  run("record a run", "UPDATE rollout_runs SET state = ?, exit_code = ? WHERE place = ? AND run = ?",
      {state, text_of(std::int64_t{exit_code}), place,
       text_of(static_cast<std::int64_t>(number))});
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

std::optional<RolloutRecord> RolloutStore::newest(const std::string& name) const {
  return newest_where("name", name);
}
std::optional<RolloutRecord> RolloutStore::newest_of_file(const std::string& file) const {
  return newest_where("file", file);
}

std::optional<RolloutRecord> RolloutStore::newest_where(const std::string& column,
                                                        const std::string& value) const {
  return persist("read a rollout", [&]() -> std::optional<RolloutRecord> {
    const auto rows = database_->run("SELECT " + std::string(rollout_columns) +
                                         " FROM rollouts WHERE " + column +
                                         " = ? ORDER BY id DESC LIMIT 1",
                                     {value}, rollout_column_count);
    if (rows.empty()) return std::nullopt;
    return rollout_in(rows[0]);
  });
}

std::vector<std::string> RolloutStore::names() const {
  std::vector<std::string> names;
  for (const Row& row :
       run("read its rollouts", "SELECT DISTINCT name FROM rollouts ORDER BY name", {}, 1)) {
    names.push_back(row.at(0));
  }
  return names;
}

std::vector<TargetRecord> RolloutStore::targets(std::int64_t rollout) const {
  return persist("read its environments", [&] {
    std::vector<TargetRecord> targets;
    for (const Row& row : database_->run(
             "SELECT " + std::string(target_columns) +
                 " FROM rollout_targets WHERE rollout = ? ORDER BY position",
             {text_of(rollout)}, target_column_count)) {
      targets.push_back(target_in(row));
    }
    return targets;
  });
}

std::vector<WaveRecord> RolloutStore::waves(std::int64_t rollout) const {
  return persist("read its waves", [&] {
    std::vector<WaveRecord> waves;
    for (const Row& row :
         database_->run("SELECT " + std::string(wave_columns) +
                            " FROM rollout_waves WHERE rollout = ? ORDER BY position",
                        {text_of(rollout)}, wave_column_count)) {
      waves.push_back(wave_in(row));
    }
    return waves;
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
