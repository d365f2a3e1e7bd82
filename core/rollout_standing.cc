#include "rollout_standing.h"

#include <algorithm>
#include <utility>

#include "view_text.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

std::vector<TargetState> states_of(const std::vector<TargetRecord>& targets) {
  std::vector<TargetState> states;
  for (const TargetRecord& each : targets) states.push_back(each.state);
  return states;
}

}  // namespace

Instant now_in_milliseconds() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Schedule schedule_of(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves) {
  std::vector<ScheduledWave> scheduled;
  for (const RolloutWave& each : plan.waves) {
    scheduled.push_back({each.count, each.parallel, each.max_failures, each.max_unreachable,
                         each.soak, each.gate.has_value(), each.approve});
  }
  std::vector<KnownWave> known;
  for (const WaveRecord& each : waves) known.push_back(each.known);
  return Schedule(std::move(scheduled), plan.cancel_on_budget, states_of(targets), known);
}

Schedule schedule_at_work(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                          const std::vector<WaveRecord>& waves) {
  Schedule schedule = schedule_of(plan, targets, waves);
  while (schedule.decide(now_in_milliseconds()).passed_wave) {
  }
  return schedule;
}

bool is_to_be_put_back(const TargetRecord& target) {
  return target.state == TargetState::rolling_back || target.state == TargetState::not_put_back;
}

bool needs_person(const TargetRecord& target) {
  if (target.state == TargetState::not_put_back || target.state == TargetState::abandoned) {
    return true;
  }
  if (target.state != TargetState::failed && target.state != TargetState::unreachable) return false;
  switch (static_cast<ExitCode>(target.exit_code)) {
    case ExitCode::done:
    case ExitCode::rolled_back:
    case ExitCode::refused:
    case ExitCode::cancelled:
      return false;
    default:
      return true;
  }
}

ExitCode exit_code_of(const std::vector<TargetRecord>& targets, bool passed) {
  ExitCode worst = passed ? ExitCode::done : ExitCode::rolled_back;
  for (const TargetRecord& each : targets) {
    if (needs_person(each)) return ExitCode::needs_person;
    if (each.state != TargetState::failed && each.state != TargetState::unreachable) continue;
    worst = ExitCode::rolled_back;
  }
  return worst;
}

std::string why_failed(const RolloutPlan& plan, const Schedule& schedule,
                       const std::vector<WaveRecord>& waves, const std::string& disagreement) {
  const RolloutWave& of = plan.waves[schedule.wave()];
  const std::string wave = "the wave '" + of.name + "'";
  const auto spent = [&](std::size_t count, unsigned most, const std::string& what) {
    return std::to_string(count) + " of " +
           count_of(static_cast<std::int64_t>(of.count), "environment") + " " + what + " in " +
           wave + ", and " + (most == 0 ? "none" : "at most " + std::to_string(most)) + " may";
  };
  if (!disagreement.empty()) return "in " + wave + " " + disagreement;
  if (schedule.failed() > of.max_failures) {
    return spent(schedule.failed(), of.max_failures, "failed");
  }
  if (schedule.budget_spent()) {
    return spent(schedule.unreachable(), of.max_unreachable, "could not be reached") +
           " be missing";
  }
  if (schedule.nothing_upgraded()) {
    return "in " + wave + " no environment was upgraded, so that it has verified nothing";
  }
  const std::string& gate = waves[schedule.wave()].gate_reason;
  if (!gate.empty()) return "the gate of " + wave + " does not hold: " + gate;
  return wave + " was put back";
}

std::optional<std::size_t> wave_going_back(const RolloutRecord& rollout,
                                           const std::vector<TargetRecord>& targets) {
  const auto first_with = [&](auto is_so) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < rollout.plan.waves.size(); ++i) {
      const RolloutWave& wave = rollout.plan.waves[i];
      for (std::size_t t = wave.first; t < wave.first + wave.count; ++t) {
        if (is_so(targets[t])) return i;
      }
    }
    return std::nullopt;
  };
  const auto wave = first_with(is_to_be_put_back);
  const bool asked_for = rollout.state == RolloutState::running && !rollout.reason.empty();
  if (wave || !asked_for) return wave;
  // Only its end was not recorded. Later waves went back before it.
  return first_with([](const TargetRecord& each) {
    return each.state == TargetState::rolled_back || each.state == TargetState::abandoned;
  });
}

Standing standing_of(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves, bool supervised, Instant now) {
  Schedule schedule = schedule_of(rollout.plan, targets, waves);
  Schedule::Decision decision = schedule.decide(now);
  while (decision.passed_wave) decision = schedule.decide(now);
  Standing standing;
  standing.word = name_of(rollout.state);
  const auto back = wave_going_back(rollout, targets);
  if (back && rollout.state == RolloutState::running) {
    standing.wave = back;
    standing.goes_back = true;
    standing.word = supervised ? "rolling_back" : "left";
    return standing;
  }
  if (rollout.state == RolloutState::passed) return standing;
  standing.wave = std::min(schedule.wave(), rollout.plan.waves.size() - 1);
  if (rollout.state == RolloutState::failed) return standing;
  standing.waits = decision.approval;
  standing.not_before = decision.not_before;
  if (decision.approval) {
    standing.word = "waiting";
  } else if (!supervised) {
    standing.word = "left";
  } else if (decision.not_before) {
    standing.word = "soaking";
  }
  return standing;
}

std::string standing_words(const RolloutPlan& plan, const Standing& standing) {
  const std::string& word = standing.word;
  if (standing.goes_back) {
    const std::string wave = "the wave '" + plan.waves[*standing.wave].name + "'";
    return word == "left" ? "was left while " + wave + " was being put back"
                          : "puts " + wave + " back";
  }
  const std::string verb = word == "running"   ? "runs"
                           : word == "soaking" ? "soaks"
                           : word == "waiting" ? "waits for approval"
                           : word == "left"    ? "was left"
                                               : "has " + word;
  return verb + (standing.wave ? " in the wave '" + plan.waves[*standing.wave].name + "'" : "");
}

}  // namespace drydock
