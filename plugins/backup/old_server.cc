#include "old_server.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "database_backup.h"
#include "database_entry.h"
#include "file_store.h"
#include "outside_server.h"
#include "parts.h"

namespace drydock::backup {
namespace {

using compose::Container;
using compose::Mount;

// Two servers on one data folder both accept writes and do not see each other: the data is
// destroyed. So nothing is started while another database server holds it.
void refuse_second_server(const Call& call, const DatabaseRecord& record,
                          const std::vector<Mount>& mounts, const std::string& except_service) {
  std::set<std::string> held;
  for (const Mount& mount : mounts) {
    if (mount.writable && !mount.held().empty()) held.insert(mount.held());
  }
  for (const Container& other : compose::running_containers(call)) {
    const bool replaced =
        other.project == call.project() &&
        compose::real_path(other.working_dir) == compose::real_path(call.deployment_dir()) &&
        other.serves() && other.service == except_service;
    if (other.id == record.container || replaced || !looks_like_database(other)) continue;
    for (const Mount& mount : other.mounts) {
      if (mount.writable && held.count(mount.held()) != 0) {
        throw Failed("container " + other.name + " is a database server on the data of service " +
                     record.service + " (" + mount.held() +
                     "), so that service is not started beside it; stop it (docker stop " +
                     other.name + ") and repeat");
      }
    }
  }
}

// The kept model, with the exact image of before where its name now means another one.
std::string model_with_old_image(const Call& call, const DatabaseRecord& record,
                                 const std::string& model) {
  if (record.image_id.empty() || compose::image_id(call, record.image) == record.image_id) {
    return model;
  }
  try {
    nlohmann::json edited = nlohmann::json::parse(files::read(model));
    edited.at("services").at(record.service)["image"] = record.image_id;
    const std::string file = call.private_dir() + "/model-old-image.json";
    files::write(file, edited.dump());
    return file;
  } catch (const nlohmann::json::exception& e) {
    throw Failed("the compose model kept in " + model + " has no service " + record.service + ": " +
                 e.what());
  }
}

void start_by_compose(const Call& call, const DatabaseRecord& record, const std::string& model) {
  const compose::Model parsed = compose::parse_model(files::read(model));
  const auto service = parsed.services.find(record.service);
  if (service == parsed.services.end()) {
    throw Failed("the compose model kept in " + model + " has no service " + record.service);
  }
  refuse_second_server(call, record, service->second.mounts, record.service);
  call.info("starting the database service " + record.service + " as it was before the run");
  compose::run_compose(call,
                       compose::compose_with_model(call, model_with_old_image(call, record, model),
                                                   {"up", "--detach", "--no-deps", "--pull",
                                                    "never", "--no-build", record.service}),
                       "start the database service " + record.service);
}

// The container in which the database runs, as it was before the run, running.
Container old_container(const Call& call, const DatabaseRecord& record, const std::string& model) {
  const auto of_service = [&](const Container& one) {
    return one.serves() && one.service == record.service;
  };
  std::vector<Container> all = compose::project_containers(call);
  const auto noted = std::find_if(all.begin(), all.end(),
                                  [&](const Container& one) { return one.id == record.container; });
  if (noted == all.end()) {
    start_by_compose(call, record, model);
  } else if (!noted->runs()) {
    refuse_second_server(call, record, noted->mounts, "");
    call.info("starting the database container " + noted->name + " again");
    compose::start_containers(call, {noted->id});
  }
  all = compose::project_containers(call);
  const auto running = std::find_if(all.begin(), all.end(), [&](const Container& one) {
    return of_service(one) && one.state == "running";
  });
  if (running == all.end()) {
    throw Failed("the database service " + record.service +
                 " was started and does not run; look at its log (docker compose logs " +
                 record.service + ")");
  }
  return *running;
}

std::unique_ptr<DatabaseServer> find_server(const Call& call, const DatabaseRecord& record,
                                            const std::string& model) {
  if (!record.at_url) {
    return server_in(call, old_container(call, record, model), record.kind, record.user,
                     record.options);
  }
  const auto url = call.secret(record.options + "/url");
  if (!url) {
    throw Failed("database " + record.name + " was dumped from " + record.service +
                 " by a URL that is no longer known");
  }
  DatabaseUrl at = parse_database_url(*url);
  // A secret may have been changed since; a restore into another server would destroy what is
  // there.
  if (at.place() != record.service) {
    throw Failed("database " + record.name + " was dumped from " + record.service +
                 ", and its URL now leads to " + at.place() +
                 ", where nothing is restored; let the URL lead to " + record.service +
                 " again, or load the dump by hand");
  }
  at.user = record.user;
  if (const auto password = call.secret(record.options + "/password")) at.password = *password;
  return server_at(call, at);
}

}  // namespace

std::unique_ptr<DatabaseServer> old_server(const Call& call, const DatabaseRecord& record,
                                           const std::string& model,
                                           std::chrono::milliseconds patience) {
  auto server = find_server(call, record, model);
  server->wait_for(call, patience);
  return server;
}

std::optional<Container> running_container(const Call& call, const DatabaseRecord& record) {
  if (record.at_url) return std::nullopt;
  std::vector<std::string> names = {record.service};
  if (!record.options.empty()) {
    for (std::string& name : call.texts(record.options + "/service")) {
      names.push_back(std::move(name));
    }
  }
  const std::vector<Container> all = compose::project_containers(call);
  for (const std::string& name : names) {
    for (const Container& one : all) {
      if (one.serves() && one.service == name && one.state == "running") return one;
    }
  }
  return std::nullopt;
}

std::unique_ptr<DatabaseServer> present_server(const Call& call, const DatabaseRecord& record,
                                               const std::string& folder) {
  if (!record.at_url) {
    if (const auto running = running_container(call, record)) {
      auto server = server_in(call, *running, record.kind, record.user, record.options);
      server->wait_for(call, patience(call));
      return server;
    }
  }
  if (folder.empty() && !record.at_url) {
    throw Failed("the database service " + record.service + " does not run, so that the dump of " +
                 record.name + " cannot be read by its client; start it and repeat");
  }
  return old_server(call, record, folder + "/" + kept_model, patience(call));
}

}  // namespace drydock::backup
