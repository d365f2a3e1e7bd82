#include "rollout_view.h"

#include "rollout_history.h"
#include "rollout_host.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string limits_text(const RolloutWave& wave) {
  const std::string failures = wave.max_failures == 0
                                   ? "none may fail"
                                   : "at most " + std::to_string(wave.max_failures) + " may fail";
  const std::string away =
      wave.max_unreachable == 0
          ? ""
          : ", at most " + std::to_string(wave.max_unreachable) + " may be unreachable";
  return std::to_string(wave.parallel) + " at once, " + failures + away;
}

std::string vars_text(const RolloutTarget& target, const Masker& masker) {
  std::vector<std::string> words;
  const json vars = masker.mask(masked_vars(target.vars));
  for (const auto& [name, value] : vars.items()) {
    words.push_back(name + "=" + plain_text(value));
  }
  for (const auto& [name, source] : target.secrets) words.push_back(name + "=***");
  return join(words, " ");
}

std::string plan_text(const TargetPlan& plan) {
  if (!plan.problem.empty()) return "cannot be planned: " + plan.problem;
  std::string text = plan.changes == 0 ? "no change" : count_of(plan.changes, "change");
  if (plan.unknown_stages > 0) {
    text += ", " + count_of(plan.unknown_stages, "stage") + " known only when it runs";
  }
  if (plan.likely_ms >= 0) {
    text += ", likely " + format_duration(std::chrono::milliseconds(plan.likely_ms));
  }
  for (const std::string& loss : plan.loses) text += "; a rollback would lose: " + loss;
  return text;
}

// -1: of at least one environment nothing is known.
std::int64_t likely_ms_of(const RolloutWave& wave, const std::vector<TargetPlan>& surveyed) {
  if (surveyed.empty() || wave.count == 0) return -1;
  std::vector<std::int64_t> durations;
  for (std::size_t i = wave.first; i < wave.first + wave.count; ++i) {
    durations.push_back(surveyed[i].likely_ms);
  }
  return likely_wave_ms(durations, wave.parallel, wave.soak.count());
}

json known_ms(std::int64_t milliseconds) { return milliseconds < 0 ? json() : json(milliseconds); }

void add_lines(Lines& lines, const Lines& more) {
  lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

std::string conditions_text(const RolloutWave& wave) {
  std::vector<std::string> conditions;
  if (wave.soak.count() > 0) conditions.push_back("soak " + format_duration(wave.soak));
  if (wave.gate) conditions.push_back("gate " + wave.gate->uses);
  if (wave.approve) conditions.emplace_back("approval");
  return join(conditions, ", ");
}

Lines rollout_plan_lines(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
                         const Masker& masker, const ViewStyle& style) {
  const Ink ink(style);
  Lines lines = wrap("rollout " + plan.name + ": " + plan.pipeline_file + " to " +
                         count_of(static_cast<std::int64_t>(plan.targets.size()), "environment") +
                         " in " + count_of(static_cast<std::int64_t>(plan.waves.size()), "wave"),
                     style.width, "", indent);
  for (const RolloutWave& wave : plan.waves) {
    const std::string conditions = conditions_text(wave);
    const std::int64_t likely = likely_ms_of(wave, surveyed);
    lines.emplace_back();
    const std::string about =
        wave.count == 0
            ? "nothing is left for it"
            : count_of(static_cast<std::int64_t>(wave.count), "environment") + ", " +
                  limits_text(wave) + (conditions.empty() ? "" : "; then " + conditions) +
                  (likely < 0 ? ""
                              : "; likely " + format_duration(std::chrono::milliseconds(likely)) +
                                    " in all");
    add_lines(lines, wrap("wave " + wave.name + ": " + about, style.width, "", indent));
    for (std::size_t i = wave.first; i < wave.first + wave.count; ++i) {
      const RolloutTarget& target = plan.targets[i];
      const std::string vars = vars_text(target, masker);
      add_lines(
          lines,
          wrap(target.name + "  " + (target.host.empty() ? "" : host_text(target.host) + ":") +
                   target.dir + (target.sudo ? " (sudo)" : "") + (vars.empty() ? "" : "  " + vars),
               style.width, indent, indent + indent + indent));
      if (surveyed.empty()) continue;
      add_lines(lines, wrap(plan_text(surveyed[i]), style.width, indent + indent + ink.arrow + " ",
                            indent + indent + indent));
    }
  }
  if (plan.rollback_wave) {
    lines.emplace_back();
    add_lines(lines, wrap("when a wave fails, what was upgraded in it is put back, and what was "
                          "written into its databases since is lost",
                          style.width, "", indent));
  }
  if (!plan.outside.empty()) {
    lines.emplace_back();
    add_lines(lines, wrap("in no wave: " + join(plan.outside, ", "), style.width, "", indent));
  }
  return lines;
}

json rollout_plan_document(const RolloutPlan& plan, const std::vector<TargetPlan>& surveyed,
                           const HostSurvey& hosts, const Masker& masker) {
  json waves = json::array();
  for (const RolloutWave& wave : plan.waves) {
    json environments = json::array();
    for (std::size_t i = wave.first; i < wave.first + wave.count; ++i) {
      const RolloutTarget& target = plan.targets[i];
      json secrets = json::array();
      for (const auto& [name, source] : target.secrets) secrets.push_back(name);
      json environment = {
          {"name", target.name},     {"host", target.host},
          {"dir", target.dir},       {"sudo", target.sudo},
          {"binary", target.binary}, {"vars", masker.mask(masked_vars(target.vars))},
          {"secrets", secrets},      {"labels", target.labels},
          {"plan", nullptr},         {"installation", nullptr}};
      if (!hosts.reports.empty()) {
        environment["installation"] = to_json(hosts.reports[i], hosts.findings[i]);
      }
      if (!surveyed.empty()) {
        const TargetPlan& found = surveyed[i];
        if (found.problem.empty()) {
          environment["plan"] = {{"changes", found.changes},
                                 {"unknown_stages", found.unknown_stages},
                                 {"loses", found.loses},
                                 {"likely_ms", known_ms(found.likely_ms)}};
        } else {
          environment["plan"] = {{"problem", found.problem}};
        }
      }
      environments.push_back(std::move(environment));
    }
    waves.push_back({{"name", wave.name},
                     {"parallel", wave.parallel},
                     {"max_failures", wave.max_failures},
                     {"max_unreachable", wave.max_unreachable},
                     {"soak_ms", wave.soak.count()},
                     {"gate", wave.gate ? json(wave.gate->uses) : json()},
                     {"approve", wave.approve},
                     {"likely_ms", known_ms(likely_ms_of(wave, surveyed))},
                     {"environments", environments}});
  }
  return {{"rollout", plan.name},
          {"file", plan.file},
          {"pipeline", plan.pipeline},
          {"pipeline_file", plan.pipeline_file},
          {"waves", waves},
          {"in_no_wave", plan.outside}};
}

}  // namespace drydock
