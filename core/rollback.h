// Putting back what a run changed, from the journal alone: in the process of the run, or in another
// one after it died.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "deployment.h"
#include "expression.h"
#include "interruption_question.h"
#include "journal.h"
#include "step_performer.h"

namespace drydock {

struct RollbackReport {
  std::vector<std::string> problems;     // a step that failed: stage, step, reason
  std::vector<std::string> differences;  // facts that did not return
  std::vector<std::string> left;         // what no rollback exists for
  std::set<std::string> not_put_back;    // the stages of both
  bool out_of_memory = false;            // a step reached its limits.memory, or crashed below it
  bool verified() const { return problems.empty() && differences.empty(); }

  // Where many steps fail for one reason, as without an engine, the reason is said once: "data:
  // rollback, backup: rollback, data: settle failed: ...".
  void add_problem(const std::string& what, const std::string& why);

 private:
  std::map<std::string, std::size_t> reasons_;  // where in `problems`
};

class Rollback {
 public:
  // The plugin file that undoes a stage. Throws Error when there is none.
  using PluginFor = std::function<FileIdentity(const StageRecord&)>;

  // `scope` evaluates secret options again: vars and secrets.
  Rollback(Journal& journal, Worker& worker, Events& events, Masker& masker, const StateDir& state,
           Deployment deployment, Scope scope, PluginFor plugin_for);

  // Stages that had a limit go without it: a rollback that has too little memory is repeated so.
  void lift_limits() { limited_ = false; }

  // Both passes over every stage that was started and not rolled back alone before, then the proof.
  RollbackReport whole_run(std::uint64_t run, const std::string& reason);
  // A stage as it is now, without a change: what a rollback would have to put back. Journals
  // nothing.
  StepReport look(std::uint64_t run, const StageRecord& stage, std::string& problem);
  // `on_failure: continue`: this stage alone. The facts of before its run must return, which
  // earlier stages have made others than those of before the first change.
  RollbackReport one_stage(std::uint64_t run, int position, const std::vector<Fact>& before);

  // What a worker is asked to do for a stage of the run: with its options, secrets and notes.
  StepRequest request(std::uint64_t run, const StageRecord& stage, Step step);

 private:
  using Stages = std::vector<StageRecord>;
  void roll_back(std::uint64_t run, const Stages& started, RollbackReport& result);
  bool perform(std::uint64_t run, const StageRecord& stage, Step step, StepReport& report,
               RollbackReport& result);
  void verify(std::uint64_t run, const StageRecord& stage, const std::vector<Fact>& before,
              RollbackReport& result);
  void note_end(std::uint64_t run, const StageRecord& stage, StageState state,
                const std::string& reason, const StepReport& report, RollbackReport& result);

  Journal& journal_;
  Events& events_;
  const StateDir& state_;
  Deployment deployment_;
  Scope scope_;
  PluginFor plugin_for_;
  StepPerformer performer_;
  InterruptionQuestion question_;
  int count_ = 0;  // stages of the run, for people
  bool limited_ = true;
};

}  // namespace drydock
