// rollout status, history, approve: what only looks, or writes one word.
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

#include "command_rollout.h"
#include "json_text.h"
#include "rollout_history.h"
#include "rollout_overview.h"
#include "rollout_place.h"
#include "rollout_report.h"
#include "rollout_screen.h"
#include "rollout_supervisor.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

// For whoever watches: does something wait for a person?
ExitCode code_of(const RolloutRecord& record, const Standing& standing) {
  if (standing.waits) return ExitCode::waits;
  if (standing.word == "left") return ExitCode::busy;
  return record.state == RolloutState::running ? ExitCode::done
                                               : static_cast<ExitCode>(record.exit_code);
}

// As it is at this moment.
struct Seen {
  Seen(const FoundRollout& found, const RolloutCommands& its_commands)
      : record(found.now()),
        targets(found.store->targets(record.id)),
        waves(found.store->waves(record.id)),
        supervised(found.supervised()),
        commands(its_commands),
        now(now_in_milliseconds()),
        standing(standing_of(record, targets, waves, supervised, now)) {}
  Lines lines(const ViewStyle& style) const {
    return rollout_status_lines(record, targets, waves, supervised, now, commands, style);
  }
  json document() const { return rollout_status_document(record, targets, waves, supervised, now); }
  bool goes_on() const {
    return record.state == RolloutState::running && (supervised || standing.waits);
  }

  RolloutRecord record;
  std::vector<TargetRecord> targets;
  std::vector<WaveRecord> waves;
  bool supervised;
  RolloutCommands commands;
  Instant now;
  Standing standing;
};

// Shows what has become different: on a terminal in one picture that is drawn again, elsewhere as
// lines, or with --json as a document a line.
class Watcher {
 public:
  explicit Watcher(bool json_lines)
      : json_lines_(json_lines), style_(style_of_stdout()), picture_(std::cout, style_) {}

  void show(const Seen& status) {
    if (json_lines_) {
      json document = status.document();
      json lasting = document;
      lasting.erase("soak_left_ms");  // goes by itself
      if (lasting == shown_) return;
      shown_ = std::move(lasting);
      std::cout << compact(document) << "\n" << std::flush;
      return;
    }
    const Lines lines = status.lines(style_);
    if (style_.terminal) {
      picture_.draw(lines);
    } else {
      for (const std::string& line : lines) {
        if (std::find(before_.begin(), before_.end(), line) == before_.end()) {
          std::cout << line << "\n";
        }
      }
      std::cout.flush();
    }
    before_ = lines;
  }
  void end() {
    if (!json_lines_) picture_.keep();
  }

 private:
  bool json_lines_;
  ViewStyle style_;
  LivePicture picture_;
  json shown_;
  Lines before_;
};

ExitCode watch(const FoundRollout& found, Workbench& bench) {
  constexpr int look_again_ms = 500;
  const RolloutCommands commands = found.commands();  // which are read from its file
  for (Watcher watcher(bench.arguments().json);;) {
    const Seen status(found, commands);
    watcher.show(status);
    if (!status.goes_on()) {
      watcher.end();
      return code_of(status.record, status.standing);
    }
    pollfd cancelled{bench.cancellation().fd(), POLLIN, 0};
    if (::poll(&cancelled, 1, look_again_ms) > 0) {
      watcher.end();
      return ExitCode::done;
    }
  }
}

// A rollout file says itself what its environments are, also before it has ever run.
ExitCode overview(const Arguments& arguments) {
  Workbench bench(arguments);
  bench.handle_signals();
  const std::string& named = arguments.positional[1];
  const bool is_file = std::filesystem::is_regular_file(named);
  const RolloutPlan plan =
      is_file ? environments_of(load_rollout(named)) : find_rollout(arguments).record.plan;
  const RolloutPlace place(arguments,
                           is_file ? folder_of_file(named) : folder_of_arguments(arguments));
  StateDir(place.state()).create();
  const std::unique_ptr<RolloutStore> store = place.open();
  const Hosts hosts(plan);
  SurveyProgress progress(arguments.json ? nullptr : &std::cout, style_of_stdout());
  const auto environments =
      overview_of(plan, *store, hosts, bench.masker(), progress, bench.cancellation());
  const Instant now = now_in_milliseconds();
  if (arguments.json) {
    std::cout << indented(overview_document(plan, environments, now));
  } else {
    for (const std::string& line : overview_lines(plan, environments, now, style_of_stdout())) {
      std::cout << bench.masker().mask(line) << "\n";
    }
  }
  for (const EnvironmentOverview& each : environments) {
    const bool asks = !each.problem.empty() || !each.drift.empty() || !each.found.waits.empty();
    if (asks) return ExitCode::check_found;
  }
  return ExitCode::done;
}

}  // namespace

void print_end(Workbench& bench, RolloutStore& store, const RolloutRecord& record,
               const RolloutCommands& commands) {
  const auto now = store.find(record.id);
  const auto targets = store.targets(record.id);
  const auto waves = store.waves(record.id);
  if (bench.arguments().json) {
    std::cout << indented(
        rollout_status_document(*now, targets, waves, false, now_in_milliseconds()));
    return;
  }
  std::cout << "\n";
  for (const std::string& line :
       rollout_closing_lines(*now, targets, waves, commands, style_of_stdout())) {
    std::cout << bench.masker().mask(line) << "\n";
  }
}

ExitCode rollout_status(const Arguments& arguments) {
  if (arguments.all) return overview(arguments);
  const FoundRollout found = find_rollout(arguments);
  if (arguments.watch) {
    Workbench bench(arguments);
    bench.handle_signals();
    return watch(found, bench);
  }
  const Seen status(found, found.commands());
  if (arguments.json) {
    std::cout << indented(status.document());
  } else {
    for (const std::string& line : status.lines(style_of_stdout())) std::cout << line << "\n";
  }
  return code_of(status.record, status.standing);
}

namespace {

// What nobody has ever heard of is a slip, and no empty history.
void require_known(const std::string& what, const std::string& found,
                   const std::set<std::string>& known) {
  if (known.count(found) != 0) return;
  const std::vector<std::string> names(known.begin(), known.end());
  throw Error(what + ": found '" + found + "', of which nothing is known here; known: " +
              (names.empty() ? "nothing, since no rollout was begun" : join(names, ", ")) +
              did_you_mean(found, names));
}

// Of rollouts that were begun, and of runs.
std::set<std::string> known_environments(const RolloutStore& store) {
  std::set<std::string> known;
  for (const std::string& name : store.names()) {
    const auto newest = store.newest(name);
    if (!newest) continue;
    for (const RolloutTarget& each : newest->plan.targets) known.insert(each.name);
  }
  for (const RunSummary& each : store.runs("", "")) known.insert(each.environment);
  return known;
}

}  // namespace

ExitCode rollout_history(const Arguments& arguments) {
  const bool named = arguments.positional.size() > 1;
  const bool is_file = named && std::filesystem::is_regular_file(arguments.positional[1]);
  const RolloutPlace place(arguments, is_file ? folder_of_file(arguments.positional[1])
                                              : folder_of_arguments(arguments));
  const std::unique_ptr<RolloutStore> store = place.open_existing();
  std::vector<RunSummary> runs;
  if (!arguments.environment.empty()) {
    require_known("--env", arguments.environment,
                  store ? known_environments(*store) : std::set<std::string>());
  }
  if (named && !is_file) {
    const auto names = store ? store->names() : std::vector<std::string>();
    require_known("rollout history", arguments.positional[1], {names.begin(), names.end()});
  }
  if (store) {
    const std::string since =
        arguments.since ? utc_time(now_in_milliseconds() - arguments.since->count()) : "";
    runs = store->runs(arguments.environment, since);
  }
  if (named) {
    const std::string name =
        is_file ? find_rollout(arguments).record.plan.name : arguments.positional[1];
    std::erase_if(runs, [&](const RunSummary& run) { return run.rollout != name; });
  }
  if (arguments.json) {
    std::cout << indented(history_document(runs));
    return ExitCode::done;
  }
  for (const std::string& line : history_lines(runs, style_of_stdout())) std::cout << line << "\n";
  return ExitCode::done;
}

ExitCode rollout_approve(const Arguments& arguments) {
  const FoundRollout found = find_rollout(arguments);
  const Seen status(found, found.commands());
  const RolloutPlan& plan = status.record.plan;
  std::vector<std::string> names;
  std::optional<std::size_t> wave;
  for (std::size_t i = 0; i < plan.waves.size(); ++i) {
    if (plan.waves[i].name == arguments.wave) wave = i;
    names.push_back(plan.waves[i].name);
  }
  if (!wave) {
    throw Error("--wave: found '" + arguments.wave + "', allowed: " + join(names, ", ") +
                did_you_mean(arguments.wave, names));
  }
  if (status.standing.waits != wave) {
    throw Error("the wave '" + arguments.wave + "' does not wait for approval: the rollout '" +
                plan.name + "' " + standing_words(plan, status.standing) + "; `" +
                status.commands.of("status") + "` shows it");
  }
  if (!found.store->approve(status.record.id, *wave, status.waves[*wave],
                            person_name() + "@" + host_name(), arguments.comment)) {
    throw Error("the wave '" + arguments.wave + "' of the rollout '" + plan.name +
                "' does not wait for approval any more, since a moment ago; `" +
                status.commands.of("status") + "` shows what has become of it");
  }
  if (arguments.json) {
    std::cout << indented({{"rollout", plan.name}, {"wave", arguments.wave}, {"approved", true}});
  } else {
    std::cout << "wave " << arguments.wave << " of " << plan.name << " is approved"
              << (status.supervised ? "; the rollout goes on"
                                    : "; go on with: " + status.commands.of("resume"))
              << "\n";
  }
  return ExitCode::done;
}

}  // namespace drydock
