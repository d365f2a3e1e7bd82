#include "plugin_path.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "error.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using Origin = PluginFolder::Origin;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

class Path {
 public:
  void add_named(const std::string& folder, Origin origin) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
      throw Error("the plugin folder " + folder + " of " + name_of(origin) +
                  " does not exist; name one that does");
    }
    add(folder, origin);
  }
  void add(const std::string& folder, Origin origin) {
    std::error_code error;
    const bool is_there = fs::is_directory(folder, error);
    const fs::path real = is_there ? fs::canonical(folder, error) : fs::path(folder);
    const std::string path = error ? folder : real.string();
    const bool known = std::any_of(folders.begin(), folders.end(),
                                   [&](const PluginFolder& each) { return each.path == path; });
    if (!known) folders.push_back({path, origin, is_there});
  }

  std::vector<PluginFolder> folders;
};

}  // namespace

const char* name_of(Origin origin) {
  switch (origin) {
    case Origin::command_line:
      return "--plugin-dir";
    case Origin::environment:
      return "DRYDOCK_PLUGIN_PATH";
    case Origin::user:
      return "of the user";
    case Origin::system:
      return "of the system";
    case Origin::built_in:
      break;
  }
  return "built in";
}

std::string user_plugin_folder() {
  const std::string data = environment("XDG_DATA_HOME"), home = environment("HOME");
  if (data.rfind('/', 0) == 0) return data + "/drydock/plugins";
  return home.rfind('/', 0) == 0 ? home + "/.local/share/drydock/plugins" : "";
}

std::vector<PluginFolder> plugin_path(const std::vector<std::string>& named,
                                      const std::string& system, const std::string& built_in) {
  Path path;
  for (const std::string& folder : named) path.add_named(folder, Origin::command_line);
  const std::string listed = environment("DRYDOCK_PLUGIN_PATH");
  for (std::size_t begin = 0; begin < listed.size();) {
    const std::size_t end = std::min(listed.find(':', begin), listed.size());
    const std::string folder = listed.substr(begin, end - begin);
    begin = end + 1;
    if (folder.empty()) continue;
    if (folder[0] != '/') {
      throw Error("found '" + folder +
                  "' in DRYDOCK_PLUGIN_PATH, allowed: absolute paths; what is loaded would depend "
                  "on where Drydock was started");
    }
    path.add_named(folder, Origin::environment);
  }
  if (const std::string user = user_plugin_folder(); !user.empty()) path.add(user, Origin::user);
  path.add(system, Origin::system);
  path.add(built_in, Origin::built_in);
  return path.folders;
}

}  // namespace drydock
