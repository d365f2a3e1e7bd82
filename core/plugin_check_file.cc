// Checks of the plugin file as a whole: what it says of itself, how it loads, what it exports.
#include <algorithm>
#include <set>

#include "error.h"
#include "files.h"
#include "plugin_check.h"
#include "plugin_check_bench.h"
#include "plugin_exports.h"
#include "plugin_words.h"
#include "text.h"

namespace drydock {
namespace {

constexpr const char* entry = "drydock_plugin_v1";
constexpr std::chrono::milliseconds longest_loading{100};
constexpr std::size_t largest_plugin = std::size_t{1} << 30;

std::string abi_text(int major, int minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

Finding note(CheckBench& bench) {
  if (const auto* none = std::get_if<NoPluginNote>(&bench.note())) {
    return fail("It " + none->reason + ".");
  }
  const auto& note = std::get<PluginNote>(bench.note());
  const std::string named = note.id + " " + note.version;
  const PluginInspection* asked = bench.asked();
  if (asked == nullptr || !asked->exports.empty()) {
    return skip("It says that it is " + named + ", and cannot be asked whether that is true.");
  }
  const std::string said = asked->said.id + " " + asked->said.version;
  if (said == named) return pass("It is " + named + ", which is known without executing it.");
  const bool plain = is_plugin_id(asked->said.id) && is_plugin_version(asked->said.version);
  return fail("Its note says " + named + ", and drydock_plugin_v1() says " +
              (plain ? said : quoted_word(said)) +
              ": rebuild it with DRYDOCK_PLUGIN, which writes both.");
}

Finding abi(CheckBench& bench) {
  const auto* note = std::get_if<PluginNote>(&bench.note());
  if (note == nullptr) return skip("It has no note that says for which it is built.");
  const std::string refusal = bench.abi_refusal();
  if (!refusal.empty()) return fail(refusal);
  const std::string built = abi_text(note->abi_major, note->abi_minor);
  if (const PluginInspection* asked = bench.asked(); asked != nullptr && asked->exports.empty()) {
    const std::string said = abi_text(asked->said.abi_major, asked->said.abi_minor);
    if (said != built) {
      return fail("Its note says plugin ABI " + built + ", and drydock_plugin_v1() says " + said +
                  ": rebuild all of it against one SDK.");
    }
  }
  return pass("It is built for plugin ABI " + built + ", which this Drydock has.");
}

Finding loads(CheckBench& bench) {
  const InspectionResult* loaded = bench.loaded();
  if (loaded == nullptr) return skip("It is not loaded: see 'note'.");
  if (const auto* refused = std::get_if<WontLoad>(loaded)) {
    // The file is known: "/path/x.so cannot be loaded" becomes "It cannot be loaded".
    const std::string& file = bench.settings().plugin_file;
    const bool named = refused->reason.rfind(file, 0) == 0;
    return fail(named ? "It" + refused->reason.substr(file.size()) : refused->reason);
  }
  if (const auto* crashed = std::get_if<Crashed>(loaded)) {
    return fail("It " + describe(*crashed) +
                " while it was loaded: look at what its constructors do.");
  }
  if (const auto* late = std::get_if<TimedOut>(loaded)) {
    return fail("It was not loaded within " + format_duration(late->limit) +
                ": one of its constructors hangs.");
  }
  return pass("It loads with all its symbols (RTLD_NOW).");
}

Finding loading_time(CheckBench& bench) {
  const InspectionResult* loaded = bench.loaded();
  if (loaded == nullptr || !std::holds_alternative<PluginInspection>(*loaded)) {
    return skip("It cannot be loaded.");
  }
  auto fastest = std::get<PluginInspection>(*loaded).loading;
  // A machine that is busy at the moment is not the plugin's fault.
  for (int again = 0; again < 2; ++again) {
    const InspectionResult result = bench.worker().inspect(bench.settings().plugin_file, false);
    if (const auto* loading = std::get_if<PluginInspection>(&result)) {
      fastest = std::min(fastest, loading->loading);
    }
  }
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(fastest);
  if (ms >= longest_loading) {
    return fail(
        "It took " + std::to_string(ms.count()) + " ms to load, and " +
        std::to_string(longest_loading.count()) +
        " ms are allowed, for each step of each stage: link fewer libraries, and do nothing "
        "in constructors.");
  }
  return pass("It loads within " + std::to_string(ms.count()) + " ms.");
}

Finding exports(CheckBench& bench) {
  if (bench.loaded() == nullptr) return skip("It is not looked into: see 'note'.");
  std::vector<std::string> others;
  try {
    const auto symbols = exported_symbols(read_file(bench.settings().plugin_file, largest_plugin));
    if (!symbols) return fail("Its table of symbols cannot be read: build it again.");
    others = *symbols;
  } catch (const Error& error) {
    return fail(full_stop(error.what()));
  }
  const auto own = std::find(others.begin(), others.end(), entry);
  if (own == others.end()) {
    return fail("It does not export drydock_plugin_v1: register it with DRYDOCK_PLUGIN.");
  }
  others.erase(own);
  // What its author wrote before what the compiler made.
  std::stable_partition(others.begin(), others.end(),
                        [](const std::string& name) { return name.rfind("_Z", 0) != 0; });
  if (others.empty()) return pass("It exports drydock_plugin_v1 and nothing else.");
  const std::string first = shorten(others.front(), 40);
  return fail("It also exports " + first +
              (others.size() == 1 ? "" : " and " + std::to_string(others.size() - 1) + " others") +
              ": build it with drydock_add_plugin, or link it with an export map.");
}

Finding describes(CheckBench& bench) {
  const InspectionResult* result = bench.asking();
  if (result == nullptr) return skip("It is not asked: see 'note', 'abi' and 'loads'.");
  if (const auto* crashed = std::get_if<Crashed>(result)) {
    return fail("It " + describe(*crashed) + " when drydock_plugin_v1() was called.");
  }
  if (const auto* late = std::get_if<TimedOut>(result)) {
    return fail("drydock_plugin_v1() did not return within " + format_duration(late->limit) + ".");
  }
  if (const auto* refused = std::get_if<WontLoad>(result)) return fail(full_stop(refused->reason));
  const auto& asked = std::get<PluginInspection>(*result);
  if (asked.exports.rfind("does not export", 0) == 0) return skip("There is none: see 'exports'.");
  if (!asked.exports.empty()) return fail("It " + asked.exports + ".");
  if (!asked.stable) {
    return fail(
        "drydock_plugin_v1() returned another description when it was called again: let it "
        "return a static one.");
  }
  return pass("drydock_plugin_v1() returns the same description each time.");
}

Finding names(CheckBench& bench) {
  const PluginInspection* asked = bench.asked();
  if (asked == nullptr || !asked->exports.empty()) {
    return skip("It cannot be asked for its stage types.");
  }
  std::set<std::string> seen;
  for (const StageDescription& stage : asked->said.stages) {
    const std::string quoted = "'" + shorten(make_visible(stage.name), 40) + "'";
    if (!is_stage_type(stage.name)) {
      return fail("It calls a stage type " + quoted + ", allowed: [a-z][a-z0-9_-]*, at most 64.");
    }
    if (!seen.insert(stage.name).second) {
      return fail("It calls two stage types " + quoted + ": a pipeline could use one only.");
    }
    if (!is_summary(stage.summary)) {
      return fail("Its stage type " + quoted +
                  " has no summary of one line, of at most 200 bytes and without control "
                  "characters, which `drydock stages` shows.");
    }
    if (stage.notes_version == 0) {
      return fail("The notes of its stage type " + quoted + " have the version 0: begin with 1.");
    }
    if (stage.steps.count(Step::run) == 0) {
      return fail("Its stage type " + quoted + " has no step run.");
    }
  }
  const std::vector<std::string> all(seen.begin(), seen.end());
  return pass("It provides " + join(all, ", ") + ".");
}

}  // namespace

std::vector<PluginCheck> file_checks() {
  return {
      {"note", "What it is can be read without executing it, and is what it says itself.", note},
      {"abi", "It is built for a plugin ABI that this Drydock has.", abi},
      {"loads", "It loads, with every symbol that it needs.", loads},
      {"load-time", "It loads in less than 100 ms.", loading_time},
      {"exports", "It exports drydock_plugin_v1 and nothing else.", exports},
      {"entry", "drydock_plugin_v1() returns one static description.", describes},
      {"names", "Its stage types have unique names, summaries and a step run.", names},
  };
}

}  // namespace drydock
