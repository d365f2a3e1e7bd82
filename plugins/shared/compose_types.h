// What a Compose project consists of, as plain values: containers as the engine reports them, and
// the model as Compose resolves it from its files. Everything that decides works on these alone.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace drydock::compose {

struct Mount {
  std::string type;    // "bind", "volume", "tmpfs", ...
  std::string volume;  // the volume's name on the engine; "" for a bind
  std::string source;  // a bind's path on the host
  std::string target;  // the path in the container
  bool writable = true;

  // What two containers must not both write: "volume NAME" or the host path. "" when nothing that
  // outlives the container or is visible to another one.
  std::string held() const {
    if (type == "volume") return volume.empty() ? "" : "volume " + volume;
    return type == "bind" ? source : "";
  }
};

struct Container {
  std::string id;
  std::string name;
  std::string service;
  std::string project;      // its label; "" when Compose did not make it
  std::string working_dir;  // its label
  int number = 1;           // Compose counts the containers of a service from 1
  bool one_off = false;     // made by `compose run`
  std::string image;        // the reference that it was created from
  std::string image_id;     // "sha256:..."
  std::string config_hash;
  std::string compose_version;  // of the Compose that made it
  std::string state;            // created running paused restarting removing exited dead
  std::string health;           // "" without a health check, else starting healthy unhealthy
  std::string started_at, finished_at;  // UTC, RFC 3339; finished_at: of the time it ran before
  int exit_code = 0;
  int restarts = 0;
  bool out_of_memory = false;
  std::string restart_policy;  // as `docker update --restart` takes it: no always on-failure:3 ...
  std::map<std::string, std::string> environment;  // may hold secrets: never into a note or a log
  std::vector<Mount> mounts;

  bool runs() const { return state == "running" || state == "paused" || state == "restarting"; }
  // Of a noted one: whether its policy is to be put back. One that an earlier stage of the run has
  // stopped was noted with the policy that holds it down.
  bool has_policy_of_its_own() const { return runs() || restart_policy != "no"; }
  // A service container: not the work of `compose run`.
  bool serves() const { return !service.empty() && !one_off; }
};

struct Service {
  std::string name;
  std::string image;          // "" when it is only built
  std::string platform;       // "" for the engine's own
  bool built = false;         // has a `build:` section
  bool never_pulled = false;  // pull_policy: never or build
  bool health_check = false;
  int replicas = 1;
  std::string restart_policy = "no";
  std::vector<std::string> profiles;
  std::map<std::string, std::string> depends_on;  // service -> condition
  std::vector<Mount> mounts;                      // volume: the name on the engine
  std::vector<std::string> files;                 // of its configs and secrets, on the host

  // What allows it only one container at a time.
  std::string container_name;                // "" for one that Compose makes up
  std::vector<std::string> host_ports;       // fixed ones: "127.0.0.1:8080/tcp"
  std::vector<std::string> fixed_addresses;  // on its networks
  std::string network_mode;                  // "" for networks of its own

  // Each setting of the compose file with a hash of its value: names may be told, values not.
  std::map<std::string, std::size_t> settings;
};

struct Model {
  std::string project;
  std::map<std::string, Service> services;
  std::size_t fingerprint = 0;  // of all that it says, networks and the like included

  bool has(const std::string& service) const { return services.count(service) != 0; }
  // `named` and all that they depend on, as far as the model has it.
  std::set<std::string> with_dependencies(const std::set<std::string>& named) const;
  // Services that another one waits for to have finished.
  std::set<std::string> one_shot() const;
  // The services in the order of their dependencies: each set needs only those before it.
  std::vector<std::set<std::string>> start_order() const;
};

template <class Map>
typename Map::mapped_type value_or_empty(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

// nullptr when there is none; points into `containers`.
const Container* find_id(const std::vector<Container>& containers, const std::string& id);

// The service containers, without the work of `compose run`, by their service.
std::map<std::string, std::vector<Container>> by_service(const std::vector<Container>& containers);

}  // namespace drydock::compose
