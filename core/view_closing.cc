#include "view_closing.h"

#include <algorithm>
#include <array>

#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::size_t label_width = 13;   // "unreachable: "
constexpr std::int64_t shown_share = 50;  // ms; less would be shown as 0.0 s

// One answer: its label, then the text beside it.
void answer(Lines& lines, const char* label, const std::string& text, const ViewStyle& style) {
  const std::string beside = indent + std::string(label_width, ' ');
  for (std::string& line :
       wrap(text, style.width, indent + pad(std::string(label) + ":", label_width), beside)) {
    lines.push_back(std::move(line));
  }
}

// Further lines beside the same label. They are not wrapped: paths and commands are there to copy.
void beside(Lines& lines, const std::string& text) {
  lines.push_back(indent + std::string(label_width, ' ') + one_line(text));
}

bool runs(const json& service) {
  const std::string health = text_at(service, "health");
  return text_at(service, "state") == "running" && health != "unhealthy" && health != "starting";
}

void application(Lines& lines, const json& finished, const ViewStyle& style) {
  const auto known = finished.find("application");
  if (known == finished.end() || !known->is_array()) {
    return answer(lines, "application", "not known", style);
  }
  const json& services = *known;
  const auto running =
      static_cast<std::size_t>(std::count_if(services.begin(), services.end(), runs));
  const std::string all = std::to_string(services.size());
  std::string serving = "serving: all " + all + " services run";
  if (services.empty()) {
    serving = "NOT serving: it has no containers";
  } else if (running == 0) {
    serving = "NOT serving: none of its " +
              count_of(static_cast<std::int64_t>(services.size()), "service") + " runs";
  } else if (running < services.size()) {
    serving = "PARTLY serving: " + std::to_string(running) + " of " + all + " services run";
  } else if (running == 1) {
    serving = "serving: its one service runs";
  }
  answer(lines, "application", serving, style);

  std::size_t name_width = 0, state_width = 0;
  std::vector<std::array<std::string, 3>> rows;
  for (const json& service : services) {
    const std::string health = one_line(text_at(service, "health"));
    const bool has_health = !health.empty() && health != "none";
    rows.push_back({one_line(text_at(service, "service")),
                    one_line(text_at(service, "state")) + (has_health ? ", " + health : ""),
                    one_line(text_at(service, "image"))});
    name_width = std::max(name_width, display_width(rows.back()[0]));
    state_width = std::max(state_width, display_width(rows.back()[1]));
  }
  for (const auto& [name, state, image] : rows) {
    beside(lines, pad(name, name_width) + "  " + pad(state, state_width) + "  " + image);
  }
}

// "6.2 s, longest gap 5.9 s", then what it fell into.
void unreachable(Lines& lines, const json& finished, const ViewStyle& style) {
  const auto measured = finished.find("downtime");
  if (measured == finished.end() || !measured->is_object()) {
    return answer(lines, "unreachable", "not measured", style);
  }
  const json& downtime = *measured;
  const std::int64_t requests = number_at(downtime, "requests");
  const std::int64_t failed = number_at(downtime, "failed_requests");
  const std::int64_t slow = number_at(downtime, "slow_requests");
  const std::string slow_text = slow == 0 ? "" : ", " + std::to_string(slow) + " slow";
  if (requests == 0) return answer(lines, "unreachable", "not measured: it was too short", style);
  if (failed == 0) {
    return answer(lines, "unreachable", "never; " + count_of(requests, "request") + slow_text,
                  style);
  }
  std::string text = duration_at(downtime, "unreachable_ms");
  const bool one_gap =
      number_at(downtime, "longest_gap_ms") == number_at(downtime, "unreachable_ms");
  if (!one_gap) text += ", longest gap " + duration_at(downtime, "longest_gap_ms");
  if (flag_at(downtime, "still_unreachable")) text += ", and it does NOT answer yet";
  text += "; " + std::to_string(failed) + " of " + count_of(requests, "request") + " failed" +
          slow_text;
  std::vector<std::string> within;
  for (const json& one : list_at(downtime, "stages")) {
    if (number_at(one, "unreachable_ms") < shown_share) continue;
    const std::string step = text_at(one, "step");
    within.push_back((step == "run" ? "" : step + " of ") + one_line(text_at(one, "stage")) + " " +
                     duration_at(one, "unreachable_ms"));
  }
  if (!within.empty()) text += "; in " + join(within, ", ");
  answer(lines, "unreachable", text, style);
}

void kept(Lines& lines, const json& finished, const ViewStyle& style) {
  const json& files = list_at(finished, "kept");
  if (files.empty()) answer(lines, "kept", "nothing", style);
  for (const json& file : files) {
    const std::string path = one_line(text_at(file, "path"));
    if (&file == &files.front()) {
      lines.push_back(indent + pad("kept:", label_width) + path);
    } else {
      beside(lines, path);
    }
    const std::string description = text_at(file, "description");
    if (!description.empty()) beside(lines, "  " + description);
  }
}

void next_commands(Lines& lines, const json& finished, const ViewStyle& style) {
  const std::vector<std::string> commands = texts_at(finished, "next");
  if (commands.empty()) {
    return answer(lines, "now", "Nothing must be done tonight.", style);
  }
  answer(lines, "now",
         commands.size() == 1 ? "Run this command:"
                              : "Run these commands, in this order; each is safe to repeat:",
         style);
  for (const std::string& command : commands) beside(lines, "  " + command);
  const std::vector<std::string> others = texts_at(finished, "otherwise");
  if (others.empty()) return;
  beside(lines, "Should the rollback fail again, these put back its databases alone:");
  for (const std::string& command : others) beside(lines, "  " + command);
}

std::string all_but(const json& finished) {
  const std::vector<std::string> stages = texts_at(finished, "not_undone");
  if (stages.empty()) return "";
  return ", but for what " + std::string(stages.size() == 1 ? "stage " : "stages ") +
         join(stages, ", ") + " did";
}

}  // namespace

void ClosingReport::add(const Event& event) {
  if (event.type == "run.started") {
    run_ = event.run;
    pipeline_ = text_at(event.data, "pipeline");
    pipeline_file_ = text_at(event.data, "pipeline_file");
  } else if (event.type == "stage.finished" && text_at(event.data, "status") == "continued") {
    continued_.push_back({event.stage, text_at(event.data, "reason")});
  } else if (event.type == "run.finished") {
    run_ = event.run;
    finished_ = event.data;
  }
}

std::string ClosingReport::headline() const {
  const std::string status = text_at(finished_, "status");
  const std::string run = "run " + std::to_string(run_);
  if (status == "rolled_back" || status == "cancelled") {
    return std::string(status == "cancelled" ? "Cancelled, rolled back and verified: "
                                             : "Rolled back and verified: ") +
           "everything is as it was before " + run + all_but(finished_) + ".";
  }
  if (status == "rehearsed") {
    return "Rehearsed on copies, which are gone again; nothing else was changed: run " +
           std::to_string(run_) + (pipeline_.empty() ? "" : " of " + pipeline_) + " took " +
           duration_at(finished_, "duration_ms") + ".";
  }
  if (status == "stopped") {
    return "Stopped where it failed, as the pipeline asks (on_failure: stop): a person is needed.";
  }
  if (status == "needs_person") return "NOT wholly put back: a person is needed.";

  const std::string of = pipeline_.empty() ? "" : " of " + pipeline_;
  const std::string took = run + of + " took " + duration_at(finished_, "duration_ms") + ".";
  if (!continued_.empty()) {
    const auto count = static_cast<std::int64_t>(continued_.size());
    return "Upgraded, but " + count_of(count, "stage") + " failed and " +
           (count == 1 ? "was" : "were") + " rolled back alone: " + took;
  }
  // A single stage without a pipeline file need not be an upgrade.
  return (pipeline_file_.empty() ? "Done: " : "Upgraded: ") + took;
}

std::string ClosingReport::what_failed() const {
  const std::string stage = text_at(finished_, "failed_stage");
  const std::string step = text_at(finished_, "failed_step");
  const std::string reason = text_at(finished_, "reason");
  std::string failed;
  if (!stage.empty()) failed = "stage " + stage + (step.empty() ? "" : ", step " + step);
  if (!reason.empty()) failed += (failed.empty() ? "" : ": ") + reason;
  for (const Continued& one : continued_) {
    failed += (failed.empty() ? "stage " : "\nstage ") + one.stage +
              " (rolled back alone): " + one.reason;
  }
  return failed.empty() ? "nothing" : failed;
}

Lines ClosingReport::lines(const ViewStyle& style) const {
  const Ink ink(style);
  const std::string status = text_at(finished_, "status");
  Lines lines;
  for (const std::string& line : wrap(headline(), style.width, "", "")) {
    const bool calm = (status == "done" || status == "rehearsed") && continued_.empty();
    const bool undone = status == "rolled_back" || status == "cancelled" || status == "done";
    lines.push_back(ink.bold(calm ? ink.green(line) : undone ? ink.yellow(line) : ink.red(line)));
  }
  lines.emplace_back();
  answer(lines, "failed", what_failed(), style);
  for (const std::string& found : texts_at(finished_, "rehearsal")) {
    answer(lines, "rehearsed", found, style);
  }
  application(lines, finished_, style);
  unreachable(lines, finished_, style);
  const std::string lost = text_at(finished_, "data_lost");
  answer(lines, "data lost", lost.empty() ? "none" : lost, style);
  const std::vector<std::string> differences = texts_at(finished_, "differences");
  if (!differences.empty()) answer(lines, "differs", join(differences, "\n"), style);
  kept(lines, finished_, style);
  const std::string log_dir = text_at(finished_, "log_dir");
  if (!log_dir.empty()) answer(lines, "log", log_dir, style);
  next_commands(lines, finished_, style);
  return lines;
}

}  // namespace drydock
