// The Compose service whose image migrates: what decides which files its one-off container sees.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::alembic {

struct MigratorService {
  std::string image;                    // the reference
  std::string image_id;                 // "sha256:..."; "": it is not on this engine
  std::string folder;                   // its working directory
  std::vector<std::string> command;     // what the model says that it runs, entrypoint first
  std::vector<std::string> entrypoint;  // the model's, else the image's
  std::map<std::string, std::string> environment;  // as the model says; may hold secrets
  bool renewed = false;              // Compose pulls or builds the image whenever it is used
  std::set<std::string> services;    // all that the model has, of active profiles
  std::vector<std::string> mounted;  // paths at which something else than the image's files is
};

// The whole model of the files as they are, as `docker compose config` prints it in JSON; in plan,
// as they are planned. (The one that stages share leaves out what only a migrator's files depend
// on.)
std::string whole_model_text(const Call&);

// The option `service`, in the model of the files as they are; in plan, as they are planned. Throws
// BadOptions when there is no such service.
MigratorService migrator_service(const Call&);

// What a one-off container of it sees: the image's own variables, and those of the model.
std::map<std::string, std::string> whole_environment(const Call&, const MigratorService&);

// What the option `command` is handed to, where that may well do something else than run it; "": it
// starts by itself, or behind one of the usual init processes. A text for people.
std::string in_front_of_command(const Call&, const MigratorService&);

}  // namespace drydock::alembic
