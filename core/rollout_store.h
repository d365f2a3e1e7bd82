// What is known of rollouts: what each was to do, how far each environment and wave is, who
// approved what, and the runs of the environments. In .drydock/rollouts.db beside the rollout file,
// or on a PostgreSQL server that several machines share. It is written before a run is started and
// after it has ended, so that another supervisor can go on at any moment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rollout_database.h"
#include "rollout_plan.h"
#include "rollout_schedule.h"

namespace drydock {

enum class RolloutState { running, passed, failed };
std::string_view name_of(RolloutState state);
std::string_view name_of(TargetState state);

struct RolloutRecord {
  std::int64_t id = 0;
  std::string token;  // random: keys of runs are never those of an earlier rollout
  RolloutState state = RolloutState::running;
  RolloutPlan plan;
  std::string user, host, started, finished, reason;
  int exit_code = -1;  // -1: it has not ended
};

struct TargetRecord {
  TargetState state = TargetState::waiting;
  unsigned attempt = 1;
  std::uint64_t run = 0;  // its number on the environment; 0: not known (yet)
  int exit_code = -1;     // also while it is begun again after its host was away: that of before
  std::string reason, started, finished;
  nlohmann::json outputs = nlohmann::json::object();  // that it promotes: stage -> name -> text
};

struct WaveRecord {
  KnownWave known;          // one that has passed was told of
  std::string gate_reason;  // why the gate did not hold, the last time
  bool told = false;        // that it waits for approval, by `notify:`
  std::string approved_by, approved_at, comment;
};

// An environment as it was when a rollout last left it. place: HOST:FOLDER, whichever rollout it
// is.
struct KnownEnvironment {
  std::string place, name, rollout, version;
  std::uint64_t run = 0;
  nlohmann::json images = nlohmann::json::object();  // service -> image; empty: not known
};

// What is kept of one run of an environment, also of one that no rollout has started.
struct RunSummary {
  std::string place, environment;
  std::uint64_t run = 0;
  std::string rollout;  // its name; "": started by hand
  std::string pipeline, version, user, started, finished, state, reason, data_lost;
  int exit_code = -1;
  std::int64_t duration_ms = -1, unreachable_ms = -1;  // -1: not known
};

// Who carries out a rollout. place: two holders with the same one exclude each other by a lock of
// the machine that they are on, so that the second knows the first to be dead.
struct Supervisorship {
  std::string rollout, holder, place;
  std::string status = {};  // the command that shows how far it is; "" of another one
};

class RolloutStore {
 public:
  // All of these throw Error.
  explicit RolloutStore(std::unique_ptr<RolloutDatabase> database);
  explicit RolloutStore(const std::string& sqlite_file);
  ~RolloutStore();
  RolloutStore(const RolloutStore&) = delete;
  RolloutStore& operator=(const RolloutStore&) = delete;

  bool is_shared() const { return database_->is_shared(); }
  const std::string& name() const { return database_->name(); }
  // When the server is away: called with what it said, again and again; true: try once more.
  // `answers`: called once it does so again; may be empty.
  void set_patience(std::function<bool(const std::string& why)> again,
                    std::function<void()> answers = {}) {
    again_ = std::move(again);
    answers_ = std::move(answers);
  }

  // --- the one supervisor --------------------------------------------------------------------
  // From here on what is saved, begun or finished here is refused (Error, exit code 4) once another
  // one has taken over. Throws Error (exit code 4) when another one has it and may be alive.
  void take(const Supervisorship& who);
  void renew();          // before it runs out: it lasts for `lease_lasts`
  void give_up();        // somebody else need not wait for that
  void require_lease();  // before what is no write
  // Who has it and is heard of; nullopt: nobody.
  std::optional<Supervisorship> supervisor_of(const std::string& rollout) const;

  // --- writing ---------------------------------------------------------------------------------
  // With its environments and waves; returns its id.
  std::int64_t begin(const RolloutRecord& rollout);
  void finish(std::int64_t rollout, RolloutState state, int exit_code, const std::string& reason);
  // It has not ended after all: what has to be done again is done by whoever goes on with it.
  void reopen(std::int64_t rollout);
  // The same, and what has to be done is to put back these environments of the wave, which has not
  // passed any more. why: its reason meanwhile; "" where the rollout itself wants it.
  void begin_way_back(std::int64_t rollout, std::size_t wave,
                      const std::vector<std::size_t>& targets, const std::string& why);
  void save_target(std::int64_t rollout, std::size_t position, const TargetRecord& target);
  // All but the approval.
  void save_wave(std::int64_t rollout, std::size_t position, const WaveRecord& wave);
  // By whoever may write: no supervisor needs to be there. Only of what was seen: false when the
  // rollout has ended, or the wave was begun again or approved since.
  bool approve(std::int64_t rollout, std::size_t wave, const WaveRecord& seen,
               const std::string& who, const std::string& comment);
  // What it approved was begun again.
  void withdraw_approval(std::int64_t rollout, std::size_t wave);
  void save_environment(const KnownEnvironment& environment);
  // Nothing is expected of it any more: it was put back.
  void forget_environment(const std::string& place);
  void set_run_state(const std::string& place, std::uint64_t run, const std::string& state,
                     int exit_code);
  // Of runs that are known already what is new is added.
  void save_runs(const std::vector<RunSummary>& runs);

  // --- reading ---------------------------------------------------------------------------------
  // The newest with this name; nullopt: none.
  std::optional<RolloutRecord> newest(const std::string& name) const;
  std::optional<RolloutRecord> newest(const std::string& name, const std::string& file) const;
  std::optional<RolloutRecord> find(std::int64_t rollout) const;
  // The newest of the rollout file with this absolute path.
  std::optional<RolloutRecord> newest_of_file(const std::string& file) const;
  std::vector<std::string> names() const;
  std::vector<std::string> files() const;  // of rollouts
  std::vector<TargetRecord> targets(std::int64_t rollout) const;
  std::vector<WaveRecord> waves(std::int64_t rollout) const;
  std::optional<KnownEnvironment> environment(const std::string& place) const;
  // Of this environment, or of all with "", that began at `since` (RFC 3339) or later. The newest
  // first.
  std::vector<RunSummary> runs(const std::string& environment, const std::string& since) const;

 private:
  using Row = RolloutDatabase::Row;
  using Values = RolloutDatabase::Values;
  std::vector<Row> run(const char* what, const std::string& sql, const Values& values = {},
                       std::size_t columns = 0) const;
  // `sql` ends with its WHERE.
  void write(const char* what, const std::string& sql, Values values);
  template <class Work>
  auto persist(const char* what, Work work) const;
  template <class Work>
  auto as_one(const char* what, Work work);
  std::string fenced() const;
  [[noreturn]] void taken_over() const;
  std::optional<RolloutRecord> newest_where(const std::string& condition,
                                            const Values& values) const;

  std::unique_ptr<RolloutDatabase> database_;
  std::function<bool(const std::string&)> again_;
  std::function<void()> answers_;
  std::optional<Supervisorship> mine_;
  std::string fence_;  // of mine_
};

// What a supervisor that died keeps others waiting at most.
inline constexpr std::chrono::milliseconds lease_lasts(15'000);
inline constexpr std::chrono::milliseconds lease_renewed_every(5'000);

// HOST:FOLDER; an environment of this machine is on `here`.
std::string place_of(const RolloutTarget& target, const std::string& here);

}  // namespace drydock
