#include "stage_library.h"

// Without Boost.Filesystem the worker needs one library less at each start.
#define BOOST_DLL_USE_STD_FS
#include <fcntl.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <chrono>
#include <set>

#include "abi_struct.h"
#include "plugin_words.h"
#include "wire_messages.h"

namespace drydock {
namespace {

using boost::dll::load_mode::rtld_local;
using boost::dll::load_mode::rtld_now;

constexpr std::size_t most_stages = 256;

WontLoad refuse(const std::string& path, const std::string& why) {
  return WontLoad{path + " " + why + "."};
}

// What the dynamic linker said, in a sentence that names the symbol or the library.
std::string explain(const std::string& path, std::string error) {
  // Boost writes: load() failed (dlerror system message: PATH: undefined symbol: f): Bad file ...
  const std::string before = "dlerror system message: ";
  if (const std::size_t at = error.find(before); at != std::string::npos) {
    error.erase(0, at + before.size());
    error.erase(std::min(error.rfind("): "), error.size()));
  }
  const std::string undefined = "undefined symbol: ";
  if (const std::size_t at = error.find(undefined); at != std::string::npos) {
    std::string symbol = error.substr(at + undefined.size());
    symbol = symbol.substr(0, symbol.find_first_of(" \t(,"));
    return "cannot be loaded, because no library that it is linked to has the symbol '" + symbol +
           "': link that library to the plugin and rebuild it";
  }
  if (error.compare(0, path.size() + 2, path + ": ") == 0) error.erase(0, path.size() + 2);
  return "cannot be loaded: " + error;
}

// Whether the file could be loaded: "", else why not.
std::string open_library(boost::dll::shared_library& library, const std::string& path) {
  try {
    library.load(path, rtld_now | rtld_local);
    return "";
  } catch (const std::exception& error) {
    return explain(path, error.what());
  }
}

constexpr const char* entry_name = "drydock_plugin_v1";
constexpr const char* no_entry =
    "does not export drydock_plugin_v1: register it with DRYDOCK_PLUGIN";

constexpr const char* not_sound =
    "describes itself wrongly: drydock_plugin_v1() must return its id, its version and between 1 "
    "and "
    "256 stage types, each with its size";

bool is_sound(const drydock_plugin* plugin) {
  if (!is_whole(plugin) || plugin->id == nullptr || plugin->version == nullptr ||
      plugin->stages == nullptr || plugin->stage_count == 0 || plugin->stage_count > most_stages) {
    return false;
  }
  return std::all_of(plugin->stages, plugin->stages + plugin->stage_count,
                     [](const drydock_stage* stage) { return is_whole(stage); });
}

PluginDescription as_said(const drydock_plugin& plugin) {
  const auto text = [](const char* theirs) { return theirs == nullptr ? "" : theirs; };
  PluginDescription said{plugin.id, plugin.version, plugin.abi_major, plugin.abi_minor, {}};
  for (std::size_t i = 0; i < plugin.stage_count; ++i) {
    const drydock_stage stage = own_copy(plugin.stages[i]);
    StageDescription each;
    each.name = text(stage.name);
    each.summary = text(stage.summary);
    each.notes_version = stage.notes_version;
    each.schema = OptionsSchema(text(stage.options_schema));
    for (Step step : all_steps) {
      const drydock_step& described = step_of(stage, step);
      if (described.perform != nullptr) each.steps[step] = text(described.only_with);
    }
    said.stages.push_back(std::move(each));
  }
  return said;
}

std::variant<StageDescription, WontLoad> describe_stage(const drydock_stage& stage,
                                                        const std::string& path) {
  if (stage.name == nullptr || !is_stage_type(stage.name)) {
    return refuse(path,
                  "has a stage type whose name is not of the form [a-z][a-z0-9_-]*, at most 64");
  }
  const std::string name = stage.name;
  if (stage.summary == nullptr || stage.options_schema == nullptr) {
    return refuse(path, "gives no summary or no options schema for its stage type '" + name + "'");
  }
  if (!is_summary(stage.summary)) {
    return refuse(path,
                  "has no summary of one line, of at most 200 bytes and without control "
                  "characters, for its stage type '" +
                      name + "': give it one and rebuild");
  }
  if (stage.notes_version == 0) {
    return refuse(path,
                  "has a stage type '" + name + "' whose notes have the version 0: begin with 1");
  }
  StageDescription result;
  result.name = name;
  result.summary = stage.summary;
  result.notes_version = stage.notes_version;
  result.schema = OptionsSchema(stage.options_schema);
  if (const std::string& problem = result.schema.problem(); !problem.empty()) {
    return refuse(path, "has a stage type '" + name + "' whose options schema " + problem +
                            ": correct it and rebuild");
  }
  for (Step step : all_steps) {
    const drydock_step& each = step_of(stage, step);
    if (each.perform == nullptr) continue;
    result.steps[step] = each.only_with == nullptr ? "" : each.only_with;
  }
  if (result.steps.count(Step::run) == 0) {
    return refuse(path, "has a stage type '" + name + "' without the step run");
  }
  return result;
}

}  // namespace

std::variant<LoadedPlugin, WontLoad> load_plugin(const std::string& path,
                                                 const std::optional<FileIdentity>& identity) {
  // The rest of the time it is told by its path: a plugin may look for what lies beside it.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (identity &&
      (!file || ::fstat(file.get(), &status) != 0 || identity_of(path, status) != *identity)) {
    return refuse(
        path,
        "is not the file any more that it was when Drydock looked at it, so nothing of it "
        "was loaded: look who changed it, and begin again");
  }
  const auto read = read_plugin_note(file);
  if (const auto* none = std::get_if<NoPluginNote>(&read)) return refuse(path, none->reason);
  LoadedPlugin loaded{nullptr, std::get<PluginNote>(read)};
  const std::string refusal = abi_refusal(path, loaded.note.abi_major, loaded.note.abi_minor);
  if (!refusal.empty()) return WontLoad{refusal};

  // Never deleted: a library that is unloaded takes the code of running threads with it.
  auto* library = new boost::dll::shared_library();
  const std::string problem = open_library(*library, path);
  if (!problem.empty()) return refuse(path, problem);
  if (!library->has(entry_name)) return refuse(path, no_entry);
  loaded.plugin = library->get<const drydock_plugin*()>(entry_name)();
  if (!is_sound(loaded.plugin)) return refuse(path, not_sound);
  const std::string again = abi_refusal(path, loaded.plugin->abi_major, loaded.plugin->abi_minor);
  if (!again.empty()) return WontLoad{again};
  return loaded;
}

std::variant<PluginInspection, WontLoad> inspect_plugin(const std::string& path, bool ask) {
  using Clock = std::chrono::steady_clock;
  PluginInspection found;
  auto* library = new boost::dll::shared_library();  // never deleted
  const Clock::time_point began = Clock::now();
  const std::string problem = open_library(*library, path);
  if (!problem.empty()) return refuse(path, problem);
  found.loading = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began);
  if (!ask) return found;
  if (!library->has(entry_name)) {
    found.exports = no_entry;
    return found;
  }
  const auto entry = library->get<const drydock_plugin*()>(entry_name);
  const drydock_plugin* plugin = entry();
  if (!is_sound(plugin)) {
    found.exports = not_sound;
    return found;
  }
  found.said = as_said(*plugin);
  const drydock_plugin* again = entry();
  found.stable = again == plugin && is_sound(again) &&
                 description_body(as_said(*again)) == description_body(found.said);
  return found;
}

std::variant<drydock_stage, WontLoad> find_stage(const LoadedPlugin& loaded,
                                                 const std::string& path,
                                                 const std::string& stage_type) {
  for (std::size_t i = 0; i < loaded.plugin->stage_count; ++i) {
    const drydock_stage stage = own_copy(loaded.plugin->stages[i]);
    if (stage.name != nullptr && stage_type == stage.name) return stage;
  }
  return refuse(path, "provides no stage type '" + stage_type + "' any more");
}

const drydock_step& step_of(const drydock_stage& stage, Step step) {
  switch (step) {
    case Step::observe:
      return stage.observe;
    case Step::plan:
      return stage.plan;
    case Step::run:
      return stage.run;
    case Step::verify:
      return stage.verify;
    case Step::rollback:
      return stage.rollback;
    case Step::settle:
      break;
  }
  return stage.settle;
}

std::variant<PluginDescription, WontLoad> describe_plugin(const LoadedPlugin& loaded,
                                                          const std::string& path) {
  const drydock_plugin& plugin = *loaded.plugin;
  PluginDescription result;
  result.id = plugin.id;
  result.version = plugin.version;
  result.abi_major = plugin.abi_major;
  result.abi_minor = plugin.abi_minor;
  if (result.id != loaded.note.id || result.version != loaded.note.version) {
    return refuse(path, "contradicts itself: its note says " + loaded.note.id + " " +
                            loaded.note.version + ", drydock_plugin_v1() says " + result.id + " " +
                            result.version + "; rebuild it with DRYDOCK_PLUGIN");
  }
  std::set<std::string> names;
  for (std::size_t i = 0; i < plugin.stage_count; ++i) {
    auto described = describe_stage(own_copy(plugin.stages[i]), path);
    if (const auto* refused = std::get_if<WontLoad>(&described)) return *refused;
    auto& stage = std::get<StageDescription>(described);
    if (!names.insert(stage.name).second) {
      return refuse(path, "provides the stage type '" + stage.name + "' twice");
    }
    result.stages.push_back(std::move(stage));
  }
  return result;
}

}  // namespace drydock
