// Where plugins are looked for. What is found first wins: a plugin of the same id, or a stage type
// of the same name, in a later folder is hidden.
#pragma once

#include <string>
#include <vector>

namespace drydock {

struct PluginFolder {
  enum class Origin { command_line, environment, user, system, built_in };
  std::string path;  // absolute, without links where it is there
  Origin origin = Origin::built_in;
  bool is_there = true;
};
// "--plugin-dir", "DRYDOCK_PLUGIN_PATH", "of the user", "of the system", "built in"
const char* name_of(PluginFolder::Origin origin);

// In the order in which they are searched: those of --plugin-dir, of DRYDOCK_PLUGIN_PATH (separated
// by
// ':'), of the user, of the system, and the built-in one; each once. Those of the user and of the
// system need not be there. Throws Error for one that was named and is no folder.
std::vector<PluginFolder> plugin_path(const std::vector<std::string>& named,
                                      const std::string& system, const std::string& built_in);

// $XDG_DATA_HOME/drydock/plugins, else in $HOME/.local/share; "" when neither is an absolute path.
std::string user_plugin_folder();

}  // namespace drydock
