#include "rollout_store.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "descriptor.h"
#include "error.h"
#include "utc_time.h"

namespace drydock {
namespace {

using soci::into;
using soci::use;

constexpr int schema_version = 1;
// Types and words that PostgreSQL knows as well.
constexpr std::array<const char*, 3> schema = {
    "CREATE TABLE rollouts (id BIGINT PRIMARY KEY, name TEXT NOT NULL, file TEXT NOT NULL, "
    "token TEXT NOT NULL, state TEXT NOT NULL, plan TEXT NOT NULL, started_by TEXT NOT NULL, "
    "host TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, exit_code INTEGER NOT "
    "NULL, reason TEXT NOT NULL)",
    "CREATE TABLE rollout_targets (rollout BIGINT NOT NULL, position INTEGER NOT NULL, name TEXT "
    "NOT NULL, state TEXT NOT NULL, attempt INTEGER NOT NULL, run BIGINT NOT NULL, exit_code "
    "INTEGER NOT NULL, reason TEXT NOT NULL, started TEXT NOT NULL, finished TEXT NOT NULL, "
    "PRIMARY KEY (rollout, position))",
    "CREATE TABLE rollout_waves (rollout BIGINT NOT NULL, position INTEGER NOT NULL, name TEXT NOT "
    "NULL, ended BIGINT NOT NULL, gate_held INTEGER NOT NULL, gate_reason TEXT NOT NULL, "
    "passed INTEGER NOT NULL, approved_by TEXT NOT NULL, approved_at TEXT NOT NULL, comment TEXT "
    "NOT NULL, PRIMARY KEY "
    "(rollout, position))"};

constexpr std::array<std::string_view, 3> rollout_states = {"running", "passed", "failed"};
constexpr std::array<std::string_view, 5> target_states = {"waiting", "running", "done", "failed",
                                                           "unreachable"};

template <class State, std::size_t n>
State state_named(const std::array<std::string_view, n>& names, const std::string& name) {
  for (std::size_t i = 0; i < n; ++i) {
    if (names[i] == name) return static_cast<State>(i);
  }
  throw std::out_of_range("it holds the state '" + name + "'");
}

// SQLite would make the file with the mode of the umask.
void make_private_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file) return;
  throw Error("the database of rollouts " + path + " cannot be opened (" + std::strerror(errno) +
              "); check who owns it and whether the disk is writable");
}

}  // namespace

std::string_view name_of(RolloutState state) {
  return rollout_states[static_cast<std::size_t>(state)];
}
std::string_view name_of(TargetState state) {
  return target_states[static_cast<std::size_t>(state)];
}

struct RolloutStore::Database {
  explicit Database(const std::string& path)
      : sql(soci::sqlite3, "db=\"" + path + "\" timeout=10") {}
  soci::session sql;
};

// SOCI's message names statements and may carry values: only the database's own part is shown.
template <class Work>
auto RolloutStore::guarded(const char* what, Work work) const {
  const auto fail = [&](const std::string& why) -> Error {
    return Error("the database of rollouts " + path_ + " failed to " + what + " (" + why +
                 "); check its disk and who owns it");
  };
  try {
    return work(database_->sql);
  } catch (const soci::soci_error& e) {
    throw fail(e.get_error_message());
  } catch (const nlohmann::json::exception& e) {
    throw fail(e.what());
  } catch (const std::out_of_range& e) {
    throw fail(e.what());
  }
}

RolloutStore::RolloutStore(const std::string& path) : path_(path) {
  if (path.find('"') != std::string::npos) {
    throw Error("the path " + path + " contains a double quote; use a folder without one");
  }
  make_private_file(path);
  try {
    database_ = std::make_unique<Database>(path);
  } catch (const soci::soci_error& e) {
    throw Error("the database of rollouts " + path + " cannot be opened (" + e.get_error_message() +
                "); check who owns it");
  }
  const int version = guarded("be opened", [](soci::session& sql) {
    sql << "PRAGMA journal_mode=WAL";
    sql << "PRAGMA synchronous=FULL";
    int found = 0;
    sql << "PRAGMA user_version", into(found);
    if (found != 0) return found;
    soci::transaction transaction(sql);
    sql << "PRAGMA user_version", into(found);
    if (found != 0) return found;  // another one was quicker
    for (const char* statement : schema) sql << statement;
    sql << "PRAGMA user_version=" << schema_version;
    transaction.commit();
    return schema_version;
  });
  if (version > schema_version) {
    throw Error("the database of rollouts " + path + " has schema version " +
                std::to_string(version) + " and this Drydock knows " +
                std::to_string(schema_version) + "; use the newer Drydock that wrote it");
  }
}

RolloutStore::~RolloutStore() = default;

std::int64_t RolloutStore::begin(const RolloutRecord& rollout) {
  return guarded("record the rollout", [&](soci::session& sql) {
    soci::transaction transaction(sql);
    long long id = 0;
    sql << "SELECT COALESCE(MAX(id), 0) + 1 FROM rollouts", into(id);
    const std::string state(name_of(rollout.state)), plan = to_json(rollout.plan).dump();
    sql << "INSERT INTO rollouts VALUES (:id, :name, :file, :token, :state, :plan, :user, :host, "
           ":started, '', -1, '')",
        use(id), use(rollout.plan.name), use(rollout.plan.file), use(rollout.token), use(state),
        use(plan), use(rollout.user), use(rollout.host), use(rollout.started);
    int position = 0;
    std::string name;
    soci::statement target =
        (sql.prepare << "INSERT INTO rollout_targets VALUES (:id, :position, :name, 'waiting', 1, "
                        "0, -1, '', '', '')",
         use(id), use(position), use(name));
    for (const RolloutTarget& each : rollout.plan.targets) {
      name = each.name;
      target.execute(true);
      ++position;
    }
    position = 0;
    soci::statement wave =
        (sql.prepare
             << "INSERT INTO rollout_waves VALUES (:id, :position, :name, -1, 0, '', 0, '', "
                "'', '')",
         use(id), use(position), use(name));
    for (const RolloutWave& each : rollout.plan.waves) {
      name = each.name;
      wave.execute(true);
      ++position;
    }
    transaction.commit();
    return static_cast<std::int64_t>(id);
  });
}

void RolloutStore::finish(std::int64_t rollout, RolloutState state, int exit_code,
                          const std::string& reason) {
  guarded("record the end", [&](soci::session& sql) {
    const std::string name(name_of(state)), now = utc_now();
    const long long id = rollout;
    sql << "UPDATE rollouts SET state = :state, exit_code = :code, reason = :reason, finished = "
           ":now WHERE id = :id",
        use(name), use(exit_code), use(reason), use(now), use(id);
    return 0;
  });
}

void RolloutStore::reopen(std::int64_t rollout) {
  guarded("record that it goes on", [&](soci::session& sql) {
    const long long id = rollout;
    sql << "UPDATE rollouts SET state = 'running', exit_code = -1, reason = '', finished = '' "
           "WHERE id = :id",
        use(id);
    return 0;
  });
}

void RolloutStore::save_target(std::int64_t rollout, std::size_t position,
                               const TargetRecord& target) {
  guarded("record an environment", [&](soci::session& sql) {
    const std::string state(name_of(target.state));
    const long long id = rollout, run = static_cast<long long>(target.run);
    const int at = static_cast<int>(position), attempt = static_cast<int>(target.attempt);
    sql << "UPDATE rollout_targets SET state = :state, attempt = :attempt, run = :run, exit_code = "
           ":code, reason = :reason, started = :started, finished = :finished WHERE rollout = :id "
           "AND position = :position",
        use(state), use(attempt), use(run), use(target.exit_code), use(target.reason),
        use(target.started), use(target.finished), use(id), use(at);
    return 0;
  });
}

void RolloutStore::save_wave(std::int64_t rollout, std::size_t position, const WaveRecord& wave) {
  guarded("record a wave", [&](soci::session& sql) {
    const long long id = rollout, ended = wave.known.ended.value_or(-1);
    const int at = static_cast<int>(position), held = wave.known.gate_held ? 1 : 0,
              passed = wave.passed ? 1 : 0;
    sql << "UPDATE rollout_waves SET ended = :ended, gate_held = :held, gate_reason = :reason, "
           "passed = :passed WHERE rollout = :id AND position = :position",
        use(ended), use(held), use(wave.gate_reason), use(passed), use(id), use(at);
    return 0;
  });
}

void RolloutStore::approve(std::int64_t rollout, std::size_t wave, const std::string& who,
                           const std::string& comment) {
  guarded("record the approval", [&](soci::session& sql) {
    const long long id = rollout;
    const int at = static_cast<int>(wave);
    const std::string now = utc_now();
    sql << "UPDATE rollout_waves SET approved_by = :who, approved_at = :now, comment = :comment "
           "WHERE rollout = :id AND position = :position",
        use(who), use(now), use(comment), use(id), use(at);
    return 0;
  });
}

std::optional<RolloutRecord> RolloutStore::newest(const std::string& name) const {
  return newest_where("name", name);
}
std::optional<RolloutRecord> RolloutStore::newest_of_file(const std::string& file) const {
  return newest_where("file", file);
}

std::optional<RolloutRecord> RolloutStore::newest_where(const char* column,
                                                        const std::string& value) const {
  return guarded("read a rollout", [&](soci::session& sql) -> std::optional<RolloutRecord> {
    RolloutRecord rollout;
    long long id = 0;
    std::string state, plan;
    sql << "SELECT id, token, state, plan, started_by, host, started, finished, exit_code, reason "
           "FROM rollouts WHERE "
        << column << " = :value ORDER BY id DESC LIMIT 1",
        use(value), into(id), into(rollout.token), into(state), into(plan), into(rollout.user),
        into(rollout.host), into(rollout.started), into(rollout.finished), into(rollout.exit_code),
        into(rollout.reason);
    if (!sql.got_data()) return std::nullopt;
    rollout.id = id;
    rollout.state = state_named<RolloutState>(rollout_states, state);
    rollout.plan = rollout_plan_from_json(nlohmann::json::parse(plan));
    return rollout;
  });
}

std::vector<std::string> RolloutStore::names() const {
  return guarded("read its rollouts", [](soci::session& sql) {
    std::vector<std::string> result;
    std::string name;
    soci::statement select =
        (sql.prepare << "SELECT DISTINCT name FROM rollouts ORDER BY name", into(name));
    select.execute();
    while (select.fetch()) result.push_back(name);
    return result;
  });
}

std::vector<TargetRecord> RolloutStore::targets(std::int64_t rollout) const {
  return guarded("read its environments", [&](soci::session& sql) {
    std::vector<TargetRecord> result;
    const long long id = rollout;
    TargetRecord target;
    long long run = 0;
    int attempt = 0;
    std::string state;
    soci::statement select =
        (sql.prepare << "SELECT state, attempt, run, exit_code, reason, started, finished FROM "
                        "rollout_targets WHERE rollout = :id ORDER BY position",
         use(id), into(state), into(attempt), into(run), into(target.exit_code),
         into(target.reason), into(target.started), into(target.finished));
    select.execute();
    while (select.fetch()) {
      target.state = state_named<TargetState>(target_states, state);
      target.attempt = static_cast<unsigned>(attempt);
      target.run = static_cast<std::uint64_t>(run);
      result.push_back(target);
    }
    return result;
  });
}

std::vector<WaveRecord> RolloutStore::waves(std::int64_t rollout) const {
  return guarded("read its waves", [&](soci::session& sql) {
    std::vector<WaveRecord> result;
    const long long id = rollout;
    WaveRecord wave;
    long long ended = -1;
    int held = 0, passed = 0;
    soci::statement select =
        (sql.prepare << "SELECT ended, gate_held, gate_reason, passed, approved_by, approved_at, "
                        "comment FROM rollout_waves WHERE rollout = :id ORDER BY position",
         use(id), into(ended), into(held), into(wave.gate_reason), into(passed),
         into(wave.approved_by), into(wave.approved_at), into(wave.comment));
    select.execute();
    while (select.fetch()) {
      wave.known = {ended < 0 ? std::nullopt : std::optional<Instant>(ended), held != 0,
                    !wave.approved_at.empty()};
      wave.passed = passed != 0;
      result.push_back(wave);
    }
    return result;
  });
}

}  // namespace drydock
