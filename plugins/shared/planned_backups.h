// Which data an earlier stage saves: the planning folder is how its plan leaves word to the plan of
// a stage that changes the data, which can then say whether a rollback brings it back.
#pragma once

#include <string>

#include "drydock/stage.hpp"

namespace drydock {

// For `plan` alone. place: where the database is, for people: "service db (container 3f0c)",
// "db.example.org:5432"; "" where that is not known yet. Files by a path in the deployment or a
// pattern of such, also of a folder above.
void plan_to_save_database(const Call& call, const std::string& name, const std::string& place);
void plan_to_save_file(const Call& call, const std::string& path);

// True also where that cannot be told: in a plan that is repeated during the run, without those of
// the stages that have ended, and of a database whose place one of the two does not know.
bool may_save_database(const Call& call, const std::string& name, const std::string& place);
bool may_save_file(const Call& call, const std::string& path);

}  // namespace drydock
