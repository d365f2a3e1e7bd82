// Running `docker` and `docker compose`: what fails becomes one sentence.
#pragma once

#include <string>
#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

// Runs to the end and returns what it printed on stdout. Throws Failed, "cannot WHAT: ...", for any
// exit code but 0.
std::string ask(const Call& call, const Process& process, const std::string& what);
// As ask(), but answered by an earlier plan where one has asked the same (compose_answers.h).
std::string ask_once(const Call& call, Process process, const std::string& what);
std::string ask_docker(const Call& call, std::vector<std::string> command, const std::string& what);

// Runs a `docker compose` command that changes something; its lines go to the log, its last words
// into the Failed when it fails. Never removes containers of other services, whatever the .env
// says.
void run_compose(const Call& call, Process process, const std::string& what);

// `docker compose` on a whole model in one file (Call::model_before, or a copy of it) instead of
// the deployment's files: the way to a service that the deployment's files no longer have.
Process compose_with_model(const Call& call, const std::string& model_file,
                           std::vector<std::string> arguments);

// A compose file that takes the optional dependencies on services that the model lacks out of it;
// "" when there are none. Compose refuses to read back its own resolved model with one.
std::string drop_absent_dependencies(const Model& model);

// The sentence for a command that failed, with docker's own last words.
Failed engine_refused(const Captured& captured, const std::string& what);

}  // namespace drydock::compose
