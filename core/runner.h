// A run: read run() from top to bottom and you know the product.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "error.h"
#include "journal.h"
#include "planner.h"
#include "rollback.h"
#include "rollback_plugin.h"
#include "session.h"

namespace drydock {

class Runner {
 public:
  // The deployment's lock is held by the caller.
  Runner(Session& session, Journal& journal);
  ~Runner();

  // Carries out the plan: every stage forward, or everything back. Returns how it ended.
  ExitCode run(Plan plan);
  // Goes on with a run that was interrupted, or stopped. The plan is what restore() made of its
  // journal.
  ExitCode resume(Plan plan, const RunRecord& record);

 private:
  struct Failure {
    std::string stage, step, reason;
    bool cancelled = false;
  };

  void open_run(const Plan& plan);
  void tell_of_run(std::uint64_t last_seq, const std::string& goes_on_with);
  void close_unbegun_run();
  ExitCode to_its_end(Plan& plan, std::chrono::steady_clock::time_point began);
  ExitCode bring_to_an_end(Plan& plan, const std::optional<Failure>& failure,
                           std::chrono::steady_clock::time_point began);
  void keep_snapshot();
  std::optional<Failure> carry_out(Plan& plan);
  std::optional<Failure> carry_out(PlannedStage& stage);
  Failure not_begun(const PlannedStage& stage, const Failure& failure);
  std::optional<Failure> settle_unknowns(PlannedStage& stage);
  std::optional<Failure> attempt(PlannedStage& stage);
  std::optional<Failure> perform(const PlannedStage& stage, Step step, unsigned attempt,
                                 StepReport& gathered);
  bool pause_before_retry(const PlannedStage& stage, unsigned attempt, const Failure& failure);
  bool goes_on_without(const PlannedStage& stage, const Failure& failure);
  RollbackReport roll_back(const Failure& failure);
  void run_finally(Plan& plan, const std::string& status, const std::optional<Failure>& failure);

  std::optional<Failure> failure_of(const PlannedStage& stage, const StepReport& report) const;
  void emit_finished(const PlannedStage& stage, const std::string& status,
                     const std::string& reason);
  nlohmann::json run_values(const std::string& status, const std::optional<Failure>& failure) const;
  Scope scope(const nlohmann::json& run);
  Rollback rollback();

  Session& session_;
  Journal& journal_;
  Planner planner_;
  RollbackPlugins rollback_plugins_;
  StepPerformer performer_;
  std::unique_ptr<EventSink> log_, cancel_requests_;
  std::uint64_t run_ = 0;
  std::chrono::steady_clock::time_point stage_began_;
  std::vector<std::string> not_put_back_;  // of stages under `on_failure: continue`
};

}  // namespace drydock
