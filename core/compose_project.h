// The one file, with dot_env.h, that knows Compose: where a deployment's files are, the labels of what
// runs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dot_env.h"
#include "pipeline.h"

namespace drydock {

struct ComposeProject {
  std::string project;                // "" when the deployment has no compose files
  std::vector<std::string> files;     // absolute
  std::vector<std::string> profiles;  // only those that the pipeline names; else `.env` decides
  std::string engine;                 // "Docker 20.10.24"; "": none was reached
};

struct RunningService {
  std::string service, image, state, health;  // health "": the image has no check
};

// What the pipeline leaves to `auto` comes from the labels of what runs from this folder, else from
// Compose's own rules. `dir` is absolute and real. Throws Error when several projects run from the
// folder and none was chosen. `env`: its `.env`.
ComposeProject find_compose_project(const DeploymentSpec& spec, const std::string& dir,
                                    const Variables& env);

// Writes the resolved model (`docker compose config --format json`) to `output`, 0600. Returns why
// it could not, or nullopt.
std::optional<std::string> resolve_compose_model(const ComposeProject& project,
                                                 const std::string& dir, const std::string& output);

// The names of a resolved model's services and images; none where it cannot be read.
std::vector<std::string> names_in_model(const std::string& model_file);

// The project's containers, one per service; nullopt when no engine can be asked.
std::optional<std::vector<RunningService>> services_of(const ComposeProject& project,
                                                       const std::string& dir);

// Images of the project's containers and of its model, for `init` to recognise an application by.
std::vector<std::string> images_of(const ComposeProject& project, const std::string& dir);

}  // namespace drydock
