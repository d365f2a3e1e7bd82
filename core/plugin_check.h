// `drydock plugin check`: what a plugin file has to keep to, as a table of checks. Each is a
// function of the plugin on a bench, and asks workers of its own; one that fails stops no other.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace drydock {

class CheckBench;
struct CheckedStage;

// From good to bad: where several stage types are looked at, the worst is told.
enum class Verdict { pass, skip, warn, fail };
const char* name_of(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::pass;
  std::string sentence;  // what was found, and of what is wrong the remedy
};

inline Finding pass(const std::string& sentence) { return {Verdict::pass, sentence}; }
inline Finding fail(const std::string& sentence) { return {Verdict::fail, sentence}; }
inline Finding skip(const std::string& sentence) { return {Verdict::skip, sentence}; }

struct PluginCheck {
  const char* name;
  const char* about;  // one sentence: what holds when it passes
  Finding (*perform)(CheckBench& bench);
};

// In the order in which they are made: those of the file, of the options, of the steps.
std::vector<PluginCheck> plugin_checks();
std::vector<PluginCheck> file_checks();
std::vector<PluginCheck> schema_checks();
std::vector<PluginCheck> option_checks();
std::vector<PluginCheck> step_checks();
std::vector<PluginCheck> recovery_checks();

// What is wrong with the options schema of one.
Finding schema_of(CheckedStage& stage);

// The worst of what is found of each stage type; which one it is, where there are several. A skip
// where it cannot be asked for its stage types.
Finding of_each_stage(CheckBench& bench, const std::function<Finding(CheckedStage&)>& check);

}  // namespace drydock
