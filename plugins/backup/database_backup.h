// One database, dumped and noted: what the stages `backup` and `restore` have in common.
#pragma once

#include <optional>
#include <string>

#include "compose_types.h"
#include "database_record.h"
#include "database_server.h"
#include "drydock/stage.hpp"

namespace drydock::backup {

// The resolved model of before the run, below the private folder: what an old database service is
// started from.
constexpr auto kept_model = "model.json";
void keep_model(const Call&);

// The record of a dump that is still to be taken. container: where the server runs; nullptr: at a
// URL, and `place` says host and port. options: JSON Pointer of how to reach it.
DatabaseRecord new_record(const Call&, const DatabaseServer&, const std::string& place,
                          const compose::Container* container, const std::string& options,
                          const std::string& database);

// Dumps it, writes its manifest, notes it for the rollback, says so. first: its outputs have the
// short names too.
void back_up(const Call&, const DatabaseServer&, DatabaseRecord& record, bool first);

// In a sentence: "service db".
std::string shown_place(const DatabaseRecord&);

}  // namespace drydock::backup
