// What belongs to a PostgreSQL database itself, and so is in no dump that is restored under another
// name: as queries in that database, for whoever makes another one like it.
#pragma once

#include <string>

namespace drydock {

// Its one row is what CREATE DATABASE needs after the name.
std::string create_with_query();
// Its rows are statements that give the database `as` the settings and privileges of this one, also
// those of roles in it. as "": this one again.
std::string properties_query(const std::string& as = "");

}  // namespace drydock
