// status, history and show: the commands that only look.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <iostream>
#include <limits>

#include "commands.h"
#include "deployment.h"
#include "installation.h"
#include "json_text.h"
#include "lookup.h"
#include "planner.h"
#include "recovery.h"
#include "text.h"
#include "view_closing.h"
#include "view_text.h"
#include "workbench.h"

namespace drydock {
namespace {

using nlohmann::json;

json to_json(const RunRecord& run, bool going_on) {
  return {{"run", run.id},
          {"key", run.key},
          {"state", name_of(run.state)},
          {"state_text", state_in_words(run, going_on)},
          {"pipeline", run.pipeline},
          {"pipeline_file", run.pipeline_file},
          {"user", run.user},
          {"host", run.host},
          {"started", run.started},
          {"finished", run.finished},
          {"exit_code", run.exit_code < 0 ? json() : json(run.exit_code)},
          {"failed_stage", run.failed_stage},
          {"failed_step", run.failed_step},
          {"reason", run.reason},
          {"vars", masked_vars(run.vars)}};
}

std::string run_line(const RunRecord& run, bool going_on) {
  std::string line = "run " + std::to_string(run.id) + "  " + run.pipeline + "  " + run.started +
                     "  " + state_in_words(run, going_on);
  if (!run.failed_stage.empty()) line += " (failed: " + run.failed_stage + ")";
  return make_visible(line);
}

// Whoever reads lines by a program gets whole ones.
void print_long(const std::string& first, const std::string& text) {
  const ViewStyle style = style_of_stdout();
  const int width = style.terminal ? style.width : std::numeric_limits<int>::max();
  const std::string next(first.empty() ? 4 : first.size(), ' ');
  for (const std::string& line : wrap(text, width, first, next)) {
    std::cout << line << "\n";
  }
}

json stage_json(const Journal& journal, std::uint64_t run, const StageRecord& stage) {
  json facts = json::array(), artifacts = json::array();
  json outputs = json::object(), promoted = json::array();
  // What a stage that was put back alone has to be compared with is younger than the run.
  const Moment compared =
      stage.state == StageState::put_back_alone ? Moment::when_begun : Moment::before;
  const std::vector<Fact> before = journal.facts(run, stage.position, compared);
  const std::vector<Fact> after = journal.facts(run, stage.position, Moment::after_rollback);
  for (const Fact& fact : before) {
    json entry = {{"name", fact.name}, {"before", fact.value}, {"must_return", fact.must_return}};
    if (!after.empty()) entry["after_rollback"] = nullptr;  // not reported any more
    for (const Fact& later : after) {
      if (later.name == fact.name) entry["after_rollback"] = later.value;
    }
    facts.push_back(entry);
  }
  for (const Artifact& artifact : journal.artifacts(run, stage.position)) {
    artifacts.push_back(
        {{"name", artifact.name}, {"path", artifact.path}, {"description", artifact.description}});
  }
  for (const Output& output : journal.outputs(run, stage.position)) {
    outputs[output.name] = output.value;
    if (output.promote) promoted.push_back(output.name);
  }
  return {{"stage", stage.key},
          {"name", stage.name},
          {"uses", stage.uses},
          {"state", name_of(stage.state)},
          {"step", stage.step},
          {"attempts", stage.attempt},
          {"started", stage.started},
          {"finished", stage.finished},
          {"reason", stage.reason},
          {"plugin", stage.plugin_id},
          {"plugin_version", stage.plugin_version},
          {"plugin_file", stage.plugin_file},
          {"facts", facts},
          {"artifacts", artifacts},
          {"outputs", outputs},
          {"promoted", promoted}};
}

std::string said_of(const json& value) {
  constexpr std::size_t shown = 60;
  return value.is_null() ? "not reported any more"
                         : make_visible(shorten(value.get<std::string>(), shown));
}

// What each fact was before the run and is after its rollback: those that differ, and how many do
// not.
void print_comparison(const json& facts, bool verbose) {
  std::size_t same = 0, compared = 0;
  for (const json& fact : facts) {
    if (!fact.contains("after_rollback")) continue;
    const bool returned = fact["before"] == fact["after_rollback"];
    ++compared;
    if (returned) ++same;
    if (returned && !verbose) continue;
    print_long("      ", fact["name"].get<std::string>() + ": was " + said_of(fact["before"]) +
                             ", is " + said_of(fact["after_rollback"]) +
                             (returned || fact["must_return"] == true ? "" : " (for information)"));
  }
  if (compared == 0) return;
  std::cout << "      " << same << " of " << compared << (compared == 1 ? " fact is" : " facts are")
            << " as before the run\n";
}

void print_stage(const json& stage, bool verbose) {
  const auto text = [&](const char* key) { return make_visible(stage[key].get<std::string>()); };
  const std::string first = "  " + pad(text("stage"), 18) + " " + pad(text("state"), 12) + " ";
  const std::string next(34, ' ');
  for (const std::string& line : wrap(text("reason"), style_of_stdout().width, first, next)) {
    std::cout << line << "\n";
  }
  print_comparison(stage["facts"], verbose);
  for (const json& artifact : stage["artifacts"]) {
    std::cout << "      kept: " << make_visible(artifact["path"].get<std::string>()) << "\n";
  }
}

// The answers of the closing screen, as the run gave them.
void print_closing(const RunRecord& run) {
  ClosingReport report;
  Event started, finished;
  started.type = "run.started";
  finished.type = "run.finished";
  started.run = finished.run = run.id;
  started.data = {{"pipeline", run.pipeline}, {"pipeline_file", run.pipeline_file}};
  finished.data = run.closing;
  report.add(started);
  report.add(finished);
  for (const std::string& line : report.lines(style_of_stdout())) std::cout << line << "\n";
}

// Each command on a line of its own, whole, so that it can be copied.
void print_waiting(const std::optional<Waiting>& waiting) {
  if (!waiting) return;
  std::cout << "\n";
  print_long("", waiting->what);
  for (const Waiting::Offer& offer : waiting->offers) {
    std::cout << "  " << offer.purpose << ":\n    " << make_visible(offer.command) << "\n";
  }
}

// What `run --key` would find: run and removed are null where no run has, or had, the key.
json key_document(const Lookup& lookup, const std::string& key,
                  const std::optional<DeploymentLock::Holder>& holder) {
  json run, removed;
  if (lookup.journal) {
    if (const auto found = lookup.journal->run_with_key(key)) run = found->id;
    if (const auto found = lookup.journal->removed_run_with_key(key)) removed = found->id;
  }
  return {{"key", key},
          {"run", run},
          {"removed_run", removed},
          {"planned", run.is_null() && holder && holder->key == key}};
}

std::string key_text(const json& found) {
  const std::string key = "'" + text_at(found, "key") + "' ";
  if (number_at(found, "run") > 0) return key + "of run " + plain_text(found["run"]);
  if (flag_at(found, "planned")) return key + "of a run that is being planned";
  if (number_at(found, "removed_run") == 0) return key + "of no run";
  return key + "of run " + plain_text(found["removed_run"]) + ", which was removed since";
}

}  // namespace

ExitCode command_status(const Arguments& arguments) {
  // The lock first: who has begun its run and let go since is found in the journal.
  const std::optional<DeploymentLock::Holder> holder =
      DeploymentLock::held(state_of(arguments, deployment_dir(arguments.directory, {})));
  const Lookup lookup(arguments);
  ComposeProject project;
  std::string unknown_project;
  try {
    project = find_compose_project({}, lookup.dir, evaluate_dot_env(lookup.dir + "/.env"));
  } catch (const Error& e) {
    unknown_project = e.what();  // what waits for a person is said all the same
  }
  std::optional<std::vector<RunningService>> services;
  if (!project.project.empty()) services = services_of(project, lookup.dir);
  std::optional<RunRecord> last;
  if (lookup.journal) last = lookup.journal->last_run();
  const std::optional<Waiting> interrupted = lookup.interrupted();
  std::optional<Waiting> left;
  if (lookup.journal && !interrupted) left = half_done(*lookup.journal, lookup.dir, lookup.state);
  const ExitCode code = interrupted ? ExitCode::busy
                        : left      ? ExitCode::needs_person
                                    : ExitCode::done;
  if (arguments.json) {
    json document = {
        {"deployment", lookup.dir},
        {"project", project.project},
        {"engine", project.engine},
        {"services", nullptr},
        {"last_run", last ? to_json(*last, holder.has_value()) : json()},
        {"interrupted", interrupted ? json(interrupted->sentence()) : json()},
        {"half_done", left ? json(left->sentence()) : json()},
        {"lock", holder
                     ? json{{"pid", holder->pid}, {"user", holder->user}, {"since", holder->since}}
                     : json()}};
    if (services) {
      document["services"] = json::array();
      for (const RunningService& service : *services) {
        document["services"].push_back({{"service", service.service},
                                        {"image", service.image},
                                        {"state", service.state},
                                        {"health", service.health}});
      }
    }
    if (!arguments.key.empty()) document["key"] = key_document(lookup, arguments.key, holder);
    if (arguments.installation) {
      Workbench bench(arguments);
      document["installation"] = installation_document(bench, lookup.dir, lookup.state);
    }
    std::cout << indented(document);
    return code;
  }
  if (arguments.installation) {
    Workbench bench(arguments);
    print_installation(installation_document(bench, lookup.dir, lookup.state));
  }
  std::cout << "deployment  " << make_visible(lookup.dir) << "\n";
  if (!unknown_project.empty()) {
    std::cout << "project     not known: " << make_visible(unknown_project) << "\n";
  } else if (project.files.empty()) {
    std::cout << "project     none (no compose file in this folder)\n";
  } else {
    std::cout << "project     " << make_visible(project.project) << "   engine "
              << (project.engine.empty() ? "not reached" : project.engine) << "\n";
  }
  for (const RunningService& service : services.value_or(std::vector<RunningService>())) {
    std::cout << "  " << std::left << std::setw(16) << service.service << " " << std::setw(10)
              << service.state << " " << std::setw(10) << service.health << " " << service.image
              << "\n";
  }
  if (last)
    print_long("last        ", run_line(*last, holder.has_value()));
  else
    std::cout << "last        nothing was ever run here\n";
  if (!arguments.key.empty()) {
    std::cout << "key         "
              << make_visible(key_text(key_document(lookup, arguments.key, holder))) << "\n";
  }
  if (holder) {
    std::cout << "going on    process " << holder->pid << " of " << holder->user << " since "
              << holder->since << "\n";
  }
  print_waiting(interrupted);
  print_waiting(left);
  return code;
}

ExitCode command_history(const Arguments& arguments) {
  if (arguments.prune) return command_prune(arguments);
  const Lookup lookup(arguments);
  const bool going_on = DeploymentLock::held(lookup.state).has_value();
  const std::vector<RunRecord> runs =
      lookup.journal ? lookup.journal->runs() : std::vector<RunRecord>();
  const std::optional<RunRecord> standing =
      lookup.journal ? lookup.journal->last_standing_run() : std::nullopt;
  json document = json::array();
  for (const RunRecord& run : runs) {
    const bool works =
        going_on && (run.state == RunState::running || run.state == RunState::rolling_back);
    const std::string obstacle = works ? "run " + std::to_string(run.id) + " is going on"
                                       : obstacle_to_rollback(standing, run);
    if (arguments.json) {
      document.push_back(to_json(run, going_on));
      document.back()["can_be_undone"] = obstacle.empty();
      document.back()["undo_obstacle"] = obstacle.empty() ? json() : json(obstacle);
    } else {
      print_long("", run_line(run, going_on) + (obstacle.empty() ? "; can be undone" : ""));
    }
  }
  if (arguments.json)
    std::cout << indented(document);
  else if (runs.empty())
    std::cout << "nothing was ever run on " << make_visible(lookup.dir) << "\n";
  else
    print_waiting(lookup.interrupted());
  return ExitCode::done;
}

ExitCode command_show(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const RunRecord run = lookup.run(arguments);
  const bool going_on = DeploymentLock::held(lookup.state).has_value();
  json document = to_json(run, going_on);
  document["going_on"] = lookup.is_going_on(run);
  document["closing"] = run.closing;
  document["stages"] = json::array();
  for (const StageRecord& stage : lookup.runs().stages(run.id)) {
    document["stages"].push_back(stage_json(lookup.runs(), run.id, stage));
  }
  // What a stage put out of a variable that is secret by its name is journaled as that is.
  Masker masker;
  masker.add_vars(run.vars, lookup.dir);
  document = masker.mask(std::move(document));
  if (arguments.json) {
    std::cout << indented(document);
    return ExitCode::done;
  }
  print_long("", run_line(run, going_on));
  std::cout << "  by " << make_visible(run.user) << " on " << run.host << ", "
            << make_visible(run.pipeline_file) << "\n";
  for (const json& stage : document["stages"]) print_stage(stage, arguments.verbose);
  if (run.closing.empty()) {
    std::cout << "  log: " << make_visible(lookup.state.logs(run.id)) << "/run.log\n";
  } else {
    print_closing(run);
  }
  print_waiting(lookup.interrupted());
  return ExitCode::done;
}

}  // namespace drydock
