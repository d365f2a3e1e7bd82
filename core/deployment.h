// The directory that a pipeline upgrades, as a run sees it: all that a step's request needs of it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "compose_project.h"
#include "worker.h"

namespace drydock {

struct Deployment {
  std::string dir;  // absolute, without links
  std::string state_dir;
  ComposeProject compose;
  std::string snapshot_dir;  // "": none
  std::string model_before;  // "": none
};

// What a rollback needs of it, in the journal.
nlohmann::json to_json(const Deployment& deployment);
Deployment deployment_from_json(const nlohmann::json& json);

// -C DIR and the pipeline's deployment.dir together. Throws Error when it is missing or no folder.
std::string deployment_dir(const std::string& change_dir, const DeploymentSpec& spec);

// The label of one-off containers: "drydock.run=<deployment>/<run>".
std::string run_label(const Deployment& deployment, std::uint64_t run);

// A Compose model larger than this is none.
inline constexpr std::size_t largest_model = std::size_t{64} << 20;

// The part of a request that is the same for every stage.
StepRequest request_for(const Deployment& deployment);

// Copies compose files, env files and templates of the deployment into `target` (made anew, whole
// or not at all): what later runs compare the operator's edits with. Files above 1 MiB and what
// cannot be read are left out.
void take_snapshot(const Deployment& deployment, const std::string& target);

}  // namespace drydock
