// The engine and the Compose project of a deployment, through the `docker` command line. Each
// function runs one or two commands through the Call (so cancelling, masking and faking come for
// free) and throws Failed with a sentence when the engine refuses.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// The same folder may be written in two ways; a path that does not exist stays as it is.
std::string real_path(const std::string& path);

// --- containers ---------------------------------------------------------------------------------

// All containers of this deployment, running or not, `compose run` ones included: the project's by
// label whose working-dir label is this deployment too, because another folder may hold a project
// of the same name.
std::vector<Container> project_containers(const Call& call);
// Those that Compose takes for the project's, too, although they were made from another folder.
std::vector<Container> namesakes(const Call& call);
// Everything that runs on the engine, whosoever's.
std::vector<Container> running_containers(const Call& call);
// Those of `ids` that exist.
std::vector<Container> inspect(const Call& call, const std::vector<std::string>& ids);

// Returns when they have stopped. grace: until they are killed; nullopt: each one's own.
void stop_containers(const Call& call, const std::vector<std::string>& ids,
                     std::optional<std::chrono::milliseconds> grace = std::nullopt);
void start_containers(const Call& call, const std::vector<std::string>& ids);
// Removes stopped containers; one that is gone already is fine. Volumes stay, anonymous ones too.
void remove_containers(const Call& call, const std::vector<std::string>& ids);
// policy as in Container::restart_policy. Does not start or stop anything.
void set_restart_policy(const Call& call, const std::vector<std::string>& ids,
                        const std::string& policy);
// The last lines that the container printed, standard error included.
std::vector<std::string> recent_logs(const Call& call, const std::string& id, int lines = 50);

// --- images -------------------------------------------------------------------------------------

// nullopt: there is no such image on this engine.
std::optional<std::string> image_id(const Call& call, const std::string& reference);
// reference or id -> the line that `docker image inspect --format` prints of it, without those that
// are not there. `format` is never empty of an image that is there.
std::map<std::string, std::string> inspect_images(const Call& call,
                                                  const std::set<std::string>& references,
                                                  const std::string& format);
// reference -> id, without those that are not there.
std::map<std::string, std::string> image_ids(const Call& call,
                                             const std::set<std::string>& references);
void tag_image(const Call& call, const std::string& id, const std::string& reference);

// --- the model ----------------------------------------------------------------------------------

// The model of the files as they are; in plan, as they are planned. Services of inactive profiles
// are not in it.
Model resolved_model(const Call& call);
// The names of all services of the files, whatever their profiles.
std::set<std::string> all_service_names(const Call& call);
// service -> the hash that Compose will label its containers with. model: of the same files.
std::map<std::string, std::string> config_hashes(const Call& call, const Model& model);
// The same of other files: `compose` begins a `docker compose` that names them.
std::map<std::string, std::string> config_hashes(const Call& call, const Model& model,
                                                 Process compose);
// Both, in the time of the slower one.
struct Resolved {
  Model model;
  std::map<std::string, std::string> hashes;
};
Resolved resolved_with_hashes(const Call& call);

}  // namespace drydock::compose
