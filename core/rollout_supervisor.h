// Carries out a rollout: an event loop over the ordinary runs of its environments, each of which
// goes on by itself. What it knows is in the store before anybody acts on it, so that another
// supervisor can take its place at any moment.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cancellation.h"
#include "child_pool.h"
#include "error.h"
#include "events.h"
#include "rollout_answer.h"
#include "rollout_host.h"
#include "rollout_host_report.h"
#include "rollout_patience.h"
#include "rollout_promotion.h"
#include "rollout_report.h"
#include "rollout_run_log.h"
#include "rollout_standing.h"
#include "rollout_store.h"
#include "secret_commands.h"
#include "sent_pipeline.h"
#include "temporary_dir.h"

namespace drydock {

struct SupervisorSetup {
  const Hosts& hosts;
  RolloutCommands commands;
  std::string folder;  // for logs, gates and notifications; private
  std::vector<std::string> plugin_dirs;
  bool until_approval = false;           // end instead of waiting for one
  std::optional<SentPipeline> pipeline;  // for other hosts
  Expected expected;                     // of these
  std::set<std::size_t> ask_again;       // environments whose hosts are asked before their wave
};

class Supervisor {
 public:
  // All of these outlive it.
  Supervisor(RolloutRecord rollout, RolloutStore& store, const SupervisorSetup& setup,
             RolloutReport& report, Masker& masker, const Cancellation& cancellation);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // To the end of the rollout; until it waits for an approval, where the setup says so (exit code
  // 6); or until a cancel, which leaves the runs going on and the rollout to be resumed (4). Throws
  // Error, which names them: with exit code 3 where what is here stands in the way.
  ExitCode supervise();

 private:
  // What is known of an environment's run beside its record.
  struct Work {
    std::string printed;  // by the command that asks its host, looks at it, starts it or shows it
    Instant asked = 0;    // when its host was
    SecretCommands secrets;  // for the command that starts it
    RunLog log;
    Patience patience;  // with commands that end without a word
    bool cancel_wanted = false;
    bool may_run = false;    // an order to start it may have arrived, though no answer came
    bool not_found = false;  // no run had its key when its host was asked the last time
  };
  enum class Purpose : std::size_t { ask, look, secret, launch, find, follow, show, cancel, count };

  ExitCode carry_on();
  std::string left() const;
  void act_on(const Schedule::Decision& decision);
  static std::size_t tag_of(std::size_t target, Purpose purpose) {
    return target * static_cast<std::size_t>(Purpose::count) + static_cast<std::size_t>(purpose);
  }
  static std::size_t target_of(std::size_t tag) {
    return tag / static_cast<std::size_t>(Purpose::count);
  }
  static Purpose purpose_of(std::size_t tag) {
    return static_cast<Purpose>(tag % static_cast<std::size_t>(Purpose::count));
  }
  void start(std::size_t target, Purpose purpose, const std::vector<std::string>& words,
             const std::string& input = "");
  Schedule resumed();
  void keep_lease();
  bool asks_hosts();
  void answered(std::size_t target, const ChildEvent& event);
  void begin(std::size_t target);
  void unknown_drift(std::size_t target, const std::string& why);
  void looked(std::size_t target, const ChildEvent& event);
  void leave_out(std::size_t target, const std::string& why);
  void remember(std::size_t target);
  std::string key_of(std::size_t target) const;
  void launch(std::size_t target);
  void find(std::size_t target);
  void found(std::size_t target, const ChildEvent& event);
  void has_begun(std::size_t target, std::uint64_t run);
  void put_off(std::size_t target);
  void set_aside(std::size_t target);
  void attach(std::size_t target);
  void follow(std::size_t target);
  void cancel(std::size_t target);
  void tell_begun();
  const std::string& folder_of(const ControllerStage& stage);
  void ask_gate(std::size_t wave);
  void notify(std::size_t wave, const std::string& status);
  void handle(const ChildEvent& event);
  void launched(std::size_t target, const ChildEvent& event);
  void follow_line(std::size_t target, const std::string& line);
  void followed(std::size_t target, const ChildEvent& event);
  void show(std::size_t target);
  void shown(std::size_t target, const ChildEvent& event);
  void cancelled(std::size_t target, const ChildEvent& event);
  void blocked(std::size_t target, Purpose purpose, const Obstacle& obstacle);
  void give_up(std::size_t target, const std::string& why);
  void heard(std::size_t target);
  void try_again(std::size_t tag);
  void refused(std::size_t target, const std::string& why);
  void target_ended(std::size_t target, int code, const std::string& reason);
  void controller_stage_ended(const ChildEvent& event);
  void gate_answered(const std::string& printed, const ChildEvent& event);
  void look_for_approvals();
  std::chrono::milliseconds wait_for(const Schedule::Decision& decision) const;
  void finish_notifications();
  ExitCode finish(Schedule::End end);

  RolloutRecord rollout_;
  RolloutStore& store_;
  const SupervisorSetup& setup_;
  RolloutReport& report_;
  Masker& masker_;
  const Cancellation& cancellation_;
  std::vector<TargetRecord> targets_;
  std::vector<WaveRecord> waves_;
  std::string here_;                                    // this machine's name
  Promotion promotion_;                                 // of all environments that were upgraded
  nlohmann::json promoted_ = nlohmann::json::object();  // what waves that have passed did
  std::string disagreement_;                            // of environments of the wave at work
  Schedule schedule_;
  std::optional<TemporaryDir> unkept_;  // of gates and notifications that hold a secret
  ChildPool pool_;
  Retries retries_;
  Instant renewed_ = now_in_milliseconds();  // the lease
  std::map<std::size_t, Work> work_;         // of what runs, and of hosts that are asked
  std::set<std::size_t> ask_again_;          // of waves to come
  std::set<std::size_t> asking_;             // environments whose hosts have not answered
  std::optional<std::size_t> told_begun_;    // the wave that begins, on the screen
  // Of gates and notifications that run: what each has printed, by its tag.
  std::map<std::size_t, std::string> controller_stages_;
  std::size_t notifications_ = 0;  // that were started
  bool ended_at_once_ = false;     // one that could not be started: what may be done now is another
  std::optional<std::size_t> told_waiting_;  // the wave whose approval was asked for on the screen
};

}  // namespace drydock
