// backups: what runs have kept. Its hashes are checked here; what takes a database's own client is
// the stage's to do, in a worker.
#include <unistd.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <set>
#include <sstream>

#include "claim.h"
#include "commands.h"
#include "consent.h"
#include "deployment.h"
#include "json_text.h"
#include "kept_backups.h"
#include "lookup.h"
#include "prepared_rollback.h"
#include "quiet_listener.h"
#include "recovery.h"
#include "run_pipeline.h"
#include "set_aside.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr int columns = 80;

// The run that the command line names, as RUN or as a number alone.
std::optional<std::uint64_t> named_run(const Arguments& arguments) {
  if (arguments.positional.size() < 2) return std::nullopt;
  const std::string& named = arguments.positional[1];
  if (const auto number = parse_number(named)) return number;
  throw Error("found '" + named +
              "' where the number of a run is needed; `drydock backups list` lists them");
}

std::vector<KeptBackup> wanted(const Arguments& arguments, const StateDir& state) {
  return kept_backups(state, named_run(arguments), arguments.stage);
}

std::string of_which(const Arguments& arguments, const std::string& dir) {
  return (arguments.positional.size() > 1 ? " of run " + arguments.positional[1] : " of " + dir) +
         (arguments.stage.empty() ? "" : " and stage " + arguments.stage);
}

std::string described(const KeptBackup& backup) {
  if (!backup.unreadable.empty()) return backup.unreadable;
  std::string text = backup.kind == "files" ? backup.name : backup.kind + " " + backup.name;
  text += ", " + format_size(backup.bytes());
  if (backup.rows) {
    text += ", " + count_of(static_cast<std::int64_t>(*backup.rows), "row") + " in " +
            count_of(static_cast<std::int64_t>(backup.tables), "table");
  }
  if (backup.revisions) text += ", revision " + join(*backup.revisions, ", ");
  return text;
}

void print_lines(const std::string& text, const std::string& first, const std::string& next) {
  for (const std::string& line : wrap(make_visible(text), columns, first, next)) {
    std::cout << line << "\n";
  }
}

void list_set_aside(const std::vector<SetAside>& all) {
  if (all.empty()) return;
  std::string heading;
  for (const SetAside& aside : all) {
    const std::string now = "run " + std::to_string(aside.run) + "  " + aside.stage;
    if (now != heading) {
      std::cout << make_visible(now + "  " + aside.taken) << "  set aside by a restore\n";
    }
    heading = now;
    print_lines(describe(aside), "  ", "    ");
  }
  print_lines(std::to_string(all.size()) + " set aside, " + format_size(bytes_of(all)) +
                  "; `drydock backups prune --set-aside` removes what nobody needs to look at",
              "", "  ");
}

ExitCode list(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const std::vector<KeptBackup> backups = wanted(arguments, lookup.state);
  const std::vector<SetAside> aside =
      set_aside(lookup.state, named_run(arguments), arguments.stage);
  if (arguments.json) {
    json document = json::array();
    for (const KeptBackup& backup : backups) document.push_back(to_json(backup));
    std::cout << indented({{"backups", document}, {"set_aside", to_json(aside)}});
    return ExitCode::done;
  }
  if (backups.empty()) {
    std::cout << "no backups" << make_visible(of_which(arguments, lookup.dir)) << "\n";
  }
  std::string heading;
  std::int64_t bytes = 0;
  for (const KeptBackup& backup : backups) {
    const std::string now = "run " + std::to_string(backup.run) + "  " + backup.stage;
    if (now != heading) std::cout << make_visible(now + "  " + backup.taken) << "\n";
    heading = now;
    print_lines(described(backup), "  ", "    ");
    bytes += backup.bytes();
  }
  if (!backups.empty()) {
    std::cout << count_of(static_cast<std::int64_t>(backups.size()), "backup") << ", "
              << format_size(bytes) << ", in " << make_visible(lookup.state.path()) << "/backups\n";
  }
  list_set_aside(aside);
  return ExitCode::done;
}

struct Reading {
  std::string problem;  // "": it was read, or restored on trial
  std::vector<std::string> said;
};

// Lets the stage that kept them read its dumps to their end, or restore them on trial.
Reading read_whole(Workbench& bench, const Lookup& lookup, std::uint64_t run,
                   const std::string& stage) {
  Journal& journal = *lookup.journal;
  const StateDir& state = lookup.state;
  const std::optional<RunRecord> record = journal.run(run);
  if (!record) return {"the journal no longer knows run " + std::to_string(run), {}};
  if (bench.arguments().trial_restore) {
    refuse_run_of_another_deployment(*record, lookup.dir, state,
                                     "backups verify " + std::to_string(run) + " --restore");
  }
  for (const StageRecord& one : journal.stages(run)) {
    if (one.key != stage || !one.has(Step::verify)) continue;
    PreparedRollback prepared(bench, state, *record);
    Rollback rollback = prepared.rollback(journal);
    rollback.lift_limits();
    StepRequest request = rollback.request(run, one, Step::verify);
    request.options["check"] = bench.arguments().trial_restore ? "restore" : "read";
    request.cancellable = true;
    QuietListener reader(bench.masker());
    const StepResult result = bench.worker().perform(request, reader);
    return {result.ok() ? "" : bench.masker().mask(describe(result.outcome)), reader.said};
  }
  return {"run " + std::to_string(run) + " has no stage " + stage + " that could read it", {}};
}

ExitCode verify(const Arguments& arguments) {
  const Lookup lookup(arguments);
  lookup.runs();
  Workbench bench(arguments);
  bench.handle_signals();
  // A trial uses the server that a run may be working on.
  std::optional<DeploymentLock> lock;
  if (arguments.trial_restore) lock.emplace(lookup.state, bench.patience());
  const std::vector<KeptBackup> backups = wanted(arguments, lookup.state);
  if (backups.empty()) {
    throw Error("there are no backups" + of_which(arguments, lookup.dir) +
                "; `drydock backups list` lists those that are");
  }
  json checked = json::array();
  std::size_t bad = 0;
  const auto tell = [&](const KeptBackup& backup, const std::string& problem) {
    if (!problem.empty()) ++bad;
    json one = to_json(backup);
    one["problem"] = problem;
    checked.push_back(std::move(one));
    if (arguments.json) return;
    const std::string who = "run " + std::to_string(backup.run) + "  " + backup.stage + "  " +
                            (backup.unreadable.empty() ? described(backup) : "manifest");
    print_lines(who + (problem.empty() ? ": good" : ": bad"), "", "  ");
    if (!problem.empty()) print_lines(problem, "    ", "    ");
    std::cout.flush();
  };
  std::map<std::pair<std::uint64_t, std::string>, std::vector<const KeptBackup*>> whole;
  std::set<std::pair<std::uint64_t, std::string>> damaged;
  for (const KeptBackup& backup : backups) {
    const std::string problem = damage(backup);
    const auto stage = std::pair(backup.run, backup.stage);
    if (problem.empty() && backup.restorable()) {
      whole[stage].push_back(&backup);
    } else {
      if (!problem.empty()) damaged.insert(stage);
      tell(backup, problem);
    }
  }
  for (const auto& [stage, of_stage] : whole) {
    if (bench.cancellation().requested()) throw Error("cancelled", ExitCode::cancelled);
    // One that is damaged would be all that the stage speaks of.
    Reading reading;
    if (damaged.count(stage) != 0) {
      reading.said.push_back("not read to its end, as another one of the stage is damaged");
    } else {
      reading = read_whole(bench, lookup, stage.first, stage.second);
    }
    for (const KeptBackup* backup : of_stage) tell(*backup, reading.problem);
    if (arguments.json) continue;
    for (const std::string& said : reading.said) print_lines(said, "    ", "      ");
  }
  if (arguments.json) {
    std::cout << indented({{"backups", checked}, {"bad", bad}});
  } else {
    const std::size_t all = checked.size();
    std::cout << (bad == 0 ? "all " + std::to_string(all) + " good"
                           : std::to_string(bad) + " of " + std::to_string(all) + " bad")
              << "\n";
  }
  return bad == 0 ? ExitCode::done : ExitCode::check_found;
}

// What a restore kept of that which it replaced is the damage itself, as likely as not: a rollback
// of that run puts it back, or naming the run.
bool kept_by_restore(const Lookup& lookup, const KeptBackup& backup) {
  const std::vector<StageRecord> stages = lookup.runs().stages(backup.run);
  return std::any_of(stages.begin(), stages.end(), [&](const StageRecord& stage) {
    return stage.key == backup.stage && stage.uses == "restore";
  });
}

// The stage whose databases are to be restored: of the run or stage that was named, else of the
// newest run that has any, restores left out.
std::pair<std::uint64_t, std::string> stage_to_restore(const Arguments& arguments,
                                                       const Lookup& lookup) {
  std::vector<KeptBackup> backups = wanted(arguments, lookup.state);
  const bool named = arguments.positional.size() > 1 || !arguments.stage.empty();
  std::set<std::string> stages;
  std::uint64_t run = 0;
  if (!named) {
    backups.erase(
        std::remove_if(backups.begin(), backups.end(),
                       [&](const KeptBackup& backup) { return kept_by_restore(lookup, backup); }),
        backups.end());
  }
  for (const KeptBackup& backup : backups) {
    if (backup.restorable()) run = std::max(run, backup.run);
  }
  for (const KeptBackup& backup : backups) {
    if (backup.restorable() && backup.run == run) stages.insert(backup.stage);
  }
  if (stages.empty()) {
    throw Error("there is no backup of a database" + of_which(arguments, lookup.dir) +
                "; `drydock backups list` lists what there is");
  }
  if (stages.size() > 1) {
    throw Error("run " + std::to_string(run) + " has backups of the stages " +
                join({stages.begin(), stages.end()}, " and ") + "; name one with --stage");
  }
  return {run, *stages.begin()};
}

// A run of one stage, which reaches the servers as the stage did that made the backup.
Pipeline restoring_pipeline(const Arguments& arguments, const Lookup& lookup) {
  const auto [run, stage] = stage_to_restore(arguments, lookup);
  const std::optional<RunRecord> record = lookup.runs().run(run);
  json with = {{"from", lookup.state.backups(run, stage)}};
  if (!arguments.only.empty()) with["only"] = arguments.only;
  Pipeline pipeline;
  if (record) {
    refuse_run_of_another_deployment(*record, lookup.dir, lookup.state,
                                     "backups restore " + std::to_string(run));
    for (const StageRecord& one : lookup.runs().stages(run)) {
      if (one.key != stage || !one.options.is_object() || !one.options.contains("databases")) {
        continue;
      }
      with["databases"] = one.options["databases"];
      for (const auto& [pointer, text] : one.secret_texts.items()) {
        if (pointer.rfind("/databases/", 0) == 0) with[json::json_pointer(pointer)] = text;
      }
    }
  }
  const json document = {{"drydock", 1},
                         {"name", "restore-run-" + std::to_string(run)},
                         {"stages", json::array({{{"uses", "restore"}, {"with", with}}})}};
  pipeline = parse_pipeline(compact(document), "the restore of run " + std::to_string(run));
  pipeline.file.clear();  // nothing that could be read again
  if (record) {
    // The deployment that the run knew, also where its pipeline had named files or project.
    const ComposeProject before = deployment_from_json(record->deployment).compose;
    const bool there = std::all_of(before.files.begin(), before.files.end(), [](const auto& file) {
      return ::access(file.c_str(), F_OK) == 0;
    });
    if (!before.project.empty()) pipeline.deployment.project = before.project;
    if (!before.files.empty() && there) pipeline.deployment.files = before.files;
    if (!before.profiles.empty()) pipeline.deployment.profiles = before.profiles;
    pipeline.secrets = secret_sources_from_json(record->secret_sources);
    for (const auto& [name, value] : record->vars.items()) pipeline.vars[name].value = value;
  }
  return pipeline;
}

ExitCode restore(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const std::string interruption = lookup.interruption();
  if (!interruption.empty()) throw Error(interruption, ExitCode::busy);
  require_consent_possible(arguments);
  const Pipeline pipeline = restoring_pipeline(arguments, lookup);
  Workbench bench(arguments);
  bench.handle_signals();
  return run_pipeline(bench, pipeline);
}

}  // namespace

ExitCode command_backups(const Arguments& arguments) {
  const std::string& action = arguments.positional.front();
  if (action == "prune") return command_prune(arguments);
  if (action == "restore") return restore(arguments);
  const ExitCode code = action == "list" ? list(arguments) : verify(arguments);
  std::cout.flush();
  mention_interruption(arguments);
  return code;
}

}  // namespace drydock
