// What a run would do, as a value: every stage observed and planned, in order, each on the planned
// files of those before it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "session.h"
#include "step_performer.h"

namespace drydock {

struct PlannedStage {
  enum class State { planned, skipped, unknown };
  const StageSpec* spec = nullptr;
  const IndexedStage* type = nullptr;
  StageIdentity identity;
  bool final = false;  // of `finally`
  // By `drydock rehearse`: with the options and the files that were planned, as the stages before
  // it are not carried out.
  bool rehearsed = false;

  State state = State::planned;
  std::string reason;     // why it is skipped; what it waits for ("after pull")
  bool resolved = false;  // options are known
  ResolvedOptions options;
  bool observed = false;
  std::vector<Fact> facts;
  // `on_failure: continue`: the facts right before its run.
  std::vector<Fact> facts_when_begun;
  std::vector<PlannedChange> changes;
  std::vector<Input> inputs;

  // Of a run that goes on after an interruption.
  bool ended = false;                           // nothing is left to do
  unsigned attempts = 0;                        // that were begun
  std::optional<std::string> failed_before;     // why; it is still to be put back alone
  std::chrono::steady_clock::time_point began;  // its run

  bool has(Step step) const { return type->has(step, options.values); }
  std::optional<FileIdentity> plugin() const;  // none: known without having been looked at
  bool can_roll_back() const { return has(Step::rollback) || has(Step::settle); }
};

struct Plan {
  std::vector<PlannedStage> stages;  // `finally` stages last
  std::optional<PlannedStage> probe;
};

// The `what` of a planned change that says what a rollback could not put back as it was.
inline constexpr std::string_view partial_rollback = "rollback";

// Fills in whose request it is: plugin, stage and resolved options.
void address(StepRequest& request, const PlannedStage& stage);

class Planner {
 public:
  explicit Planner(Session& session);

  // The stages in their order, neither observed nor planned.
  Plan laid_out() const;
  // Emits plan.* events. Throws Error when a stage cannot be planned: nothing was changed.
  Plan plan(bool may_fetch);
  // Of the stages for which `is_rehearsed` holds; the plan has no others. Those before them are
  // planned for the files and outputs that they would provide, and fill caches. Throws Error, also
  // where one is not wholly known.
  Plan plan_rehearsal(const std::function<bool(const StageSpec&)>& is_rehearsed);

  // Facts that have changed since the plan was made, as sentences. Empty: the plan still holds.
  std::vector<std::string> stale_facts(const Plan& plan);

  // The facts of a stage as they are now.
  StepReport observe(const PlannedStage& stage);

  // Evaluates `when` and the options. False: the stage is skipped, or waits for something unknown.
  bool resolve(PlannedStage& stage, const Scope& scope);
  // Observes and plans one stage; its outcome is left to the caller.
  StepReport examine(PlannedStage& stage, const StepRequest& base, StepPerformer& performer,
                     bool may_fetch);

 private:
  PlannedStage plan_probe();
  void emit_started(std::size_t stages);
  void refuse_when_cancelled() const;
  void read_secrets(const Plan& plan);
  void plan_stage(PlannedStage& stage, bool may_fetch);
  std::string planned_env_file() const;
  void emit_planned(const PlannedStage& stage);
  void emit_totals(const Plan& plan);
  // Throws Error when the stages would save more than the state folder's disk has free.
  void check_space(const Plan& plan) const;

  Session& session_;
  StepPerformer performer_;
  PlannedFiles planned_files_;
};

// A fact that must return and did not.
struct FactDifference {
  std::string stage, name, before;
  std::optional<std::string> after;  // nullopt: not reported any more
  std::string text() const;          // a sentence with both values
};
std::vector<FactDifference> compare_facts(const std::string& stage, const std::vector<Fact>& before,
                                          const std::vector<Fact>& after);

// What is known to be secret by now was not, perhaps, when `facts` were seen: to be compared with
// facts of now, they are masked like these.
std::vector<Fact> masked(std::vector<Fact> facts, const Masker& masker);

// A worker that looks at the world is given up after this long, unless the stage says otherwise.
inline constexpr std::chrono::minutes examination_timeout{10};

}  // namespace drydock
