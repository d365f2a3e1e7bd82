// Loads a plugin into the worker, for good. The only place that knows Boost.DLL.
#pragma once

#include <drydock/stage.h>

#include <optional>
#include <string>
#include <variant>

#include "plugin_note.h"
#include "worker.h"

namespace drydock {

struct LoadedPlugin {
  const drydock_plugin* plugin = nullptr;
  PluginNote note;
};

// Checks that it is that file still, where one is told, checks the note, loads the file and calls
// drydock_plugin_v1(). A constructor of the plugin that crashes takes the worker with it, which is
// what a worker is for.
std::variant<LoadedPlugin, WontLoad> load_plugin(const std::string& path,
                                                 const std::optional<FileIdentity>& identity);

// Loads the file, whatever its note says, and with `ask` also calls drydock_plugin_v1(), twice.
std::variant<PluginInspection, WontLoad> inspect_plugin(const std::string& path, bool ask);

// The stage's own copy of its descriptor; members that an older plugin does not know are 0.
std::variant<drydock_stage, WontLoad> find_stage(const LoadedPlugin& loaded,
                                                 const std::string& path,
                                                 const std::string& stage_type);
const drydock_step& step_of(const drydock_stage& stage, Step step);

// All that the plugin says of itself, checked.
std::variant<PluginDescription, WontLoad> describe_plugin(const LoadedPlugin& loaded,
                                                          const std::string& path);

}  // namespace drydock
