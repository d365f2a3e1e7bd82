// A run: read run() from top to bottom and you know the product.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "downtime_meter.h"
#include "error.h"
#include "journal.h"
#include "planner.h"
#include "rollback.h"
#include "rollback_plugin.h"
#include "session.h"
#include "stage_attempts.h"

namespace drydock {

class Runner {
 public:
  // The deployment's lock is held by the caller.
  Runner(Session& session, Journal& journal);
  ~Runner();

  // Carries out the plan: every stage forward, or everything back. Returns how it ended.
  ExitCode run(Plan plan);
  // The same with a plan_rehearsal(): nothing of it stays, so that it ends as RunState::rehearsed,
  // and no snapshot is taken.
  ExitCode rehearse(Plan plan);
  // Goes on with a run that was interrupted, or stopped. The plan is what restore() made of its
  // journal.
  ExitCode resume(Plan plan, const RunRecord& record);

 private:
  using Failure = StageFailure;

  void open_run(const Plan& plan);
  void tell_of_run(std::uint64_t last_seq, const std::string& goes_on_with);
  void close_unbegun_run();
  ExitCode to_its_end(Plan& plan, std::chrono::steady_clock::time_point began);
  ExitCode bring_to_an_end(Plan& plan, const std::optional<Failure>& failure,
                           std::chrono::steady_clock::time_point began);
  void keep_snapshot();
  std::optional<Failure> carry_out(Plan& plan);
  std::optional<Failure> carry_out(PlannedStage& stage);
  std::optional<Failure> carry_out(const std::vector<PlannedStage*>& block);
  std::optional<Failure> begin(PlannedStage& stage);
  Failure not_begun(const PlannedStage& stage, const Failure& failure);
  std::optional<Failure> settle_unknowns(PlannedStage& stage);
  std::optional<Failure> attempt(const PlannedStage& stage);
  bool goes_on_without(const PlannedStage& stage, const Failure& failure);
  RollbackReport roll_back(const Failure& failure);
  std::vector<std::string> rehearsal_findings(const Plan& plan) const;
  void run_finally(Plan& plan, const std::string& status, const std::optional<Failure>& failure);

  nlohmann::json run_values(const std::string& status, const std::optional<Failure>& failure) const;
  Scope scope(const nlohmann::json& run);
  Rollback rollback();

  Session& session_;
  Journal& journal_;
  Planner planner_;
  RollbackPlugins rollback_plugins_;
  StepPerformer performer_;
  std::unique_ptr<EventSink> log_, cancel_requests_;
  std::unique_ptr<DowntimeMeter> meter_;  // null: nothing is measured
  std::uint64_t run_ = 0;
  bool rehearsal_ = false;
  std::mutex alone_;                       // of the turn of a stage that runs alone
  std::vector<std::string> not_put_back_;  // of stages under `on_failure: continue`
};

}  // namespace drydock
