// Where the migrated database is. Found once, from the options, from `.env` and by what runs; `run`
// notes it, and whatever comes after goes by the note: by then a stage may have put back another
// `.env`, or other containers.
#pragma once

#include <optional>
#include <string>

#include "database_url.h"
#include "drydock/stage.hpp"

namespace drydock::alembic {

struct DatabasePlace {
  std::string name;  // of the database; of SQLite the file, relative to the deployment
  bool sqlite = false;
  std::string service;  // whose container has it; "": none
  std::string data;     // of that container, as compose::Mount::held(): another service's container
                        // that has it is the same database
  std::optional<DatabaseUrl> server;  // outside the deployment

  // For people, and equal as long as it is the same place: "service db", "server
  // db.example.org:5432".
  std::string text() const;
};

// For `run`, before anything else is changed; once a run. A password goes into a file of the
// private folder.
void note_place(const Call&, const DatabasePlace&);

}  // namespace drydock::alembic
