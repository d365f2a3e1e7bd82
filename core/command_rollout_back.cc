// rollout rollback: a wave as it was before.
#include <algorithm>
#include <iostream>

#include "command_rollout.h"
#include "consent.h"
#include "json_text.h"
#include "process.h"
#include "rollout_host.h"
#include "rollout_lease.h"
#include "rollout_report.h"
#include "rollout_way_back.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

// The one that the command line names, else the last one of which something was upgraded.
std::size_t wave_to_put_back(const Arguments& arguments, const RolloutPlan& plan,
                             const std::vector<TargetRecord>& targets) {
  std::vector<std::string> names;
  std::optional<std::size_t> last;
  for (std::size_t i = 0; i < plan.waves.size(); ++i) {
    names.push_back(plan.waves[i].name);
    if (plan.waves[i].name == arguments.wave) return i;
    if (!way_back(plan.waves[i], targets).empty()) last = i;
  }
  if (!arguments.wave.empty()) {
    throw Error("--wave: found '" + arguments.wave + "', allowed: " + join(names, ", ") +
                did_you_mean(arguments.wave, names));
  }
  if (last) return *last;
  throw Error("no environment of the rollout '" + plan.name +
              "' stands upgraded, so there is nothing to put back");
}

// A wave goes back before those that it stands on.
void require_newest(const RolloutPlan& plan, std::size_t wave,
                    const std::vector<TargetRecord>& targets, const RolloutCommands& commands) {
  for (std::size_t later = plan.waves.size(); --later > wave;) {
    const std::size_t count = way_back(plan.waves[later], targets).size();
    if (count == 0) continue;
    const std::string& name = plan.waves[later].name;
    throw Error("the wave '" + name + "' came after '" + plan.waves[wave].name + "', and " +
                count_of(static_cast<std::int64_t>(count), "environment") + " of it " +
                (count == 1 ? "is" : "are") + " not put back; put that back first with `" +
                commands.of("rollback", "--wave " + shell_word(name)) +
                "`, or where that cannot be done any more give environments up with `" +
                commands.of("rollback", "--abandon --env ENVIRONMENT --comment WHY") + "`");
  }
}

void agree_to_put_back(Workbench& bench, const RolloutPlan& plan, const RolloutWave& wave,
                       std::size_t count) {
  const Arguments& arguments = bench.arguments();
  const std::string loss = "What was written into their databases since they were upgraded is lost";
  const std::string what = count_of(static_cast<std::int64_t>(count), "environment");
  if (!arguments.yes) {
    if (person_agrees("Put back " + what + " of the wave '" + wave.name + "' of the rollout '" +
                          plan.name + "'? " + loss + ".",
                      bench.cancellation())) {
      return;
    }
    throw Error("not confirmed; nothing was changed");
  }
  if (!arguments.accept_loss) {
    throw Error(what + " of the wave '" + wave.name + "' would be put back. " + loss +
                "; add --accept-loss to go on");
  }
}

}  // namespace

ExitCode put_back(Workbench& bench, const FoundRollout& found, std::size_t wave) {
  const Arguments& arguments = bench.arguments();
  const RolloutRecord& record = found.record;
  const RolloutPlan& plan = record.plan;
  std::vector<TargetRecord> targets = found.store->targets(record.id);
  leave_orphans_to_init();
  const Hosts hosts(plan);
  const RolloutCommands commands = found.commands();
  const std::string what = "the wave '" + plan.waves[wave].name + "' ";
  try {
    RolloutReport report(arguments.json ? nullptr : &std::cout, style_of_stdout(), bench.masker(),
                         commands);
    WayBack(record, *found.store, hosts, report, bench.masker(), commands, bench.cancellation())
        .carry_out(wave, targets, what + "is put back by " + person_name());
  } catch (const WayBackLeft&) {
    throw;
  } catch (const Error& e) {
    const bool begun = std::any_of(targets.begin(), targets.end(), is_to_be_put_back);
    if (!begun || e.code() == ExitCode::busy) throw;
    throw Error(std::string(e.what()) + "; the rollout was left while " + what +
                    "was being put back. Go on with: " + commands.of("resume"),
                ExitCode::needs_person);
  }
  const ExitCode worst = exit_code_of(targets, false);
  found.store->finish(record.id, RolloutState::failed, static_cast<int>(worst),
                      what + "was put back by " + person_name());
  print_end(bench, *found.store, record, commands);
  // What became of other environments is no matter of this.
  const auto first = targets.begin() + static_cast<std::ptrdiff_t>(plan.waves[wave].first);
  const bool given_up =
      std::any_of(first, first + static_cast<std::ptrdiff_t>(plan.waves[wave].count),
                  [](const TargetRecord& each) { return each.state == TargetState::abandoned; });
  const bool all = !given_up && way_back(plan.waves[wave], targets).empty();
  return all ? ExitCode::done : ExitCode::needs_person;
}

namespace {

// The one that the command line names, which is to be put back.
std::size_t target_to_give_up(const std::string& name, const RolloutPlan& plan,
                              const std::vector<TargetRecord>& targets) {
  std::vector<std::string> names;
  std::string found = "none of this rollout";
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const bool named = plan.targets[i].name == name;
    if (!is_to_be_put_back(targets[i])) {
      if (named) found = std::string(name_of(targets[i].state));
      continue;
    }
    if (named) return i;
    names.push_back(plan.targets[i].name);
  }
  throw Error("--env: found '" + name + "' (" + found +
              "), allowed: an environment that is to be put back (" +
              (names.empty() ? "there is none" : join(names, ", ")) + ")" +
              did_you_mean(name, names));
}

// A person puts it back: nobody else does any more, so that the rest can end. How it is there is
// not known, so that nothing is expected of it either.
ExitCode give_up(Workbench& bench) {
  const Arguments& arguments = bench.arguments();
  const HeldRollout held(bench);
  const FoundRollout& found = held.found();
  const RolloutPlan& plan = found.record.plan;
  std::vector<TargetRecord> targets = found.store->targets(found.record.id);
  const std::size_t target = target_to_give_up(arguments.environment, plan, targets);
  TargetRecord& record = targets[target];
  record.state = TargetState::abandoned;
  record.exit_code = static_cast<int>(ExitCode::needs_person);
  record.reason = bench.masker().mask("by " + person_name() + ": " + arguments.comment);
  record.finished = utc_now();
  found.store->forget_environment(place_of(plan.targets[target], host_name()));
  found.store->save_target(found.record.id, target, record);
  const bool ended = found.record.state != RolloutState::running;
  if (arguments.json) {
    std::cout << indented({{"rollout", plan.name},
                           {"environment", arguments.environment},
                           {"state", name_of(record.state)},
                           {"ended", ended}});
    return ExitCode::done;
  }
  std::cout << make_visible(arguments.environment) << " of " << plan.name
            << " is given up, and yours to put back; see: "
            << command_text(plan.targets[target], "status") << "\n";
  if (!ended) std::cout << "Go on with the rest: " << found.commands().of("resume") << "\n";
  return ExitCode::done;
}

}  // namespace

ExitCode rollout_rollback(const Arguments& arguments) {
  if (arguments.abandon) {
    Workbench bench(arguments);
    bench.handle_signals();
    return give_up(bench);
  }
  require_consent_possible(arguments);
  Workbench bench(arguments);
  bench.handle_signals();
  const HeldRollout held(bench);
  const FoundRollout& found = held.found();
  const RolloutRecord& record = found.record;
  const RolloutPlan& plan = record.plan;
  const std::vector<TargetRecord> targets = found.store->targets(record.id);
  const std::size_t wave = wave_to_put_back(arguments, plan, targets);
  const bool runs = std::any_of(targets.begin(), targets.end(), [](const TargetRecord& each) {
    return each.state == TargetState::running;
  });
  if (runs) {
    throw Error("environments of the rollout '" + plan.name + "' still run; let them end with `" +
                    found.commands().of("resume") + "`, then put the wave back",
                ExitCode::busy);
  }
  require_newest(plan, wave, targets, found.commands());
  const std::size_t count = way_back(plan.waves[wave], targets).size();
  if (count == 0) {
    throw Error("no environment of the wave '" + plan.waves[wave].name +
                "' stands upgraded, so there is nothing to put back");
  }
  agree_to_put_back(bench, plan, plan.waves[wave], count);
  return put_back(bench, found, wave);
}

}  // namespace drydock
