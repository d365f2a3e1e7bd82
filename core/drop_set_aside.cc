#include "drop_set_aside.h"

#include <unistd.h>

#include <filesystem>
#include <map>
#include <utility>

#include "error.h"
#include "pipeline.h"
#include "prepared_rollback.h"
#include "quiet_listener.h"
#include "recovery.h"

namespace drydock {
namespace {

using nlohmann::json;

Error not_removed(const std::string& what, const std::string& why) {
  return Error(what + " could not be removed: " + why, ExitCode::needs_person);
}

void remove_aside_file(const SetAside& aside) {
  std::error_code error;
  std::filesystem::remove_all(aside.file, error);
  if (error) {
    throw not_removed(aside.file, error.message() + "; check who owns it, then repeat");
  }
  ::unlink(aside.manifest.c_str());
}

// Which databases of one stage.
void drop_databases(Workbench& bench, Journal& journal, const std::string& dir,
                    const StateDir& state, const std::vector<const SetAside*>& databases,
                    std::vector<std::string>& said) {
  const SetAside& first = *databases.front();
  const std::string what = describe(first);
  const std::optional<RunRecord> run = journal.run(first.run);
  if (!run) {
    throw not_removed(what, "the journal does not know run " + std::to_string(first.run) +
                                "; drop it by hand and remove " + first.manifest);
  }
  refuse_run_of_another_deployment(*run, dir, state, "backups prune --set-aside");
  for (const StageRecord& stage : journal.stages(first.run)) {
    if (stage.key != first.stage) continue;
    StageRecord dropping = stage;
    dropping.uses = set_aside_type;
    dropping.options = {{"only", json::array()}};
    for (const SetAside* one : databases) dropping.options["only"].push_back(one->id);
    for (const char* option : {"databases", "wait"}) {
      if (stage.options.contains(option)) dropping.options[option] = stage.options[option];
    }
    PreparedRollback prepared(bench, state, *run);
    Rollback rollback = prepared.rollback(journal);
    rollback.lift_limits();
    StepRequest request = rollback.request(first.run, dropping, Step::run);
    request.cancellable = true;
    QuietListener listener(bench.masker());
    const StepResult result = bench.worker().perform(request, listener);
    said.insert(said.end(), listener.said.begin(), listener.said.end());
    if (!result.ok()) throw not_removed(what, bench.masker().mask(describe(result.outcome)));
    return;
  }
  throw not_removed(what, "run " + std::to_string(first.run) + " has no stage " + first.stage);
}

}  // namespace

std::vector<std::string> drop_set_aside(Workbench& bench, Journal& journal, const std::string& dir,
                                        const StateDir& state, const std::vector<SetAside>& all) {
  std::vector<std::string> said;
  std::map<std::pair<std::uint64_t, std::string>, std::vector<const SetAside*>> databases;
  for (const SetAside& aside : all) {
    if (!aside.unreadable.empty()) {
      throw Error(aside.unreadable + "; see what it names, drop that by hand, and remove the file",
                  ExitCode::needs_person);
    }
    if (aside.file.empty()) {
      databases[{aside.run, aside.stage}].push_back(&aside);
    } else {
      remove_aside_file(aside);
    }
  }
  for (const auto& of_stage : databases) {
    drop_databases(bench, journal, dir, state, of_stage.second, said);
  }
  return said;
}

}  // namespace drydock
