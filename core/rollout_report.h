// What a rollout does, for people: a line when something begins or ends, and where all of it is.
#pragma once

#include <chrono>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rollout_commands.h"
#include "rollout_screen.h"
#include "rollout_standing.h"
#include "rollout_store.h"
#include "secrets.h"
#include "view_text.h"

namespace drydock {

// On a terminal what goes on is drawn again and again below that: a line for each environment, and
// a total. Elsewhere a line says that it has begun.
class RolloutReport {
 public:
  // Prints nothing when `out` is null.
  RolloutReport(std::ostream* out, const ViewStyle& style, const Masker& masker,
                const RolloutCommands& commands);
  ~RolloutReport();

  void wave_begins(const RolloutWave& wave);
  void target_begins(const RolloutTarget& target, const TargetRecord& record, bool again);
  void target_goes_back(const RolloutTarget& target, const TargetRecord& record);
  // doing: the stage that its run is in.
  void target_does(const RolloutTarget& target, const std::string& doing);
  void target_put_off(const RolloutTarget& target);
  void target_ended(const RolloutTarget& target, const TargetRecord& record);
  void total(const RolloutWave& wave, const std::vector<TargetRecord>& targets);
  void soaks(const RolloutWave& wave);
  void gate_begins(const RolloutWave& wave);
  void gate_answered(const RolloutWave& wave, bool held, const std::string& reason);
  void waits_for_approval(const RolloutWave& wave);
  void wave_passed(const RolloutWave& wave);
  void way_back_begins(const RolloutWave& wave, std::size_t count);
  void warning(const std::string& text);

  // The picture of a terminal; nullopt: there is none.
  std::optional<std::chrono::milliseconds> redrawn_every() const;
  void redraw(const std::vector<TargetRecord>& targets);

 private:
  struct GoingOn {
    Instant since;
    std::string doing;
  };
  void line(const std::string& mark, const std::string& text);
  // In one line, however long, so that it can be pasted.
  void command(const std::string& mark, const std::string& text);
  bool draws() const { return picture_ && style_.terminal; }

  std::unique_ptr<LivePicture> picture_;  // null: nothing is printed
  ViewStyle style_;
  Ink ink_;
  const Masker& masker_;
  RolloutCommands commands_;
  std::map<std::string, GoingOn> going_on_;  // by the environment's name
  std::optional<RolloutWave> wave_;          // that is at work
};

// How far a rollout is. `supervised`: a process carries it out now. `now`: for what is left of a
// soak.
Lines rollout_status_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                           const std::vector<WaveRecord>& waves, bool supervised, Instant now,
                           const RolloutCommands& commands, const ViewStyle& style);
nlohmann::json rollout_status_document(const RolloutRecord& rollout,
                                       const std::vector<TargetRecord>& targets,
                                       const std::vector<WaveRecord>& waves, bool supervised,
                                       Instant now);

// What is left to say when its supervisor ends: how it went, and what to do now.
Lines rollout_closing_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                            const std::vector<WaveRecord>& waves, const RolloutCommands& commands,
                            const ViewStyle& style);

}  // namespace drydock
