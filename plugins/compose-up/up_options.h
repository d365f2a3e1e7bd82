// What the options of compose-up mean for this deployment.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "compose_health.h"
#include "drydock/stage.hpp"
#include "up_decisions.h"

namespace drydock::compose {

enum class Strategy { recreate, one_by_one, rolling };
Strategy strategy_of(const Call& call);

// The services to start: the chosen ones and what they depend on, as Compose takes them too. There
// is no way to leave the dependencies out, because `--no-deps` changes the configuration hash
// (Compose 2.26: measured), so that the next plain `up` would make every container anew. Throws
// BadOptions when none of a choice is there.
Names scope_of(const Call& call, const Model& model);

// The services that do their work and end: those of `one_shot`, and those that others wait for.
Names one_shots_of(const Call& call, const Model& model);

// What is expected of the services: those of `one_shot` have to finish with exit code 0, too.
std::vector<Expectation> expected_of(const Call& call, const Model& model, const Names& services);

// The containers whose services are to go, and those that stay although their services left the
// files. Throws BadOptions for a service of `retire` that is active.
struct Leavers {
  std::vector<Container> retired, left_alone;
};
Leavers leavers_of(const Call& call, const Model& model, const std::vector<Container>& existing);

// Compose tells its containers by the project's name alone, and would make those of another folder
// anew by these files. others: containers of whatever project. Throws Failed for one of the project
// that was made elsewhere and serves what the scope has.
void refuse_namesakes(const Call& call, const Names& scope, const std::vector<Container>& others);

// Real paths and volumes.
Names declared_shares(const Call& call);

// How long those of `containers` that run must stay up to count: `healthy_for`, or without it so
// long that one without a health check does not end at once.
std::chrono::milliseconds proof_time(const Call& call, const std::vector<Container>& containers);

}  // namespace drydock::compose
