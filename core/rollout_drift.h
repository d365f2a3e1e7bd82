// Is an environment still as a rollout last left it? Asked of `drydock status` there.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "rollout_store.h"

namespace drydock {

// What `drydock status --json` printed; nullopt: nothing that can be read.
struct FoundEnvironment {
  std::uint64_t run = 0;  // its last one; 0: none
  std::string key;        // of that run
  std::string state;      // of that run, as the journal names it
  std::string pipeline, version, finished;
  std::string waits;  // for a person: an interrupted run, one that was left half done
  std::optional<nlohmann::json> images;  // service -> image; nullopt: the engine was not reached
};
std::optional<FoundEnvironment> read_status(const std::string& document);

// What is other than `known`, as a sentence's part; "": nothing. An edited `.env` is none:
// `env-sync` keeps what an operator has changed.
std::string drift_of(const KnownEnvironment& known, const FoundEnvironment& found);

// For a person: why it is not upgraded, and what may be done.
std::string drift_refusal(const std::string& drift);

// Of services as `drydock status` and `run.finished` list them: service -> image.
nlohmann::json images_in(const nlohmann::json& services);

// The release that a run was for: its variable `to`, else "".
std::string version_in(const nlohmann::json& vars);

}  // namespace drydock
