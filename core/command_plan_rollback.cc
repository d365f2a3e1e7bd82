// plan --rollback: what undoing a run would put back, and what it would lose. Changes nothing.
#include <iostream>
#include <map>

#include "commands.h"
#include "json_text.h"
#include "lookup.h"
#include "planner.h"
#include "prepared_rollback.h"
#include "recovery.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

// "users=17, notes~3000" as values by name; with '~' it is an estimate.
std::map<std::string, std::string> counts(const std::string& text) {
  std::map<std::string, std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(", ", begin), text.size());
    const std::string one = text.substr(begin, end - begin);
    const std::size_t sign = one.find_first_of("=~");
    if (sign != std::string::npos)
      result[one.substr(0, sign)] = (one[sign] == '~' ? "about " : "") + one.substr(sign + 1);
    begin = end + 2;
  }
  return result;
}

bool is_same_count(const std::string& a, const std::string& b) {
  const auto digits = [](const std::string& count) {
    return count.substr(std::min(count.find_first_of("0123456789"), count.size()));
  };
  return digits(a) == digits(b);
}

// What was only written down, and is other now: rows by table, as "notes 3 -> 57". "": nothing.
// Of several looks before, the last one that counted a table counts.
std::string what_grew(const std::vector<std::string>& before, const std::string& now) {
  std::map<std::string, std::string> old_counts;
  for (const std::string& look : before) {
    for (const auto& [name, count] : counts(look)) old_counts[name] = count;
  }
  const auto new_counts = counts(now);
  if (old_counts.empty() || new_counts.empty()) {
    return before.back() == now ? "" : before.back() + " -> " + now;
  }
  std::string text;
  for (const auto& [name, count] : new_counts) {
    const auto found = old_counts.find(name);
    const std::string was = found == old_counts.end() ? "0" : found->second;
    if (!is_same_count(was, count))
      text += (text.empty() ? "" : ", ") + name + " " + was + " -> " + count;
  }
  return text;
}

// What may be other now without being wrong: as it was before the run, and, where the stage has
// said so, when it changed something.
std::map<std::string, std::vector<std::string>> informational_facts(const Journal& journal,
                                                                    const RunRecord& run,
                                                                    const StageRecord& stage) {
  std::map<std::string, std::vector<std::string>> result;
  for (const Moment moment : {Moment::before, Moment::when_changed}) {
    for (const Fact& fact : journal.facts(run.id, stage.position, moment)) {
      if (!fact.must_return) result[fact.name].push_back(fact.value);
    }
  }
  return result;
}

json look_at(Rollback& rollback, Journal& journal, const Masker& masker, const RunRecord& run,
             const StageRecord& stage) {
  const std::vector<Fact> before =
      masked(journal.facts(run.id, stage.position, Moment::before), masker);
  json puts_back = json::array(), since = json::array();
  std::string problem;
  if (!before.empty()) {
    const StepReport now = rollback.look(run.id, stage, problem);
    if (problem.empty()) {
      for (const FactDifference& difference : compare_facts(stage.key, before, now.facts)) {
        puts_back.push_back(difference.name);
      }
      const auto were = informational_facts(journal, run, stage);
      for (const Fact& fact : now.facts) {
        const auto was = were.find(fact.name);
        if (was == were.end()) continue;
        const std::string changed = what_grew(was->second, fact.value);
        if (!changed.empty()) since.push_back({{"name", fact.name}, {"changed", changed}});
      }
    }
  }
  return {{"stage", stage.key},
          {"uses", stage.uses},
          {"has_rollback", stage.has(Step::rollback) || stage.has(Step::settle)},
          {"puts_back", std::move(puts_back)},
          {"since", std::move(since)},
          {"loses", stage.loses},
          {"problem", problem}};
}

void print_list(const std::string& what, const std::vector<std::string>& items) {
  constexpr std::size_t shown = 12;
  const std::string indent(14, ' ');
  for (std::size_t i = 0; i < std::min(items.size(), shown); ++i) {
    const std::string first = i == 0 ? pad("  " + what, indent.size()) : indent;
    for (const std::string& line :
         wrap(make_visible(items[i]), style_of_stdout().width, first, indent + "  ")) {
      std::cout << line << "\n";
    }
  }
  if (items.size() > shown) {
    std::cout << indent << "and " << items.size() - shown << " more (--json)\n";
  }
}

void print_plan(const json& plan) {
  std::vector<std::string> puts_back, loses, stays, unknown;
  for (const json& stage : plan.at("stages")) {
    const std::string who = stage.at("stage").get<std::string>() + ": ";
    for (const json& name : stage.at("puts_back"))
      puts_back.push_back(who + name.get<std::string>());
    for (const json& one : stage.at("loses")) loses.push_back(who + one.get<std::string>());
    for (const json& one : stage.at("since")) {
      loses.push_back(who + "changed since: " + one.at("name").get<std::string>() + ": " +
                      one.at("changed").get<std::string>());
    }
    if (stage.at("has_rollback") == false) stays.push_back(who + "it has no rollback");
    if (stage.at("problem") != "") unknown.push_back(stage.at("problem").get<std::string>());
  }
  const std::string heading = "A rollback of run " + plan.at("run").dump() + " (" +
                              plan.at("pipeline").get<std::string>() + ", " +
                              plan.at("started").get<std::string>() + ", " +
                              plan.at("state_text").get<std::string>() + ") would";
  for (const std::string& line : wrap(heading, style_of_stdout().width, "", "  "))
    std::cout << line << "\n";
  print_list("put back",
             puts_back.empty() ? std::vector<std::string>{"nothing that differs now"} : puts_back);
  print_list("lose", loses.empty() ? std::vector<std::string>{"nothing that is known of"} : loses);
  print_list("leave", stays);
  print_list("not known", unknown);
  if (plan.at("obstacle") != "") {
    std::cout << "It is refused now: " << plan.at("obstacle").get<std::string>() << "\n";
  } else {
    std::cout << "To do it: " << plan.at("command").get<std::string>() << "\n";
  }
}

}  // namespace

ExitCode command_plan_rollback(const Arguments& arguments) {
  const Lookup lookup(arguments);
  const RunRecord run = lookup.run(arguments);
  refuse_run_of_another_deployment(run, lookup.dir, lookup.state,
                                   "plan --rollback " + std::to_string(run.id));
  Workbench bench(arguments);
  bench.handle_signals();
  Journal& journal = *lookup.journal;
  PreparedRollback prepared(bench, lookup.state, run);
  Rollback rollback = prepared.rollback(journal);
  rollback.lift_limits();  // a look must not fail for what only the rollback itself needs
  json stages = json::array();
  for (const StageRecord& stage : journal.stages(run.id)) {
    if (stage.final || stage.attempt == 0) continue;
    stages.push_back(look_at(rollback, journal, bench.masker(), run, stage));
  }
  const std::string obstacle =
      lookup.is_going_on(run)
          ? "run " + std::to_string(run.id) + " is going on; `" +
                command_for(lookup.dir, lookup.state.path(), "cancel " + std::to_string(run.id)) +
                "` cancels it and puts it back"
          : obstacle_to_rollback(journal.last_standing_run(), run);
  const std::string consent = run.state == RunState::done ? " --accept-loss" : "";
  const json plan = bench.masker().mask(
      json{{"run", run.id},
           {"pipeline", run.pipeline},
           {"started", run.started},
           {"state", name_of(run.state)},
           {"state_text", state_in_words(run, lookup.is_going_on(run))},
           {"obstacle", obstacle},
           {"command", command_for(lookup.dir, lookup.state.path(),
                                   "rollback " + std::to_string(run.id) + consent)},
           {"stages", std::move(stages)}});
  if (arguments.json) {
    std::cout << indented(plan);
  } else {
    print_plan(plan);
  }
  std::cout.flush();
  mention_interruption(lookup);
  return ExitCode::done;
}

}  // namespace drydock
