// plugin check: whether a plugin file keeps to what Drydock asks of it.
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "command_plugin.h"
#include "deployment.h"
#include "json_text.h"
#include "load_safety.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_check_trial.h"
#include "text.h"
#include "view_text.h"
#include "workbench.h"
#include "yaml_tree.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Checked {
  PluginCheck check;
  Finding finding;
};

// JSON is YAML: one reader for both. A mapping of stage types to their options.
json read_options(const std::string& file) {
  Places places;
  json options = to_json(read_yaml(file), places);
  for (const auto& [type, with] : options.items()) {
    if (options.is_object() && with.is_object()) continue;
    const auto place = places.find(options.is_object() ? "/" + type : "");
    throw Error((place == places.end() ? file : place->second.text()) +
                ": found no options of a stage type, allowed: a mapping such as 'greet: {file: "
                "hello.txt}'");
  }
  return options;
}

// A file that is not there, or no plugin, is what a check finds, and no reason to end without one.
CheckSettings settings_of(const Arguments& arguments, const Installation& installation,
                          const Cancellation& stop) {
  CheckSettings settings{.stop = stop};
  const fs::path named = fs::absolute(arguments.positional[1]);
  std::error_code error;
  const fs::path file = fs::canonical(named, error);
  settings.plugin_file = (error ? named.lexically_normal() : file).string();
  settings.without_run = arguments.without_run;
  settings.stage_binary = installation.worker;
  if (!arguments.directory.empty()) settings.deployment = deployment_dir(arguments.directory, {});
  if (arguments.with.size() > 1) throw Error("plugin check: --with FILE may be given once");
  if (!arguments.with.empty()) {
    settings.with_file = arguments.with.front();
    settings.with = read_options(settings.with_file);
  }
  settings.seed = arguments.seed.value_or(settings.seed);
  return settings;
}

// Options of a stage type that the plugin does not have would be tried with nothing.
void check_names(CheckBench& bench) {
  std::vector<std::string> names;
  for (const CheckedStage& stage : bench.stages()) names.push_back(stage.name());
  for (const auto& [type, options] : bench.settings().with.items()) {
    if (names.empty() || std::find(names.begin(), names.end(), type) != names.end()) continue;
    throw Error(bench.settings().with_file + ": found options of '" + make_visible(type) +
                "', which the plugin does not provide, allowed: " + join(names, ", ") +
                did_you_mean(type, names));
  }
}

int count(const std::vector<Checked>& all, Verdict verdict) {
  int found = 0;
  for (const Checked& each : all) found += each.finding.verdict == verdict ? 1 : 0;
  return found;
}

void print(const Checked& each, const Ink& ink) {
  std::string word = pad(name_of(each.finding.verdict), 5);
  if (each.finding.verdict == Verdict::fail) word = ink.red(word);
  if (each.finding.verdict == Verdict::warn) word = ink.yellow(word);
  if (each.finding.verdict == Verdict::pass) word = ink.green(word);
  constexpr int columns = 80;
  const std::string next(18, ' ');
  Lines lines = wrap(each.finding.sentence, columns, next, next);
  lines.front().replace(0, next.size(), "  " + word + " " + pad(each.check.name, 10));
  for (const std::string& line : lines) std::cout << line << "\n";
  std::cout.flush();
}

json document(const CheckBench& bench, const std::vector<Checked>& all) {
  json checks = json::array();
  for (const Checked& each : all) {
    checks.push_back({{"name", each.check.name},
                      {"about", each.check.about},
                      {"verdict", name_of(each.finding.verdict)},
                      {"sentence", each.finding.sentence}});
  }
  json plugin = nullptr;
  if (const auto* note = std::get_if<PluginNote>(&bench.note())) {
    plugin = {{"id", note->id}, {"version", note->version}};
  }
  return {{"file", bench.settings().plugin_file},
          {"plugin", plugin},
          {"seed", bench.settings().seed},
          {"checks", checks},
          {"failed", count(all, Verdict::fail)},
          {"left_behind", bench.left_behind()},
          {"cancelled", bench.settings().stop.requested()}};
}

}  // namespace

ExitCode command_plugin_check(const Arguments& arguments) {
  Workbench workbench(arguments);  // SIGINT and SIGTERM end it as they end a run: what was tried is
  workbench.handle_signals();      // rolled back first
  TemporaryDir::remove_abandoned();
  CheckBench bench(settings_of(arguments, Installation::here(), workbench.cancellation()));
  std::error_code error;
  if (fs::exists(bench.settings().plugin_file, error)) {
    // As where it would be installed: nothing is executed that others could change.
    const std::string unsafe = unsafe_to_load(bench.settings().plugin_file);
    if (!unsafe.empty()) throw Error(unsafe);
  }
  check_names(bench);
  const Ink ink(style_of_stdout());
  if (!arguments.json) std::cout << bench.settings().plugin_file << "\n";
  std::vector<Checked> all;
  try {
    for (const PluginCheck& check : plugin_checks()) {
      if (bench.settings().stop.requested()) break;
      all.push_back({check, check.perform(bench)});
      // It may quote what the plugin said.
      std::string& sentence = all.back().finding.sentence;
      sentence = make_visible(sentence);
      if (!arguments.json) print(all.back(), ink);
    }
  } catch (const Interrupted&) {
  }
  const int failed = count(all, Verdict::fail);
  const bool cancelled = bench.settings().stop.requested();
  if (arguments.json) {
    std::cout << indented(document(bench, all));
  } else {
    for (const std::string& left : bench.left_behind()) {
      for (const std::string& line : wrap("warning: " + left, 80, "", "  "))
        std::cout << line << "\n";
    }
    if (cancelled) std::cout << "Cancelled; what was tried is rolled back.\n";
    std::cout << count(all, Verdict::pass) << " passed, " << failed << " failed, "
              << count(all, Verdict::warn) << " warned, " << count(all, Verdict::skip)
              << " skipped\n";
  }
  if (cancelled) return ExitCode::cancelled;
  return failed == 0 ? ExitCode::done : ExitCode::check_found;
}

}  // namespace drydock
