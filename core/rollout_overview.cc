#include "rollout_overview.h"

#include <algorithm>
#include <array>
#include <thread>

#include "error.h"
#include "rollout_answer.h"
#include "rollout_history.h"
#include "rollout_patience.h"
#include "state_dir.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

enum Question : std::size_t { status, history, backups, question_count };

const std::array<std::vector<std::string>, question_count> words = {{
    {"status", "--json"},
    {"history", "--json"},
    {"backups", "list", "--json"},
}};

std::string newest_backup(const std::string& printed) {
  const json said = answer_in(printed);
  std::string newest;
  if (!said.is_object()) return newest;
  for (const json& each : list_at(said, "backups")) {
    newest = std::max(newest, text_at(each, "taken"));
  }
  return newest;
}

std::string age_text(const std::string& time, std::int64_t now) {
  const std::int64_t taken = utc_milliseconds(time);
  return taken == 0
             ? time
             : format_duration(std::chrono::milliseconds(std::max<std::int64_t>(0, now - taken))) +
                   " old";
}

std::string run_text(const FoundEnvironment& found) {
  if (found.run == 0) return "no run";
  std::string state = found.state;
  std::replace(state.begin(), state.end(), '_', ' ');
  return "run " + std::to_string(found.run) + " " + state +
         (found.finished.empty() ? "" : " " + found.finished);
}

}  // namespace

std::vector<EnvironmentOverview> overview_of(const RolloutPlan& plan, RolloutStore& store,
                                             const Hosts& hosts, const Masker& masker,
                                             SurveyProgress& progress,
                                             const Cancellation& cancellation) {
  const std::size_t at_once = std::clamp(std::thread::hardware_concurrency(), 1u, 8u) * 2;
  const std::string here = host_name();
  std::vector<EnvironmentOverview> result(plan.targets.size());
  std::vector<std::string> printed(plan.targets.size() * question_count);
  std::vector<RunSummary> runs;
  ChildPool pool;
  const auto ask = [&](std::size_t target, std::size_t question) {
    ChildCommand command = hosts.command(plan.targets[target], words[question]);
    command.timeout = short_command_timeout(plan);
    pool.start(target * question_count + question, command);
  };
  const auto answered = [&](const ChildEvent& event) {
    const std::size_t target = event.tag / question_count, question = event.tag % question_count;
    const std::string said = std::exchange(printed[event.tag], "");
    EnvironmentOverview& of = result[target];
    if (question == status) {
      const auto found = read_status(said);
      if (!found) {
        const auto obstacle = obstacle_to(plan.targets[target], event);
        of.problem = masker.mask(obstacle ? obstacle->sentence : reason_of(said, event));
        return progress.answered(plan.targets[target].name);
      }
      of.found = *found;
      if (const auto known = store.environment(place_of(plan.targets[target], here))) {
        of.drift = drift_of(*known, of.found);
      }
    } else if (question == history) {
      // The newest first: what was put back is not what it is at.
      std::optional<std::string> version;
      for (RunSummary& run : summaries_in(said, plan.targets[target], here)) {
        if (!version && run.state == "done") version = run.version;
        runs.push_back(std::move(run));
      }
      of.found.version = version.value_or("");
    } else {
      of.backup = newest_backup(said);
    }
    if (question + 1 < question_count) return ask(target, question + 1);
    progress.answered(plan.targets[target].name);
  };
  progress.begin("asked", plan.targets.size(), steady_milliseconds());
  for (std::size_t next = 0; next < plan.targets.size() || pool.running() > 0;) {
    for (; next < plan.targets.size() && pool.running() < at_once; ++next) {
      progress.asks(plan.targets[next].name);
      ask(next, status);
    }
    const auto most = progress.show(steady_milliseconds());
    for (const ChildEvent& event : pool.wait(most, cancellation.fd())) {
      if (event.ended) {
        answered(event);
      } else {
        add_line(printed[event.tag], event.text);
      }
    }
    if (cancellation.requested()) {
      throw Error("cancelled while environments were asked; nothing was changed",
                  ExitCode::cancelled);
    }
  }
  progress.end();
  store.save_runs(runs);
  return result;
}

Lines overview_lines(const RolloutPlan& plan, const std::vector<EnvironmentOverview>& environments,
                     std::int64_t now, const ViewStyle& style) {
  const Ink ink(style);
  Lines lines;
  const auto add = [&](const std::string& text, const std::string& first) {
    const Lines more = wrap(text, style.width, first, indent + indent);
    lines.insert(lines.end(), more.begin(), more.end());
  };
  std::size_t name_width = 0, drifted = 0, unknown = 0;
  for (const RolloutTarget& each : plan.targets) {
    name_width = std::max(name_width, each.name.size());
  }
  for (std::size_t i = 0; i < environments.size(); ++i) {
    const EnvironmentOverview& of = environments[i];
    const std::string name = pad(plan.targets[i].name, name_width) + "  ";
    if (!of.problem.empty()) {
      ++unknown;
      add("not known: " + of.problem, ink.red(ink.bad) + " " + name);
      continue;
    }
    const bool fine = of.drift.empty() && of.found.waits.empty();
    const std::string version = of.found.version.empty() ? "" : of.found.version + ", ";
    add(version + run_text(of.found) + ", " +
            (of.backup.empty() ? "no backup" : "backup " + age_text(of.backup, now)),
        (fine ? ink.green(ink.good) : ink.yellow(ink.bad)) + " " + name);
    if (!of.drift.empty()) {
      ++drifted;
      add("drift: " + of.drift, indent + indent);
    }
    if (!of.found.waits.empty()) add(of.found.waits, indent + indent);
  }
  std::string total = count_of(static_cast<std::int64_t>(environments.size()), "environment");
  if (drifted > 0) total += ", " + std::to_string(drifted) + " drifted";
  if (unknown > 0) total += ", " + std::to_string(unknown) + " not known";
  lines.push_back(total);
  return lines;
}

json overview_document(const RolloutPlan& plan,
                       const std::vector<EnvironmentOverview>& environments, std::int64_t now) {
  json list = json::array();
  const auto text = [](const std::string& value) { return value.empty() ? json() : json(value); };
  for (std::size_t i = 0; i < environments.size(); ++i) {
    const EnvironmentOverview& of = environments[i];
    const std::int64_t taken = utc_milliseconds(of.backup);
    list.push_back({{"environment", plan.targets[i].name},
                    {"host", plan.targets[i].host},
                    {"dir", plan.targets[i].dir},
                    {"problem", text(of.problem)},
                    {"version", text(of.found.version)},
                    {"last_run", of.found.run == 0 ? json()
                                                   : json{{"run", of.found.run},
                                                          {"state", of.found.state},
                                                          {"pipeline", of.found.pipeline},
                                                          {"finished", of.found.finished}}},
                    {"waits", text(of.found.waits)},
                    {"drift", text(of.drift)},
                    {"newest_backup", text(of.backup)},
                    {"newest_backup_age_ms",
                     taken == 0 ? json() : json(std::max<std::int64_t>(0, now - taken))},
                    {"images", of.found.images.value_or(json())}});
  }
  return {{"rollout", plan.name}, {"environments", list}};
}

}  // namespace drydock
