// Puts a whole wave back: what was upgraded in it is rolled back, the newest first.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "cancellation.h"
#include "error.h"
#include "rollout_answer.h"
#include "rollout_host.h"
#include "rollout_report.h"
#include "rollout_store.h"

namespace drydock {

// The environments of the wave that were upgraded in this rollout and have not been put back, in
// the order in which they are: those that a rollback was begun of, then the one that ended last.
std::vector<std::size_t> way_back(const RolloutWave& wave,
                                  const std::vector<TargetRecord>& targets);

// It has begun and not ended: says what is still to come, and how to go on with it.
class WayBackLeft : public Error {
 public:
  using Error::Error;
};

class WayBack {
 public:
  // All of these outlive it.
  WayBack(const RolloutRecord& rollout, RolloutStore& store, const Hosts& hosts,
          RolloutReport& report, Masker& masker, const RolloutCommands& commands,
          const Cancellation& cancellation)
      : rollout_(rollout),
        store_(store),
        hosts_(hosts),
        report_(report),
        masker_(masker),
        commands_(commands),
        cancellation_(cancellation) {}

  // With as many at once as the wave allows; one that cannot be put back does not stop the others.
  // Rollbacks go on by themselves when this process dies, and are found again: that all of it is to
  // be put back is recorded before the first one begins. why: as in begin_way_back. A link that is
  // lost is tried again. Throws WayBackLeft on a cancel, once those that have begun have ended
  // (exit code 4), or where it is not known of some whether they were put back (3).
  void carry_out(std::size_t wave, std::vector<TargetRecord>& targets, const std::string& why);

 private:
  struct Work;
  [[noreturn]] void leave(const RolloutWave& wave, const std::vector<std::size_t>& left) const;
  std::chrono::milliseconds wait_for(const Work& work) const;
  void begin(Work& work, std::size_t target);
  void roll_back(Work& work, std::size_t target);
  void show(Work& work, std::size_t target);
  void blocked(Work& work, std::size_t target, const Obstacle& obstacle);
  void not_known(Work& work, std::size_t target, const std::string& why);
  void ended(Work& work, std::size_t target, const ChildEvent& event);
  void put_back(std::vector<TargetRecord>& targets, std::size_t target);
  void not_put_back(std::vector<TargetRecord>& targets, std::size_t target,
                    const std::string& reason);

  const RolloutRecord& rollout_;
  RolloutStore& store_;
  const Hosts& hosts_;
  RolloutReport& report_;
  Masker& masker_;
  RolloutCommands commands_;
  const Cancellation& cancellation_;
};

}  // namespace drydock
