// What preflight looks at, asked of the engine and of this machine.
#pragma once

#include <drydock/stage.hpp>
#include <string>
#include <vector>

#include "checks.h"
#include "ports.h"
#include "space.h"

namespace drydock::preflight {

struct Engine {
  Machine machine;
  std::string platform;  // "linux/amd64"
  std::string folder;    // where it keeps images and volumes; "": it is another machine's
};
Engine ask_engine(const Call& call);

// The compose files of the release, resolved, as `docker compose config --format json` prints them.
std::string resolved_text(const Call& call);

// Images to pull, dumps of databases and copies of them, each with the disk it goes to.
std::vector<Demand> demands_of(const Call& call, const Engine& engine, const compose::Model& model,
                               const std::vector<compose::Container>& here);

std::vector<Holder> published_by_containers(const Call& call);
std::vector<HostPort> bound_here(const Engine& engine);

}  // namespace drydock::preflight
