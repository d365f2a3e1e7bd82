// What a rollout does, for people: a line when something begins or ends, and where all of it is.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "rollout_store.h"
#include "secrets.h"
#include "view_text.h"

namespace drydock {

class RolloutReport {
 public:
  // Prints nothing when `out` is null.
  RolloutReport(std::ostream* out, const ViewStyle& style, const Masker& masker)
      : out_(out), style_(style), ink_(style), masker_(masker) {}

  void wave_begins(const RolloutWave& wave);
  void target_begins(const RolloutTarget& target, const TargetRecord& record, bool again);
  void target_ended(const RolloutTarget& target, const TargetRecord& record);
  void total(const RolloutWave& wave, const std::vector<TargetRecord>& targets);
  void soaks(const RolloutWave& wave);
  void gate_begins(const RolloutWave& wave);
  void gate_answered(const RolloutWave& wave, bool held, const std::string& reason);
  void waits_for_approval(const RolloutPlan& plan, const RolloutWave& wave);
  void wave_passed(const RolloutWave& wave);
  void warning(const std::string& text);

 private:
  void line(const std::string& mark, const std::string& text);

  std::ostream* out_;
  ViewStyle style_;
  Ink ink_;
  const Masker& masker_;
};

// How far a rollout is. `supervised`: a process carries it out now. `now`: for what is left of a
// soak.
Lines rollout_status_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                           const std::vector<WaveRecord>& waves, bool supervised, Instant now,
                           const ViewStyle& style);
nlohmann::json rollout_status_document(const RolloutRecord& rollout,
                                       const std::vector<TargetRecord>& targets,
                                       const std::vector<WaveRecord>& waves, bool supervised,
                                       Instant now);

// What is left to say when its supervisor ends: how it went, and what to do now.
Lines rollout_closing_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                            const std::vector<WaveRecord>& waves, const ViewStyle& style);

// What the rollout is doing or waiting for. "left": nobody carries it out.
struct Standing {
  std::string word;                  // running, soaking, waiting, passed, failed, left
  std::optional<std::size_t> wave;   // that it is in
  std::optional<std::size_t> waits;  // that waits for approval
  std::optional<Instant> not_before;
};
Standing standing_of(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves, bool supervised, Instant now);
// "waits for approval in the wave 'canary'"
std::string standing_words(const RolloutPlan& plan, const Standing& standing);

}  // namespace drydock
