#include "database_place.h"

#include <netdb.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "compose_engine.h"
#include "database_settings.h"
#include "file_store.h"
#include "mariadb_container.h"
#include "open_database.h"
#include "postgres_container.h"

namespace drydock::alembic {
namespace {

using compose::Container;
using Containers = std::vector<Container>;
using Json = nlohmann::json;

constexpr auto place_note = "database/place";

// All that a note may hold.
std::map<std::string, std::string*> fields_of(DatabaseUrl& url) {
  return {{"kind", &url.kind}, {"host", &url.host},     {"port", &url.port},
          {"user", &url.user}, {"socket", &url.socket}, {"ssl_mode", &url.ssl_mode}};
}

std::string password_file(const Call& call) { return call.private_dir() + "/database-password"; }

bool is_called(const Container& container, const std::string& host) {
  return container.service == host || container.name == host;
}

// The database's container, by the options, by the host that `.env` names, or by its looks.
std::optional<Container> find_container(const Containers& all,
                                        const std::vector<std::string>& services,
                                        const std::optional<DatabaseUrl>& settings) {
  if (!services.empty()) return database_container(all, services);
  if (settings) {
    const auto named = [&](const Container& one) {
      return is_called(one, settings->host) &&
             (looks_like_postgres(one) || looks_like_mariadb(one));
    };
    if (auto found = database_container(all, services, named)) return found;
  }
  if (auto found = database_container(all, services)) return found;
  return database_container(all, services, looks_like_mariadb);
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

bool is_known_here(const std::string& host) {
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, nullptr, &found) != 0) return false;
  ::freeaddrinfo(found);
  return true;
}

// Only of a name that could be a service's Compose is asked.
bool is_service(const Call& call, const Containers& all, const std::string& host) {
  for (const Container& one : all) {
    if (is_called(one, host)) return true;
  }
  if (call.project().empty() || host.find_first_of(".:/") != std::string::npos) return false;
  return !is_loopback(host) && compose::all_service_names(call).count(host) != 0;
}

// Whether `.env` names a server that is none of this deployment. Not a name without a dot that only
// the containers' networks know; this machine and a socket, which may be a container's own, where
// the options say that `.env` counts. Throws Failed where nobody can tell: a lookup that fails
// today must not lead to another database than yesterday.
bool is_outside(const Call& call, const Containers& all, const DatabaseUrl& settings) {
  const std::string& host = settings.host;
  if (is_service(call, all, host)) return false;
  if (is_loopback(host) || !settings.socket.empty()) return call.has("/database/env");
  if (host == "host.docker.internal" || is_known_here(host)) return true;
  if (host.find_first_of(".:") == std::string::npos) return false;
  throw Failed("the database server " + host +
               " that .env names cannot be looked up; repeat when it can, or say where the "
               "database is with `database`, `url` or `service`");
}

BadOptions two_databases(const DatabaseUrl& settings, const Container& container) {
  return BadOptions("two databases may be meant: .env names the server " + settings.place() +
                    ", and service " + container.service +
                    " of this deployment looks like one as well; name the service with `database`, "
                    "`service`, or say `database: {env: {}}` where .env is right");
}

// The folder or volume with its data.
std::string data_of(const Container& container) {
  for (const compose::Mount& mount : container.mounts) {
    if (mount.writable && !mount.held().empty()) return mount.held();
  }
  return "";
}

DatabasePlace place_in(const Call& call, const Container& container,
                       const std::optional<DatabaseUrl>& settings) {
  DatabasePlace place;
  place.service = container.service;
  place.data = data_of(container);
  place.name = call.text("/database/name");
  if (place.name.empty() && settings && is_called(container, settings->host)) {
    place.name = settings->database;
  }
  if (place.name.empty()) place.name = database_in(container);
  return place;
}

DatabasePlace place_outside(DatabaseUrl url) {
  DatabasePlace place;
  place.name = url.database;
  place.server = std::move(url);
  return place;
}

// What `.env` says of a server elsewhere.
DatabasePlace place_elsewhere(const Call& call, const DatabaseUrl& settings) {
  if (settings.database.empty()) {
    throw BadOptions("the variables in .env name the database server " + settings.place() +
                     ", and no database of it; name it with `database`, `name`");
  }
  return place_outside(seen_from_here(call, settings));
}

std::optional<DatabasePlace> noted_place(const Call& call) {
  const auto note = call.recall(place_note);
  if (!note) return std::nullopt;
  const Json json = Json::parse(*note);
  DatabasePlace place;
  json.at("name").get_to(place.name);
  json.at("sqlite").get_to(place.sqlite);
  json.at("service").get_to(place.service);
  json.at("data").get_to(place.data);
  if (const auto server = json.find("server"); server != json.end()) {
    DatabaseUrl& url = place.server.emplace();
    for (const auto& [key, field] : fields_of(url)) server->at(key).get_to(*field);
    url.database = place.name;
    url.password = files::read_if_present(password_file(call)).value_or("");
  }
  return place;
}

struct Found {
  DatabasePlace place;
  std::optional<Container> container;
};

// The noted service's container, or another's with the same data: a service may have been renamed
// by the run, and have its old name again.
std::optional<Found> find_again(const Call& call, const DatabasePlace& place) {
  if (place.service.empty()) return Found{place, {}};
  const Containers all = compose::project_containers(call);
  const auto has_data = [&](const Container& one) {
    return !place.data.empty() && (looks_like_postgres(one) || looks_like_mariadb(one)) &&
           data_of(one) == place.data;
  };
  auto container = database_container(all, {place.service});
  if (!container) container = database_container(all, {}, has_data);
  const std::vector<std::string> services = call.texts("/database/service");
  if (!container && !services.empty()) container = database_container(all, services);
  return container ? std::optional(Found{place, container}) : std::nullopt;
}

void warn_of_passed_over(const Call& call, const Containers& all, const DatabaseUrl& settings,
                         const Container& taken) {
  try {
    if (!is_outside(call, all, settings)) return;
  } catch (const Failed&) {  // it cannot be looked up
  }
  call.warn(".env names the database server " + settings.place() + ", and that of service " +
            taken.service +
            " is migrated, as `database`, `service` says; where the application goes by .env, its "
            "database is another");
}

std::optional<Found> find_place(const Call& call) {
  if (call.has("/sqlite")) {
    DatabasePlace place;
    place.sqlite = true;
    place.name = call.text("/sqlite");
    return Found{place, {}};
  }
  if (const auto url = url_option(call)) return Found{place_outside(*url), {}};
  const std::optional<DatabaseUrl> settings = env_settings(call);
  if (call.project().empty()) {
    if (settings) return Found{place_elsewhere(call, *settings), {}};
    throw BadOptions("nothing says where the migrated database is: " + call.deployment_dir() +
                     " is no Compose deployment; name the SQLite file that it is with `sqlite`, or "
                     "the place of a server with `database`, `url`");
  }
  const Containers all = compose::project_containers(call);
  const std::vector<std::string> services = call.texts("/database/service");
  const bool outside = settings && services.empty() && is_outside(call, all, *settings);
  if (outside && call.has("/database/env")) return Found{place_elsewhere(call, *settings), {}};
  const auto container = find_container(all, services, settings);
  if (container && outside) throw two_databases(*settings, *container);
  if (container) {
    if (settings && !services.empty() && call.step() == "plan") {
      warn_of_passed_over(call, all, *settings, *container);
    }
    return Found{place_in(call, *container, settings), container};
  }
  const bool elsewhere = settings && services.empty() && !is_service(call, all, settings->host);
  if (elsewhere) return Found{place_elsewhere(call, *settings), {}};
  return std::nullopt;
}

}  // namespace

std::string DatabasePlace::text() const {
  if (sqlite) return "file " + name;
  return server ? "server " + server->place() : "service " + service;
}

void note_place(const Call& call, const DatabasePlace& place) {
  if (call.recall(place_note)) return;
  Json json = {{"name", place.name},
               {"sqlite", place.sqlite},
               {"service", place.service},
               {"data", place.data}};
  if (place.server) {
    DatabaseUrl url = *place.server;
    for (const auto& [key, field] : fields_of(url)) json["server"][key] = *field;
    files::write(password_file(call), url.password);
  }
  call.remember(place_note, json.dump());
}

std::optional<MigratedDatabase> find_database(const Call& call) {
  // What looks, and what plans, is to say what there is.
  const bool looks = call.step() == "observe" || call.step() == "plan";
  const auto noted = looks ? std::nullopt : noted_place(call);
  const std::optional<Found> found = noted ? find_again(call, *noted) : find_place(call);
  if (!found) return std::nullopt;
  return found->container ? open_database(call, found->place, *found->container)
                          : open_database(call, found->place);
}

}  // namespace drydock::alembic
