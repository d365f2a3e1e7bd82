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
  if (record.state == TargetState::skipped) return "left out";
  if (record.state == TargetState::rolled_back) return "rolled back";
  if (record.state == TargetState::not_put_back) return "not put back, and a person is needed";
  if (record.state == TargetState::abandoned) return "given up";
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
  std::size_t waiting = 0, running = 0, done = 0, failed = 0, unreachable = 0, skipped = 0,
              rolling_back = 0, rolled_back = 0, not_put_back = 0, abandoned = 0;
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
      case TargetState::skipped:
        ++counts.skipped;
        break;
      case TargetState::rolling_back:
        ++counts.rolling_back;
        break;
      case TargetState::rolled_back:
        ++counts.rolled_back;
        break;
      case TargetState::not_put_back:
        ++counts.not_put_back;
        break;
      case TargetState::abandoned:
        ++counts.abandoned;
        break;
    }
  }
  return counts;
}

std::string counts_text(const Counts& counts) {
  std::string text = std::to_string(counts.done) + " done";
  const auto also = [&](std::size_t count, const char* what) {
    if (count > 0) text += ", " + std::to_string(count) + " " + what;
  };
  also(counts.failed, "failed");
  also(counts.unreachable, "unreachable");
  also(counts.skipped, "left out");
  also(counts.not_put_back, "not put back");
  also(counts.abandoned, "given up");
  also(counts.rolled_back, "rolled back");
  also(counts.rolling_back, "being rolled back");
  also(counts.running, "running");
  also(counts.waiting, "to come");
  return text;
}

void add(Lines& lines, const Lines& more) { lines.insert(lines.end(), more.begin(), more.end()); }

std::string target_text(const RolloutTarget& target, const TargetRecord& record) {
  const TargetState state = record.state;
  if (state == TargetState::running || state == TargetState::rolling_back) {
    return target.name + (state == TargetState::running ? ": running" : ": being rolled back") +
           (record.run == 0 ? "" : " (run " + std::to_string(record.run) + ")") +
           (record.reason.empty() ? "" : ": " + record.reason);
  }
  const bool of_its_run = state != TargetState::rolled_back && state != TargetState::not_put_back &&
                          state != TargetState::abandoned && state != TargetState::skipped;
  std::string text = target.name + ": " + outcome_text(record) + (of_its_run ? took(record) : "");
  if (record.run != 0) text += " (run " + std::to_string(record.run) + ")";
  if (!record.reason.empty()) text += ": " + record.reason;
  return text;
}

std::string approve_text(const RolloutCommands& commands, const RolloutWave& wave) {
  return commands.of("approve", "--wave " + shell_word(wave.name));
}

std::string standing_text(const RolloutRecord& rollout, const Standing& standing, Instant now) {
  if (standing.word == "failed") return "has failed: " + rollout.reason;
  std::string text = standing_words(rollout.plan, standing);
  if (standing.word == "soaking" && standing.not_before) {
    const Instant left = std::max<Instant>(0, *standing.not_before - now);
    text += ", for another " + format_duration(std::chrono::milliseconds(left));
  }
  return text;
}

}  // namespace

RolloutReport::RolloutReport(std::ostream* out, const ViewStyle& style, const Masker& masker,
                             const RolloutCommands& commands)
    : picture_(out == nullptr ? nullptr : std::make_unique<LivePicture>(*out, style)),
      style_(style),
      ink_(style),
      masker_(masker),
      commands_(commands) {}

RolloutReport::~RolloutReport() = default;

void RolloutReport::line(const std::string& mark, const std::string& text) {
  if (!picture_) return;
  const std::string first = mark.empty() ? "" : mark + " ";
  picture_->say(
      wrap(masker_.mask(text), style_.width, first, mark.empty() ? indent : indent + indent));
}

void RolloutReport::command(const std::string& mark, const std::string& text) {
  if (picture_) picture_->say({mark + " " + make_visible(masker_.mask(text))});
}

std::optional<std::chrono::milliseconds> RolloutReport::redrawn_every() const {
  if (!draws() || going_on_.empty()) return std::nullopt;
  return std::chrono::milliseconds(500);
}

void RolloutReport::redraw(const std::vector<TargetRecord>& targets) {
  if (!draws()) return;
  const Instant now = now_in_milliseconds();
  const auto tick = static_cast<std::size_t>(now / 500) % ink_.spinner.size();
  const auto room = static_cast<std::size_t>(std::max(style_.width - 1, 20));
  std::size_t width = 0;
  for (const auto& [name, of] : going_on_) width = std::max(width, name.size());
  Lines lines;
  for (const auto& [name, of] : going_on_) {
    const std::chrono::milliseconds took(std::max<Instant>(0, now - of.since) / 1000 * 1000);
    const std::string text = pad(name, width) + "  " + format_duration(took) +
                             (of.doing.empty() ? "" : "  " + masker_.mask(of.doing));
    lines.push_back(indent + ink_.spinner[tick] + " " + shorten(text, room - 4));
  }
  if (wave_ && !going_on_.empty()) {
    lines.push_back(indent + counts_text(counts_of(targets, wave_->first, wave_->count)));
  }
  picture_->draw(lines);
}

void RolloutReport::wave_begins(const RolloutWave& wave) {
  if (picture_) picture_->say({""});
  wave_ = wave;
  line("", ink_.bold("wave " + wave.name) + ": " +
               count_of(static_cast<std::int64_t>(wave.count), "environment") + ", " +
               std::to_string(wave.parallel) + " at once");
}

void RolloutReport::target_begins(const RolloutTarget& target, const TargetRecord& record,
                                  bool again) {
  going_on_[target.name] = {now_in_milliseconds(), ""};
  if (draws() && !again) return;  // the picture shows it
  line(indent + ink_.arrow,
       target.name + (again ? ": found again" : ": started") +
           (record.attempt > 1 ? " (attempt " + std::to_string(record.attempt) + ")" : ""));
}

void RolloutReport::target_goes_back(const RolloutTarget& target, const TargetRecord& record) {
  going_on_[target.name] = {now_in_milliseconds(), "rolling back"};
  if (draws()) return;
  line(indent + ink_.arrow,
       target.name + ": being rolled back (run " + std::to_string(record.run) + ")");
}

void RolloutReport::target_does(const RolloutTarget& target, const std::string& doing) {
  const auto found = going_on_.find(target.name);
  if (found != going_on_.end()) found->second.doing = doing;
}

void RolloutReport::target_put_off(const RolloutTarget& target) {
  going_on_.erase(target.name);
  line(indent + ink_.arrow, target.name + ": not begun, since its wave has failed meanwhile");
}

void RolloutReport::target_ended(const RolloutTarget& target, const TargetRecord& record) {
  going_on_.erase(target.name);
  const bool well = record.state == TargetState::done || record.state == TargetState::rolled_back;
  line(indent + (well ? ink_.green(ink_.good) : ink_.red(ink_.bad)), target_text(target, record));
  if (!well && record.run != 0) {
    command(indent + indent + "see:", command_text(target, "show " + std::to_string(record.run)));
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

void RolloutReport::waits_for_approval(const RolloutWave& wave) {
  command(indent + "waits for approval:", approve_text(commands_, wave));
}

void RolloutReport::wave_passed(const RolloutWave& wave) {
  line(" ", "wave " + wave.name + " has passed");
}

void RolloutReport::way_back_begins(const RolloutWave& wave, std::size_t count) {
  wave_ = wave;
  line(" ", "wave " + wave.name + " is put back: " +
                count_of(static_cast<std::int64_t>(count), "environment") + ", the newest first");
}

void RolloutReport::warning(const std::string& text) {
  line(indent + ink_.yellow("warning:"), text);
}

Lines rollout_status_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                           const std::vector<WaveRecord>& waves, bool supervised, Instant now,
                           const RolloutCommands& commands, const ViewStyle& style) {
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
      const TargetState state = record.state;
      const bool failed = state == TargetState::failed || state == TargetState::unreachable ||
                          state == TargetState::not_put_back || state == TargetState::abandoned;
      if (!failed && ++shown > most_shown && !style.shows_all()) {
        ++left_out;
        continue;
      }
      const bool goes_on = state == TargetState::running || state == TargetState::rolling_back;
      const bool left_behind = failed || record.state == TargetState::skipped;
      const std::string mark = left_behind ? ink.red(ink.bad)
                               : goes_on   ? ink.arrow
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
    lines.push_back("approve: " + approve_text(commands, rollout.plan.waves[*standing.waits]));
  }
  if (standing.word == "left" || (standing.waits && !supervised)) {
    lines.emplace_back();
    lines.push_back("go on:   " + commands.of("resume"));
  }
  return lines;
}

namespace {

// Every environment that is neither as it was nor upgraded, by its name.
Lines lines_of_names(const RolloutPlan& plan, const std::vector<TargetRecord>& targets,
                     const ViewStyle& style) {
  const bool any_not_put_back = counts_of(targets, 0, targets.size()).not_put_back > 0;
  const std::size_t label_width = any_not_put_back ? 14 : 13;
  Lines lines;
  const auto named = [&](const std::string& label, TargetState state) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (targets[i].state == state) names.push_back(plan.targets[i].name);
    }
    if (names.empty()) return;
    add(lines, wrap(join(names, ", "), style.width, pad(label, label_width),
                    std::string(label_width, ' ')));
  };
  named("Failed:", TargetState::failed);
  named("Unreachable:", TargetState::unreachable);
  named("Left out:", TargetState::skipped);
  named("Not put back:", TargetState::not_put_back);
  named("Given up:", TargetState::abandoned);
  named("Rolled back:", TargetState::rolled_back);
  return lines;
}

}  // namespace

Lines rollout_closing_lines(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                            const std::vector<WaveRecord>& waves, const RolloutCommands& commands,
                            const ViewStyle& style) {
  const RolloutPlan& plan = rollout.plan;
  const Counts counts = counts_of(targets, 0, targets.size());
  const Standing standing = standing_of(rollout, targets, waves, false, now_in_milliseconds());
  Lines lines;
  if (standing.waits) {
    add(lines, wrap("Rollout " + plan.name + " waits for the approval of the wave '" +
                        plan.waves[*standing.waits].name + "': " + counts_text(counts) + ".",
                    style.width, "", indent));
    add(lines, lines_of_names(plan, targets, style));
    lines.push_back("Approve: " + approve_text(commands, plan.waves[*standing.waits]));
    lines.push_back("Then:    " + commands.of("resume"));
    return lines;
  }
  const bool passed = rollout.state == RolloutState::passed;
  if (passed) {
    add(lines, wrap("Rollout " + plan.name + " has passed: " + counts_text(counts) + ".",
                    style.width, "", indent));
  } else {
    add(lines, wrap("Rollout " + plan.name + " has failed: " + rollout.reason + ".", style.width,
                    "", indent));
    add(lines, wrap("All in all: " + counts_text(counts) + ".", style.width, "", indent));
  }
  add(lines, lines_of_names(plan, targets, style));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (!needs_person(targets[i])) continue;
    lines.push_back("Look at: " + command_text(plan.targets[i], "status"));
  }
  const bool again = counts.not_put_back == 0 &&
                     counts.failed + counts.rolled_back + counts.abandoned + counts.skipped > 0;
  if (!passed) lines.push_back("Then:    " + commands.of("resume", again ? "--retry failed" : ""));
  return lines;
}

namespace {

json text_or_null(const std::string& text) { return text.empty() ? json() : json(text); }
json code_or_null(int code) { return code < 0 ? json() : json(code); }

json environment_document(const RolloutTarget& target, const TargetRecord& record) {
  return {{"name", target.name},
          {"host", text_or_null(target.host)},
          {"dir", target.dir},
          {"state", name_of(record.state)},
          {"attempt", record.attempt},
          {"run", record.run == 0 ? json() : json(record.run)},
          {"exit_code", code_or_null(record.exit_code)},
          {"reason", text_or_null(record.reason)},
          {"started", text_or_null(record.started)},
          {"finished", text_or_null(record.finished)}};
}

// held: null as long as nothing was answered.
json gate_document(const RolloutWave& wave, const WaveRecord& record) {
  if (!wave.gate) return nullptr;
  const bool answered = record.known.gate_held || !record.gate_reason.empty();
  return {{"uses", wave.gate->uses},
          {"held", answered ? json(record.known.gate_held) : json()},
          {"reason", text_or_null(record.gate_reason)}};
}

json approval_document(const RolloutWave& wave, const WaveRecord& record) {
  if (!wave.approve) return nullptr;
  return {{"by", text_or_null(record.approved_by)},
          {"at", text_or_null(record.approved_at)},
          {"comment", text_or_null(record.comment)}};
}

}  // namespace

json rollout_status_document(const RolloutRecord& rollout, const std::vector<TargetRecord>& targets,
                             const std::vector<WaveRecord>& waves, bool supervised, Instant now) {
  const RolloutPlan& plan = rollout.plan;
  const Standing standing = standing_of(rollout, targets, waves, supervised, now);
  json list = json::array();
  for (std::size_t i = 0; i < waves.size(); ++i) {
    const RolloutWave& wave = plan.waves[i];
    json environments = json::array();
    for (std::size_t t = wave.first; t < wave.first + wave.count; ++t) {
      environments.push_back(environment_document(plan.targets[t], targets[t]));
    }
    list.push_back({{"name", wave.name},
                    {"passed", waves[i].known.passed},
                    {"environments", environments},
                    {"gate", gate_document(wave, waves[i])},
                    {"approval", approval_document(wave, waves[i])}});
  }
  const auto name_or_null = [&](const std::optional<std::size_t>& wave) {
    return wave ? json(plan.waves[*wave].name) : json();
  };
  const bool soaks = rollout.state == RolloutState::running && standing.not_before;
  return {{"rollout", plan.name},
          {"id", rollout.id},
          {"file", plan.file},
          {"state", standing.word},
          {"supervised", supervised},
          {"started_by", rollout.user},
          {"started_on", rollout.host},
          {"started", rollout.started},
          {"finished", text_or_null(rollout.finished)},
          {"exit_code", code_or_null(rollout.exit_code)},
          {"reason", text_or_null(rollout.reason)},
          {"wave", name_or_null(standing.wave)},
          {"waits_for_wave", name_or_null(standing.waits)},
          {"soak_until", soaks ? json(utc_time(*standing.not_before)) : json()},
          {"soak_left_ms", soaks ? json(std::max<Instant>(0, *standing.not_before - now)) : json()},
          {"waves", list}};
}

}  // namespace drydock
