#include "stage_library.h"

// Without Boost.Filesystem the worker needs one library less at each start.
#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <set>

#include "abi_struct.h"

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

bool is_stage_name(const char* name) {
  if (name == nullptr || *name < 'a' || *name > 'z') return false;
  for (; *name != '\0'; ++name) {
    const bool allowed = (*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9') ||
                         *name == '_' || *name == '-';
    if (!allowed) return false;
  }
  return true;
}

std::variant<StageDescription, WontLoad> describe_stage(const drydock_stage& stage,
                                                        const std::string& path) {
  if (!is_stage_name(stage.name)) {
    return refuse(path, "has a stage type whose name is not of the form [a-z][a-z0-9_-]*");
  }
  const std::string name = stage.name;
  if (stage.summary == nullptr || stage.options_schema == nullptr) {
    return refuse(path, "gives no summary or no options schema for its stage type '" + name + "'");
  }
  StageDescription result;
  result.name = name;
  result.summary = stage.summary;
  result.notes_version = stage.notes_version;
  result.schema = OptionsSchema(stage.options_schema);
  if (!result.schema.is_object()) {
    return refuse(path, "has a stage type '" + name +
                            "' whose options schema is no JSON object: correct it and rebuild");
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

std::variant<LoadedPlugin, WontLoad> load_plugin(const std::string& path) {
  const auto read = read_plugin_note(path);
  if (const auto* none = std::get_if<NoPluginNote>(&read)) return refuse(path, none->reason);
  LoadedPlugin loaded{nullptr, std::get<PluginNote>(read)};
  const std::string refusal = abi_refusal(path, loaded.note.abi_major, loaded.note.abi_minor);
  if (!refusal.empty()) return WontLoad{refusal};

  // Never deleted: a library that is unloaded takes the code of running threads with it.
  auto* library = new boost::dll::shared_library();
  try {
    library->load(path, rtld_now | rtld_local);
  } catch (const std::exception& error) {
    return refuse(path, explain(path, error.what()));
  }
  if (!library->has("drydock_plugin_v1")) {
    return refuse(path, "does not export drydock_plugin_v1: register it with DRYDOCK_PLUGIN");
  }
  loaded.plugin = library->get<const drydock_plugin*()>("drydock_plugin_v1")();

  const drydock_plugin* plugin = loaded.plugin;
  if (!is_whole(plugin) || plugin->id == nullptr || plugin->version == nullptr ||
      plugin->stages == nullptr || plugin->stage_count == 0 || plugin->stage_count > most_stages) {
    return refuse(path,
                  "describes itself wrongly: drydock_plugin_v1() must return its id, its "
                  "version and between 1 and 256 stage types");
  }
  const std::string again = abi_refusal(path, plugin->abi_major, plugin->abi_minor);
  if (!again.empty()) return WontLoad{again};
  for (std::size_t i = 0; i < plugin->stage_count; ++i) {
    if (!is_whole(plugin->stages[i])) {
      return refuse(path, "has a stage type without a description");
    }
  }
  return loaded;
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
