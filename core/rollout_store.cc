#include "rollout_store.h"

#include <array>
#include <stdexcept>

#include "error.h"
#include "rollout_rows.h"
#include "rollout_schema.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 3> rollout_states = {"running", "passed", "failed"};
constexpr std::array<std::string_view, 10> target_states = {
    "waiting", "running",      "done",        "failed",       "unreachable",
    "skipped", "rolling_back", "rolled_back", "not_put_back", "abandoned"};

template <class State, std::size_t n>
State state_named(const std::array<std::string_view, n>& names, const std::string& name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  throw std::out_of_range("it holds the state '" + name + "'");
}

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
    "ended, gate_held, gate_reason, passed, told, approved_by, approved_at, comment";
constexpr std::size_t wave_column_count = 8;

WaveRecord wave_in(const RolloutDatabase::Row& row) {
  Fields fields(row);
  WaveRecord wave;
  if (const std::int64_t ended = fields.number(); ended >= 0) wave.known.ended = ended;
  wave.known.gate_held = fields.flag();
  wave.gate_reason = fields.text();
  wave.known.passed = fields.flag();
  wave.told = fields.flag();
  wave.approved_by = fields.text();
  wave.approved_at = fields.text();
  wave.comment = fields.text();
  wave.known.approved = !wave.approved_at.empty();
  return wave;
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
                  ", since this one was not heard of for a while; nothing more is done here. `" +
                  mine_->status + "` shows how far it is",
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
        {who.rollout, who.holder, who.place, as_text(now + lease_lasts.count()), as_text(now)}, 1);
    if (taken.empty()) return std::nullopt;
    return taken[0].at(0);
  });
  if (!fence) {
    const auto other = supervisor_of(who.rollout);
    throw Error("another process carries out the rollout '" + who.rollout + "'" +
                    (other ? " (" + other->holder + ")" : "") + "; `" + who.status +
                    "` shows how far it is. Were it dead, its place would "
                    "be free " +
                    as_text(std::int64_t{lease_lasts.count() / 1000}) +
                    " s after its last sign of life",
                ExitCode::busy);
  }
  mine_ = who;
  fence_ = *fence;
}

void RolloutStore::renew() {
  const auto kept = persist("record that it goes on", [&] {
    const std::string until = as_text(database_->now() + lease_lasts.count());
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
        {rollout, as_text(database_->now())}, 2);
    if (rows.empty()) return std::nullopt;
    return Supervisorship{rollout, rows[0].at(0), rows[0].at(1)};
  });
}

// All of it or nothing, and nothing once another one has taken over.
template <class Work>
auto RolloutStore::as_one(const char* what, Work work) {
  bool ours = true;
  const auto result = persist(what, [&] {
    database_->begin();
    try {
      ours = !mine_ || !database_
                            ->run("SELECT fence FROM rollout_leases WHERE name = ? AND fence = ?" +
                                      database_->and_keep(),
                                  {mine_->rollout, fence_}, 1)
                            .empty();
      auto done = ours ? work() : decltype(work())();
      database_->commit();
      return done;
    } catch (...) {
      database_->roll_back();
      throw;
    }
  });
  if (!ours) taken_over();
  return result;
}

std::int64_t RolloutStore::begin(const RolloutRecord& rollout) {
  return as_one("record the rollout", [&]() -> std::int64_t {
    const RolloutPlan& plan = rollout.plan;
    // Where the server went away nobody knows whether it has been written.
    const auto there =
        database_->run("SELECT id FROM rollouts WHERE token = ?", {rollout.token}, 1);
    if (!there.empty()) return std::stoll(there[0].at(0));
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
          "passed, told, approved_by, approved_at, comment) "
          "VALUES (?, ?, ?, -1, 0, '', 0, 0, '', '', '')",
          {id, as_text(static_cast<std::int64_t>(wave)), of.name});
      for (std::size_t i = of.first; i < of.first + of.count; ++i) {
        database_->run(
            "INSERT INTO rollout_targets (rollout, position, wave, name, state, attempt, run, "
            "exit_code, reason, started, finished, outputs) VALUES (?, ?, ?, ?, 'waiting', 1, 0, "
            "-1, '', '', '', '{}')",
            {id, as_text(static_cast<std::int64_t>(i)), as_text(static_cast<std::int64_t>(wave)),
             plan.targets[i].name});
      }
    }
    return std::stoll(id);
  });
}

void RolloutStore::begin_way_back(std::int64_t rollout, std::size_t wave,
                                  const std::vector<std::size_t>& targets, const std::string& why) {
  as_one("record what is to be put back", [&] {
    const std::string id = as_text(rollout);
    database_->run(
        "UPDATE rollouts SET state = 'running', exit_code = -1, finished = '', reason = ? WHERE id "
        "= ?",
        {why, id});
    database_->run(
        "UPDATE rollout_waves SET passed = 0, gate_held = 0 WHERE rollout = ? AND position = ?",
        {id, as_text(static_cast<std::int64_t>(wave))});
    for (const std::size_t target : targets) {
      database_->run(
          "UPDATE rollout_targets SET state = 'rolling_back', exit_code = 0 WHERE rollout = ? AND "
          "position = ?",
          {id, as_text(static_cast<std::int64_t>(target))});
    }
    return targets.size();
  });
}

void RolloutStore::finish(std::int64_t rollout, RolloutState state, int exit_code,
                          const std::string& reason) {
  write("record the end",
        "UPDATE rollouts SET state = ?, exit_code = ?, reason = ?, finished = ? WHERE id = ?",
        {std::string(name_of(state)), as_text(std::int64_t{exit_code}), reason, utc_now(),
         as_text(rollout)});
}

void RolloutStore::reopen(std::int64_t rollout) {
  write("record that it goes on",
        "UPDATE rollouts SET state = 'running', exit_code = -1, reason = '', finished = '' WHERE "
        "id = ?",
        {as_text(rollout)});
}

void RolloutStore::save_target(std::int64_t rollout, std::size_t position,
                               const TargetRecord& target) {
  write("record an environment",
        "UPDATE rollout_targets SET state = ?, attempt = ?, run = ?, exit_code = ?, reason = ?, "
        "started = ?, finished = ?, outputs = ? WHERE rollout = ? AND position = ?",
        {std::string(name_of(target.state)), as_text(std::int64_t{target.attempt}),
         as_text(static_cast<std::int64_t>(target.run)), as_text(std::int64_t{target.exit_code}),
         target.reason, target.started, target.finished, target.outputs.dump(), as_text(rollout),
         as_text(static_cast<std::int64_t>(position))});
}

void RolloutStore::save_wave(std::int64_t rollout, std::size_t position, const WaveRecord& wave) {
  write("record a wave",
        "UPDATE rollout_waves SET ended = ?, gate_held = ?, gate_reason = ?, passed = ?, told = ? "
        "WHERE rollout = ? AND position = ?",
        {as_text(wave.known.ended.value_or(-1)), as_text(wave.known.gate_held), wave.gate_reason,
         as_text(wave.known.passed), as_text(wave.told), as_text(rollout),
         as_text(static_cast<std::int64_t>(position))});
}

bool RolloutStore::approve(std::int64_t rollout, std::size_t wave, const WaveRecord& seen,
                           const std::string& who, const std::string& comment) {
  const auto approved = run(
      "record the approval",
      "UPDATE rollout_waves SET approved_by = ?, approved_at = ?, comment = ? WHERE rollout = ? "
      "AND position = ? AND approved_at = '' AND ended = CAST(? AS BIGINT) AND EXISTS (SELECT id "
      "FROM rollouts WHERE id = rollout_waves.rollout AND state = 'running'" +
          database_->and_keep() + ") RETURNING 1",
      {who, utc_now(), comment, as_text(rollout), as_text(static_cast<std::int64_t>(wave)),
       as_text(seen.known.ended.value_or(-1))},
      1);
  return !approved.empty();
}

void RolloutStore::withdraw_approval(std::int64_t rollout, std::size_t wave) {
  write("withdraw an approval",
        "UPDATE rollout_waves SET approved_by = '', approved_at = '', comment = '' WHERE rollout = "
        "? AND position = ?",
        {as_text(rollout), as_text(static_cast<std::int64_t>(wave))});
}

std::optional<RolloutRecord> RolloutStore::newest(const std::string& name) const {
  return newest_where("name = ?", {name});
}
std::optional<RolloutRecord> RolloutStore::newest(const std::string& name,
                                                  const std::string& file) const {
  return newest_where("name = ? AND file = ?", {name, file});
}
std::optional<RolloutRecord> RolloutStore::find(std::int64_t rollout) const {
  return newest_where("id = ?", {as_text(rollout)});
}
std::optional<RolloutRecord> RolloutStore::newest_of_file(const std::string& file) const {
  return newest_where("file = ?", {file});
}

std::optional<RolloutRecord> RolloutStore::newest_where(const std::string& condition,
                                                        const Values& values) const {
  return persist("read a rollout", [&]() -> std::optional<RolloutRecord> {
    const auto rows =
        database_->run("SELECT " + std::string(rollout_columns) + " FROM rollouts WHERE " +
                           condition + " ORDER BY id DESC LIMIT 1",
                       values, rollout_column_count);
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

std::vector<std::string> RolloutStore::files() const {
  std::vector<std::string> files;
  for (const Row& row : run("read its rollouts", "SELECT DISTINCT file FROM rollouts", {}, 1)) {
    files.push_back(row.at(0));
  }
  return files;
}

std::vector<TargetRecord> RolloutStore::targets(std::int64_t rollout) const {
  return persist("read its environments", [&] {
    std::vector<TargetRecord> targets;
    for (const Row& row :
         database_->run("SELECT " + std::string(target_columns) +
                            " FROM rollout_targets WHERE rollout = ? ORDER BY position",
                        {as_text(rollout)}, target_column_count)) {
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
                        {as_text(rollout)}, wave_column_count)) {
      waves.push_back(wave_in(row));
    }
    return waves;
  });
}

}  // namespace drydock
