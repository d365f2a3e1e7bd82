// What is known of one run of an environment while it is followed: its events, kept on this
// machine, and of these what a rollout acts upon.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "events.h"

namespace drydock {

class RunLog {
 public:
  // Continues the file in `folder`, which is made. Whoever followed the run before may have died
  // between its last line and the store, or in the middle of a line, so what it has written counts
  // as far as it is whole and without a gap. Throws Error.
  void open(const std::string& folder);
  // Keeps an event that it does not have yet. Throws Error when it cannot be written; then it is
  // not known, and comes again.
  void take(const Event& event, const std::string& line);

  // What `show` says of the run, where its log does not tell how it ended: its end, and what it
  // promotes. False: it has none yet.
  bool take_shown(const nlohmann::json& shown);

  std::uint64_t seq() const { return seq_; }  // of the last event
  // The data of run.finished; null until then.
  const nlohmann::json& finished() const { return finished_; }
  // What it promotes: stage -> name -> text.
  const nlohmann::json& outputs() const { return outputs_; }
  // "migrate (4 of 7)", what it is doing; "": not known.
  const std::string& stage() const { return stage_; }

 private:
  void learn(const Event& event);
  [[noreturn]] void refuse(const std::string& action) const;

  std::string path_;
  off_t whole_ = 0;  // bytes of whole lines
  std::uint64_t seq_ = 0;
  nlohmann::json finished_, outputs_ = nlohmann::json::object();
  std::string stage_;
};

}  // namespace drydock
