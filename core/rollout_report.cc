#include "rollout_report.h"

#include <algorithm>
#include <ostream>

#include "error.h"
#include "rollout_host.h"
#include "rollout_supervisor.h"
#include "rollout_view.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string took(const TargetRecord& record) {
  const std::int64_t begun = utc_milliseconds(record.started),
                     ended = utc_milliseconds(record.finished);
  if (begun == 0 || ended < begun) return "";
  return " in " + format_duration(std::chrono::milliseconds(ended - begun));
}

// How an environment's run ended, by its exit code (docs/operations.md).
std::string outcome_text(const TargetRecord& record) {
  if (record.state == TargetState::unreachable) return "unreachable";
  switch (static_cast<ExitCode>(record.exit_code)) {
    case ExitCode::done:
      return "done";
    case ExitCode::rolled_back:
      return "failed and rolled back";
    case ExitCode::refused:
      return "refused before any change";
    case ExitCode::busy:
      return "another run is in its way";
    case ExitCode::cancelled:
      return "cancelled and rolled back";
    default:
      return "failed, and a person is needed";
  }
}

struct Counts {
  std::size_t waiting = 0, running = 0, done = 0, failed = 0, unreachable = 0;
};

Counts counts_of(const std::vector<TargetRecord>& targets, std::size_t first, std::size_t count) {
  Counts counts;
  for (std::size_t i = first; i < first + count; ++i) {
    switch (targets[i].state) {
      case TargetState::waiting:
        ++counts.waiting;
        break;
      case TargetState::running:
        ++counts.running;
        break;
      case TargetState::done:
        ++counts.done;
        break;
      case TargetState::failed:
        ++counts.failed;
        break;
      case TargetState::unreachable:
        ++counts.unreachable;
        break;
    }
  }
  return counts;
}

std::string counts_text(const Counts& counts) {
  std::string text = std::to_string(counts.done) + " done";
  if (counts.failed > 0) text += ", " + std::to_string(counts.failed) + " failed";
  if (counts.unreachable > 0) text += ", " + std::to_string(counts.unreachable) + " unreachable";
  if (counts.running > 0) text += ", " + std::to_string(counts.running) + " running";
  if (counts.waiting > 0) text += ", " + std::to_string(counts.waiting) + " to come";
  return text;
}

void add(Lines& lines, const Lines& more) { lines.insert(lines.end(), more.begin(), more.end()); }

std::string target_text(const RolloutTarget& target, const TargetRecord& record) {
  if (record.state == TargetState::running) {
    return target.name + ": running" +
           (record.run == 0 ? "" : " (run " + std::to_string(record.run) + ")");
  }
  std::string text = target.name + ": " + outcome_text(record) + took(record);
  if (record.run != 0) text += " (run " + std::to_string(record.run) + ")";
  if (!record.reason.empty()) text += ": " + record.reason;
  return text;
}

std::string resume_text(const RolloutRecord& rollout) {
  return "drydock rollout resume " + shell_word(rollout.plan.file);
}

std::string approve_text(const RolloutPlan& plan, const RolloutWave& wave) {
  return "drydock rollout approve " + shell_word(plan.file) + " --wave " + wave.name;
}

std::string standing_text(const RolloutRecord& rollout, const Standing& standing, Instant now) {
  if (rollout.state == RolloutState::failed) return "has failed: " + rollout.reason;
  std::string text = standing_words(rollout.plan, standing);
  if (standing.word == "soaking" && standing.not_before) {
    const Instant left = std::max<Instant>(0, *standing.not_before - now);
    text += ", for another " + format_duration(std::chrono::milliseconds(left));
  }
  return text;
}

}  // namespace

void RolloutReport::line(const std::string& mark, const std::string& text) {
  if (out_ == nullptr) return;
  const std::string first = mark.empty() ? "" : mark + " ";
  for (const std::string& each :
       wrap(masker_.mask(text), style_.width, first, mark.empty() ? indent : indent + indent)) {
    *out_ << each << "\n";
  }
  out_->flush();
}

void RolloutReport::wave_begins(const RolloutWave& wave) {
  if (out_ != nullptr) *out_ << "\n";
  line("", ink_.bold("wave " + wave.name) + ": " +
               count_of(static_cast<std::int64_t>(wave.count), "environment") + ", " +
               std::to_string(wave.parallel) + " at once");
}

void RolloutReport::target_begins(const RolloutTarget& target, const TargetRecord& record,
                                  bool again) {
  line(indent + ink_.arrow,
       target.name + (again ? ": found again" : ": started") +
           (record.attempt > 1 ? " (attempt " + std::to_string(record.attempt) + ")" : ""));
}

void RolloutReport::target_ended(const RolloutTarget& target, const TargetRecord& record) {
  const bool well = record.state == TargetState::done;
  line(indent + (well ? ink_.green(ink_.good) : ink_.red(ink_.bad)), target_text(target, record));
  if (!well && record.run != 0) {
    line(indent + indent + "see:", command_text(target, "show " + std::to_string(record.run)));
  }
}

void RolloutReport::total(const RolloutWave& wave, const std::vector<TargetRecord>& targets) {
  line(" ", counts_text(counts_of(targets, wave.first, wave.count)));
}

void RolloutReport::soaks(const RolloutWave& wave) {
  line(" ", "soaks for " + format_duration(wave.soak));
}

void RolloutReport::gate_begins(const RolloutWave& wave) {
  line(indent + ink_.arrow, "gate " + wave.gate->uses);
}

void RolloutReport::gate_answered(const RolloutWave& wave, bool held, const std::string& reason) {
  line(indent + (held ? ink_.green(ink_.good) : ink_.red(ink_.bad)),
       "gate " + wave.gate->uses + (held ? " holds" : " does not hold: " + reason));
}

void RolloutReport::waits_for_approval(const RolloutPlan& plan, const RolloutWave& wave) {
  line(" ", "waits for approval: " + approve_text(plan, wave));
}

void RolloutReport::wave_passed(const RolloutWave& wave) {
  line(" ", "wave " + wave.name + " has passed");
}

void RolloutReport::warning(const std::string& text) {
  line(indent + ink_.yellow("warning:"), text);
}

Standing standing_of(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                     const std::vector<WaveRecord>& waves, bool supervised, Instant now) {
  Schedule schedule = schedule_of(rollout.plan, targets, waves);
  Schedule::Decision decision = schedule.decide(now);
  while (decision.passed_wave) decision = schedule.decide(now);
  Standing standing;
  standing.word = name_of(rollout.state);
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
  const std::string verb = word == "running"   ? "runs"
                           : word == "soaking" ? "soaks"
                           : word == "waiting" ? "waits for approval"
                           : word == "left"    ? "was left"
                                               : "has " + word;
  return verb + (standing.wave ? " in the wave '" + plan.waves[*standing.wave].name + "'" : "");
}

Lines rollout_status_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                           const std::vector<WaveRecord>& waves, bool supervised, Instant now,
                           const ViewStyle& style) {
  constexpr std::size_t most_shown = 20;  // of the environments of a wave that need no one's eye
  const Ink ink(style);
  const Standing standing = standing_of(rollout, targets, waves, supervised, now);
  Lines lines = wrap("rollout " + rollout.plan.name + " " + standing_text(rollout, standing, now),
                     style.width, "", indent);
  lines.push_back(indent + "begun " + rollout.started + " by " + rollout.user + " on " +
                  rollout.host);
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const RolloutWave& wave = rollout.plan.waves[i];
    const std::string conditions = conditions_text(wave);
    lines.emplace_back();
    add(lines,
        wrap("wave " + wave.name + ": " + counts_text(counts_of(targets, wave.first, wave.count)) +
                 (conditions.empty() ? "" : "; then " + conditions),
             style.width, "", indent));
    std::size_t left_out = 0, shown = 0;
    for (std::size_t t = wave.first; t < wave.first + wave.count; ++t) {
      const TargetRecord& record = targets[t];
      if (record.state == TargetState::waiting) continue;
      const bool failed =
          record.state == TargetState::failed || record.state == TargetState::unreachable;
      if (!failed && ++shown > most_shown && !style.shows_all()) {
        ++left_out;
        continue;
      }
      const std::string mark = failed                                 ? ink.red(ink.bad)
                               : record.state == TargetState::running ? ink.arrow
                                                                      : ink.green(ink.good);
      add(lines, wrap(target_text(rollout.plan.targets[t], record), style.width,
                      indent + mark + " ", indent + indent));
    }
    if (left_out > 0) lines.push_back(indent + "and " + std::to_string(left_out) + " more");
    if (!waves[i].gate_reason.empty()) {
      add(lines, wrap("gate " + wave.gate->uses + " does not hold: " + waves[i].gate_reason,
                      style.width, indent + ink.red(ink.bad) + " ", indent + indent));
    }
    if (waves[i].known.approved) {
      add(lines, wrap("approved by " + waves[i].approved_by + " at " + waves[i].approved_at +
                          (waves[i].comment.empty() ? "" : ": " + waves[i].comment),
                      style.width, indent, indent + indent));
    }
  }
  if (standing.waits) {
    lines.emplace_back();
    lines.push_back("approve: " + approve_text(rollout.plan, rollout.plan.waves[*standing.waits]));
  }
  if (rollout.state == RolloutState::running && !supervised) {
    lines.emplace_back();
    lines.push_back("go on:   " + resume_text(rollout));
  }
  return lines;
}

Lines rollout_closing_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                            const std::vector<WaveRecord>& waves, const ViewStyle& style) {
  const RolloutPlan& plan = rollout.plan;
  const Counts counts = counts_of(targets, 0, targets.size());
  const Standing standing = standing_of(rollout, targets, waves, false, now_in_milliseconds());
  Lines lines;
  if (rollout.state == RolloutState::passed) {
    return wrap("Rollout " + plan.name + " has passed: " + counts_text(counts) + ".", style.width,
                "", indent);
  }
  if (standing.waits) {
    add(lines, wrap("Rollout " + plan.name + " waits for the approval of the wave '" +
                        plan.waves[*standing.waits].name + "': " + counts_text(counts) + ".",
                    style.width, "", indent));
    lines.push_back("Approve: " + approve_text(plan, plan.waves[*standing.waits]));
    lines.push_back("Then:    " + resume_text(rollout));
    return lines;
  }
  add(lines, wrap("Rollout " + plan.name + " has failed: " + rollout.reason + ".", style.width, "",
                  indent));
  add(lines, wrap("All in all: " + counts_text(counts) + ".", style.width, "", indent));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto code = static_cast<ExitCode>(targets[i].exit_code);
    const bool ended_badly =
        targets[i].state == TargetState::failed || targets[i].state == TargetState::unreachable;
    const bool needs = ended_badly && (code == ExitCode::needs_person || code == ExitCode::busy);
    if (needs) lines.push_back("Look at: " + command_text(plan.targets[i], "status"));
  }
  lines.push_back("Then:    " + resume_text(rollout) +
                  (counts.failed > 0 ? " --retry failed" : ""));
  return lines;
}

json rollout_status_document(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                             const std::vector<WaveRecord>& waves, bool supervised, Instant now) {
  const Standing standing = standing_of(rollout, targets, waves, supervised, now);
  json list = json::array();
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const RolloutWave& wave = rollout.plan.waves[i];
    json environments = json::array();
    for (std::size_t t = wave.first; t < wave.first + wave.count; ++t) {
      const TargetRecord& record = targets[t];
      environments.push_back({{"name", rollout.plan.targets[t].name},
                              {"state", name_of(record.state)},
                              {"attempt", record.attempt},
                              {"run", record.run},
                              {"exit_code", record.exit_code},
                              {"reason", record.reason},
                              {"started", record.started},
                              {"finished", record.finished}});
    }
    json entry = {{"name", wave.name},
                  {"environments", environments},
                  {"gate", nullptr},
                  {"approval", nullptr}};
    if (wave.gate) {
      entry["gate"] = {{"held", waves[i].known.gate_held}, {"reason", waves[i].gate_reason}};
    }
    if (wave.approve) {
      entry["approval"] = {{"by", waves[i].approved_by},
                           {"at", waves[i].approved_at},
                           {"comment", waves[i].comment}};
    }
    list.push_back(std::move(entry));
  }
  json document = {{"rollout", rollout.plan.name},   {"id", rollout.id},
                   {"state", standing.word},         {"supervised", supervised},
                   {"started", rollout.started},     {"finished", rollout.finished},
                   {"exit_code", rollout.exit_code}, {"reason", rollout.reason},
                   {"waits_for_wave", nullptr},      {"waves", list}};
  if (standing.waits) document["waits_for_wave"] = rollout.plan.waves[*standing.waits].name;
  return document;
}

}  // namespace drydock
