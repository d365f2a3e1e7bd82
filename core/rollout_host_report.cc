#include "rollout_host_report.h"

#include <algorithm>

#include "installation.h"
#include "rollout_host.h"
#include "text.h"
#include "version.h"
#include "version_range.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds clock_tolerance(30'000);
// Less than the journal, the logs and a copy of the configuration take.
constexpr std::int64_t least_free_bytes = 64'000'000;
constexpr std::size_t shown_digits = 12;

std::string major_of(const std::string& version) { return version.substr(0, version.find('.')); }

std::string stage_types(const std::vector<std::string>& names) {
  return (names.size() == 1 ? "the stage type " : "the stage types ") + join(names, ", ");
}

void judge_plugins(const HostReport& report, const Expected& expected, HostFindings& findings) {
  std::vector<std::string> missing;
  std::map<std::string, std::vector<std::string>> said;  // of a plugin once, with its stage types
  for (const auto& [type, here] : expected.stages) {
    const auto found = report.stages.find(type);
    if (found == report.stages.end()) {
      missing.push_back(type);
      continue;
    }
    const HostStage& there = found->second;
    if (there.plugin != here.plugin) {
      findings.warnings.push_back("the stage type " + type + " is that of the plugin " +
                                  there.plugin + " there, and of " + here.plugin + " here");
      continue;
    }
    const auto pinned = expected.pins.find(there.plugin);
    const PluginPin pin = pinned == expected.pins.end() ? PluginPin() : pinned->second;
    if (!pin.version.empty() && !VersionRange::parse(pin.version)->contains(there.version)) {
      said["the plugin " + there.plugin + " has version " + there.version + " there (" +
           there.file + "), and the pipeline wants " + pin.version]
          .push_back(type);
    } else if (!pin.sha256.empty() && pin.sha256 != there.sha256) {
      said["the plugin " + there.plugin + " there (" + there.file + ") has the SHA-256 " +
           there.sha256 + ", and the pipeline wants " + pin.sha256]
          .push_back(type);
    } else if (pin.sha256.empty() && there.sha256 != here.sha256) {
      findings.warnings.push_back("the plugin " + there.plugin + " is " + there.version + " (" +
                                  there.sha256.substr(0, shown_digits) + ") there, and " +
                                  here.version + " (" + here.sha256.substr(0, shown_digits) +
                                  ") here");
    }
  }
  if (!missing.empty()) {
    findings.refusals.push_back(stage_types(missing) + (missing.size() == 1 ? " is" : " are") +
                                " not there; install the plugin that provides " +
                                (missing.size() == 1 ? "it" : "them") + " for that user");
  }
  for (const auto& [sentence, types] : said) {
    findings.refusals.push_back(sentence + "; install that one, or change the pin");
  }
  // Several stage types of one plugin say the same.
  std::vector<std::string>& warnings = findings.warnings;
  for (auto each = warnings.begin(); each != warnings.end();) {
    each = std::find(warnings.begin(), each, *each) != each ? warnings.erase(each) : each + 1;
  }
}

}  // namespace

HostReport read_host_report(const RolloutTarget& target, const std::string& printed,
                            const ChildEvent& ended, Instant asked, Instant answered) {
  HostReport report;
  report.asked = true;
  report.obstacle = obstacle_to(target, ended);
  if (report.obstacle) return report;
  const json said = answer_in(printed);
  if (!said.is_object() || !said.contains("installation") || !said["installation"].is_object()) {
    // An older one knows no such question, and says so.
    report.problem = reason_of(printed, ended);
    return report;
  }
  const json& installation = said["installation"];
  report.version = text_at(installation, "version");
  report.protocol = number_at(installation, "rollout_protocol");
  if (installation.contains("free_bytes") && installation["free_bytes"].is_number_integer()) {
    report.free_bytes = number_at(installation, "free_bytes");
  }
  const Instant clock = number_at(installation, "clock_ms");
  report.clock_ahead = milliseconds(clock > answered ? clock - answered
                                    : clock < asked  ? clock - asked
                                                     : 0);
  report.broken_plugins = texts_at(installation, "problems");
  report.interrupted = text_at(said, "interrupted");
  report.half_done = text_at(said, "half_done");
  if (auto found = read_status(printed)) report.found = std::move(*found);
  const json stages = installation.value("stages", json::object());
  for (const auto& [type, stage] : stages.items()) {
    report.stages[type] = {text_at(stage, "plugin"), text_at(stage, "version"),
                           text_at(stage, "sha256"), text_at(stage, "file")};
  }
  return report;
}

Expected expected_of(const Pipeline& pipeline, const PluginIndex& plugins) {
  Expected expected;
  expected.version = version;
  expected.pins = pipeline.plugins;
  const auto add = [&](const StageSpec& stage) {
    const IndexedStage& here = plugins.require(stage.uses, stage.place.text());
    if (expected.stages.count(stage.uses) != 0) return;
    expected.stages[stage.uses] = {here.plugin_id, here.plugin_version, here.sha256(),
                                   here.plugin_file};
  };
  for (const StageSpec& stage : pipeline.stages) add(stage);
  for (const StageSpec& stage : pipeline.finally) add(stage);
  if (pipeline.probe) add(*pipeline.probe);
  return expected;
}

HostFindings judge(const RolloutTarget& target, const HostReport& report,
                   const Expected& expected) {
  HostFindings findings;
  if (!report.asked) return findings;
  if (report.obstacle) {
    findings.unreachable = report.obstacle->may_pass();
    (findings.unreachable ? findings.warnings : findings.refusals)
        .push_back(report.obstacle->sentence);
    return findings;
  }
  if (!report.problem.empty()) {
    const bool knows_no_such_question = report.problem.find("--installation") != std::string::npos;
    findings.refusals.push_back(
        knows_no_such_question
            ? "Drydock there is an older one than " + expected.version + ", which is here, and " +
                  "cannot be asked; install the same one (" + report.problem + ")"
        : target.host.empty() ? report.problem
                              : "Drydock there does not say what it is: " + report.problem);
    return findings;
  }
  if (report.protocol != rollout_protocol ||
      major_of(report.version) != major_of(expected.version)) {
    findings.refusals.push_back("Drydock " + report.version + " there and " + expected.version +
                                " here do not work together; install the same one");
    return findings;
  }
  if (report.version != expected.version) {
    findings.warnings.push_back("Drydock is " + report.version + " there, and " + expected.version +
                                " here");
  }
  // On this machine it is this one.
  if (!target.host.empty()) judge_plugins(report, expected, findings);
  if (!report.broken_plugins.empty()) {
    findings.refusals.push_back("a plugin there is broken: " + first_of(report.broken_plugins));
  }
  if (report.free_bytes && *report.free_bytes < least_free_bytes) {
    findings.refusals.push_back("its disk is full: " + format_size(*report.free_bytes) +
                                " are free for " + target.dir + ", and a run needs at least " +
                                format_size(least_free_bytes) + " for its journal and logs");
  }
  if (!report.interrupted.empty()) {
    findings.refusals.push_back("a run waits there: " + report.interrupted + " (by `" +
                                command_text(target, "status") + "`)");
  }
  if (!report.half_done.empty()) findings.warnings.push_back(report.half_done);
  if (std::chrono::abs(report.clock_ahead) > clock_tolerance) {
    findings.warnings.push_back("its clock is " +
                                format_duration(std::chrono::abs(report.clock_ahead)) +
                                (report.clock_ahead.count() > 0 ? " ahead of" : " behind") +
                                " this one's, so times in its logs are other ones");
  }
  return findings;
}

void judge_drift(const HostReport& report, const KnownEnvironment& known, Drift policy,
                 HostFindings& findings) {
  if (!report.asked || report.obstacle || !report.problem.empty()) return;
  const std::string drift = drift_of(known, report.found);
  if (drift.empty()) return;
  if (policy == Drift::refuse) {
    findings.refusals.push_back(drift_refusal(drift));
  } else {
    findings.warnings.push_back(
        (policy == Drift::skip ? "it has drifted, and is left out: " : "it has drifted: ") + drift);
  }
}

json to_json(const HostReport& report, const HostFindings& findings) {
  if (!report.asked) return nullptr;
  json document = {{"reached", !report.obstacle.has_value()},
                   {"version", report.version},
                   {"free_bytes", nullptr},
                   {"clock_ahead_ms", report.clock_ahead.count()},
                   {"refusals", findings.refusals},
                   {"warnings", findings.warnings}};
  if (report.free_bytes) document["free_bytes"] = *report.free_bytes;
  return document;
}

}  // namespace drydock
