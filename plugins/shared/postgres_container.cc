#include "postgres_container.h"

#include <set>

namespace drydock {
namespace {

std::string variable(const compose::Container& container, const std::string& name) {
  const auto found = container.environment.find(name);
  return found == container.environment.end() ? "" : found->second;
}

}  // namespace

std::string short_id(const std::string& id) { return id.substr(0, 12); }

bool looks_like_postgres(const compose::Container& container) {
  for (const char* name : {"POSTGRES_USER", "POSTGRES_DB", "POSTGRES_PASSWORD", "PGDATA"}) {
    // An application that merely connects to PostgreSQL has such variables too, but no data.
    if (container.environment.count(name) == 0) continue;
    for (const compose::Mount& mount : container.mounts) {
      if (mount.target.find("postgres") != std::string::npos ||
          (!variable(container, "PGDATA").empty() &&
           variable(container, "PGDATA").rfind(mount.target, 0) == 0)) {
        return true;
      }
    }
  }
  const std::string name = container.image.substr(container.image.rfind('/') + 1);
  return name.rfind("postgres", 0) == 0 || name.rfind("pgvector", 0) == 0 ||
         name.rfind("postgis", 0) == 0;
}

std::optional<compose::Container> database_container(
    const std::vector<compose::Container>& all, const std::vector<std::string>& services,
    const std::function<bool(const compose::Container&)>& looks_like_it) {
  std::vector<compose::Container> candidates;
  const auto consider = [&](auto matches) {
    for (const compose::Container& one : all) {
      if (one.serves() && one.state == "running" && matches(one)) candidates.push_back(one);
    }
  };
  if (services.empty()) consider(looks_like_it);
  for (const std::string& service : services) {
    consider([&](const compose::Container& one) { return one.service == service; });
    if (!candidates.empty()) break;
  }
  if (candidates.empty()) return std::nullopt;
  if (candidates.size() > 1) {
    throw Failed("containers " + candidates[0].name + " and " + candidates[1].name +
                 " could both be the database; name one service, and let one container of it run");
  }
  return candidates.front();
}

PostgresServer postgres_in(const compose::Container& container, const std::string& user) {
  PostgresServer server;
  server.reach = {"docker", "exec", "--interactive", container.id};
  // Only asked for where the local socket does not trust the user.
  const std::string password = variable(container, "POSTGRES_PASSWORD");
  if (!password.empty()) set_password(server, password);
  server.user = user;
  if (server.user.empty()) server.user = variable(container, "POSTGRES_USER");
  if (server.user.empty()) server.user = "postgres";
  server.description =
      "service " + container.service + " (container " + short_id(container.id) + ")";
  return server;
}

void set_password(PostgresServer& server, const std::string& password) {
  // By inheritance, so that it is in no argument list.
  if (server.environment.empty()) {
    server.reach.insert(server.reach.end() - 1, {"--env", "PGPASSWORD"});
  }
  server.environment = {"PGPASSWORD=" + password};
}

std::string default_database(const compose::Container& container) {
  const std::string name = variable(container, "POSTGRES_DB");
  return name.empty() ? postgres_in(container, "").user : name;
}

std::string running_services(const std::vector<compose::Container>& all) {
  std::set<std::string> names;
  for (const compose::Container& one : all) {
    if (one.serves() && one.runs()) names.insert(one.service);
  }
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : ", ") + name;
  return result.empty() ? "none" : result;
}

}  // namespace drydock
