// How a rollout stands: its rules and what is known of it as a schedule, and what follows from
// that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "error.h"
#include "rollout_schedule.h"
#include "rollout_store.h"

namespace drydock {

// The rules of a plan, and what is known, as a schedule.
Schedule schedule_of(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves);

// The same where it is at work: past the waves that have passed already.
Schedule schedule_at_work(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                          const std::vector<WaveRecord>& waves);

// Whoever puts its wave back puts it back, also once more where that has failed.
bool is_to_be_put_back(const TargetRecord& target);

// It failed in a way that says neither that nothing was changed nor that all was put back.
bool needs_person(const TargetRecord& target);

// The worst of the environments: 3 where a person is needed, else 1 where one failed, else 0.
ExitCode exit_code_of(const std::vector<TargetRecord>& targets, bool passed);

Instant now_in_milliseconds();

// Why it has failed, in the wave that is at work. disagreement: of its environments, "" if none.
std::string why_failed(const RolloutPlan& plan, const Schedule& schedule,
                       const std::vector<WaveRecord>& waves, const std::string& disagreement);

// The wave that is to be put back, which has begun and not ended, or of which an environment could
// not be put back: what goes on goes on with that.
// Where the record of a running rollout has a reason, `rollout rollback` has asked for it.
std::optional<std::size_t> wave_going_back(const RolloutRecord& rollout,
                                           const std::vector<TargetRecord>& targets);

// What the rollout is doing or waiting for. "left": nobody carries it out.
struct Standing {
  std::string word;                 // running, soaking, waiting, rolling_back, passed, failed, left
  std::optional<std::size_t> wave;  // that it is in
  std::optional<std::size_t> waits;  // that waits for approval
  std::optional<Instant> not_before;
  bool goes_back = false;  // the wave is to be put back
};
Standing standing_of(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves, bool supervised, Instant now);
// "waits for approval in the wave 'canary'"
std::string standing_words(const RolloutPlan& plan, const Standing& standing);

}  // namespace drydock
