#include "mariadb_container.h"

#include "postgres_container.h"

namespace drydock {
namespace {

std::string image_name(const compose::Container& container) {
  return container.image.substr(container.image.rfind('/') + 1);
}

bool has_variables(const compose::Container& container, const std::string& prefix) {
  for (const char* name : {"ROOT_PASSWORD", "ROOT_PASSWORD_FILE", "ROOT_PASSWORD_HASH", "ROOT_HOST",
                           "ALLOW_EMPTY_ROOT_PASSWORD", "ALLOW_EMPTY_PASSWORD",
                           "RANDOM_ROOT_PASSWORD", "DATABASE", "USER"}) {
    if (container.environment.count(prefix + name) != 0) return true;
  }
  return false;
}

// NAME, or what the file that NAME_FILE names holds, whichever of the two prefixes an image takes.
std::optional<std::string> setting(const Call& call, const compose::Container& container,
                                   const std::string& name) {
  for (const char* prefix : {"MARIADB_", "MYSQL_"}) {
    const auto value = container.environment.find(prefix + name);
    if (value != container.environment.end() && !value->second.empty()) return value->second;
    const auto file = container.environment.find(prefix + name + "_FILE");
    if (file == container.environment.end() || file->second.empty()) continue;
    Process process;
    process.arguments = {"docker", "exec", container.id, "cat", file->second};
    const Captured captured = call.capture(process);
    if (!captured.exit.ok()) {
      throw Failed("the file " + file->second + " of container " + container.name + ", which " +
                   prefix + name + "_FILE names, cannot be read");
    }
    std::string text = captured.out;
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }
  return std::nullopt;
}

}  // namespace

bool looks_like_mariadb(const compose::Container& container) {
  const std::string image = image_name(container);
  for (const char* name : {"mariadb", "mysql", "percona"}) {
    if (image.rfind(name, 0) == 0) return true;
  }
  if (!has_variables(container, "MARIADB_") && !has_variables(container, "MYSQL_")) return false;
  // An application that merely connects has such variables too, but no data.
  for (const compose::Mount& mount : container.mounts) {
    if (mount.target.find("mysql") != std::string::npos ||
        mount.target.find("mariadb") != std::string::npos) {
      return true;
    }
  }
  return false;
}

bool looks_like_mysql(const compose::Container& container) {
  const std::string image = image_name(container);
  return image.find("mariadb") == std::string::npos &&
         (image.rfind("mysql", 0) == 0 || image.rfind("percona", 0) == 0 ||
          !has_variables(container, "MARIADB_"));
}

MariadbServer mariadb_in(const Call& call, const compose::Container& container, bool mysql,
                         const std::string& user, const std::optional<std::string>& password) {
  MariadbServer server;
  server.mysql = mysql;
  server.user = user;
  server.description =
      "service " + container.service + " (container " + short_id(container.id) + ")";
  std::optional<std::string> known = password;
  const auto made = setting(call, container, "USER");
  if (server.user.empty()) {
    const bool unknown_root = container.environment.count("MARIADB_RANDOM_ROOT_PASSWORD") != 0 ||
                              container.environment.count("MYSQL_RANDOM_ROOT_PASSWORD") != 0;
    server.user = unknown_root && made ? *made : "root";
  }
  if (!known) {
    if (server.user == "root") known = setting(call, container, "ROOT_PASSWORD");
    if (made && server.user == *made) known = setting(call, container, "PASSWORD");
  }
  server.reach = {"docker", "exec", "--interactive"};
  if (known && !known->empty()) {
    // By inheritance, so that it is in no argument list; who can read the environment of the client
    // can read the container's own, where it comes from.
    server.reach.insert(server.reach.end(), {"--env", "MYSQL_PWD"});
    server.environment = {"MYSQL_PWD=" + *known};
  }
  server.reach.push_back(container.id);
  return server;
}

}  // namespace drydock
