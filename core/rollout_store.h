// The database of rollouts: what each was to do, how far each environment and wave is, who approved
// what. Beside the rollout file, in .drydock/rollouts.db. It is written before a run is started and
// after it has ended, so that another supervisor can go on at any moment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

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
  int exit_code = -1;
  std::string reason, started, finished;
};

struct WaveRecord {
  KnownWave known;
  bool passed = false;      // and it was told of
  std::string gate_reason;  // why the gate did not hold, the last time
  std::string approved_by, approved_at, comment;
};

class RolloutStore {
 public:
  // Makes the file (0600) where there is none. All of these throw Error.
  explicit RolloutStore(const std::string& path);
  ~RolloutStore();
  RolloutStore(const RolloutStore&) = delete;
  RolloutStore& operator=(const RolloutStore&) = delete;

  // With its environments and waves; returns its id.
  std::int64_t begin(const RolloutRecord& rollout);
  void finish(std::int64_t rollout, RolloutState state, int exit_code, const std::string& reason);
  // It has not ended after all: what has to be done again is done by whoever goes on with it.
  void reopen(std::int64_t rollout);
  void save_target(std::int64_t rollout, std::size_t position, const TargetRecord& target);
  // All but the approval.
  void save_wave(std::int64_t rollout, std::size_t position, const WaveRecord& wave);
  void approve(std::int64_t rollout, std::size_t wave, const std::string& who,
               const std::string& comment);

  // The newest with this name; nullopt: none.
  std::optional<RolloutRecord> newest(const std::string& name) const;
  // The newest of the rollout file with this absolute path.
  std::optional<RolloutRecord> newest_of_file(const std::string& file) const;
  std::vector<std::string> names() const;
  std::vector<TargetRecord> targets(std::int64_t rollout) const;
  std::vector<WaveRecord> waves(std::int64_t rollout) const;

 private:
  struct Database;
  template <class Work>
  auto guarded(const char* what, Work work) const;
  std::optional<RolloutRecord> newest_where(const char* column, const std::string& value) const;

  std::string path_;
  std::unique_ptr<Database> database_;
};

}  // namespace drydock
