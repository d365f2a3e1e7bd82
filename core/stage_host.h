// What a plugin may ask of Drydock: the host table of stage.h, inside the worker. The rules of
// stage.h are enforced here; a step that broke one is a BUG, whatever it returns.
#pragma once

#include <drydock/stage.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "descriptor.h"
#include "stage_channel.h"
#include "stage_options.h"
#include "stage_process.h"
#include "worker.h"

namespace drydock {

struct StageTimes {
  std::int64_t deadline_ms = 0;  // CLOCK_MONOTONIC; 0: none
  std::chrono::milliseconds command_grace{0};
};

class StageHost {
 public:
  // `request` and `channel` must live as long as this.
  StageHost(StageChannel& channel, const StepRequest& request, const StageTimes& times);

  // The call of this step; valid until the next begin().
  const drydock_call* begin(Step step);
  // What the step's status means, with the sentence that it gave.
  Done end(drydock_status returned);

  // From the main thread: the runner's answer to remember, and its wish to stop.
  void remembered(std::optional<std::string> refused);
  void cancel();

  // The functions of the table; from any thread of the step.
  drydock_status log(std::int32_t level, drydock_bytes text);
  drydock_status progress(std::uint64_t done, std::uint64_t total, const char* unit);
  drydock_status fail(drydock_bytes text);
  std::int32_t cancelled() const;
  drydock_status option(const char* pointer, drydock_value* out);
  drydock_status option_key(const char* pointer, std::size_t index, drydock_bytes* out);
  drydock_status secret(const char* pointer, drydock_bytes* out);
  drydock_status output(const char* name, drydock_bytes value, std::uint32_t flags);
  drydock_status artifact(const char* name, const char* path, const char* description);
  drydock_status remember(const char* key, drydock_bytes value);
  drydock_status recall(const char* key, drydock_bytes* out);
  drydock_status note_at(std::size_t index, drydock_bytes* key, drydock_bytes* value);
  drydock_status change(const drydock_change* change);
  drydock_status input(const char* path);
  drydock_status fact(const char* name, drydock_bytes value, std::uint32_t kind);
  drydock_status run_process(const drydock_process* process, drydock_exit* out);

 private:
  struct KeptNote {
    std::string_view key, value;  // in kept_texts_
  };

  // The step broke a rule: says so and returns BUG.
  drydock_status broke(const std::string& sentence);
  void set_reason(std::string sentence);
  // Sends, or says that it is too large.
  drydock_status send(std::string_view kind, const nlohmann::json& body, const char* what);
  drydock_status send_later(std::string_view kind, const nlohmann::json& body, const char* what);
  void keep(const std::string& key, std::string value);
  bool is_step(Step step) const { return step_ == step; }

  StageChannel& channel_;
  const StepRequest& request_;
  StageTimes times_;
  StageOptions options_;
  Descriptor cancel_fd_;
  CommandContext commands_;
  Step step_ = Step::run;
  drydock_call call_{};
  std::vector<const char*> compose_files_, profiles_;

  mutable std::mutex mutex_;  // of what follows
  std::string reason_;
  bool bug_ = false;
  std::chrono::steady_clock::time_point last_progress_{};
  bool complete_told_ = false;
  std::vector<KeptNote> notes_;         // in the order in which keys were first remembered
  std::deque<std::string> kept_texts_;  // grows only: a step may hold a pointer to an old value

  std::mutex remembering_;  // one at a time
  std::mutex answer_mutex_;
  std::condition_variable answer_came_;
  bool answered_ = false;
  std::optional<std::string> answer_;
};

}  // namespace drydock
