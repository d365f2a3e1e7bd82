// The entries of the option `databases`, and the servers that they mean.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "compose_types.h"
#include "database_server.h"
#include "database_url.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

struct DatabaseEntry {
  std::string pointer;  // "/databases/0"
  std::string shown;    // "database, db", or the host and port
  std::optional<compose::Container> container;
  std::optional<DatabaseUrl> url;
  std::unique_ptr<DatabaseServer> server;  // null: no container of the service runs

  // What its dumps are filed under: the service, or host and port.
  std::string place() const { return container ? container->service : shown; }
};

// All but those with `file`. Throws BadOptions when an entry contradicts itself, Failed when it
// cannot be told what a container runs.
std::vector<DatabaseEntry> find_entries(const Call&, const std::vector<compose::Container>& all);
// The containers of the deployment, if any entry needs them. Throws BadOptions when there is no
// Compose project.
std::vector<compose::Container> database_containers(const Call&);

// The databases that the entry means, with their bytes, once the server answers. Throws Failed for
// a name that it does not have.
DatabaseSizes databases(const Call&, const DatabaseEntry&);

// The server in the container; kind: of the record, or "auto". `pointer`: the entry, for `user` and
// `password`.
std::unique_ptr<DatabaseServer> server_in(const Call&, const compose::Container&,
                                          const std::string& kind, const std::string& user,
                                          const std::string& pointer);

bool looks_like_database(const compose::Container&);

// The paths of `sqlite` and of the entries with `file`, as they are written.
std::vector<std::string> sqlite_files(const Call&);

}  // namespace drydock::backup
