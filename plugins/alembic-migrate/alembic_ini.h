// What an alembic.ini says of where the migration scripts are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock::alembic {

struct AlembicIni {
  std::string script_location;                 // as written, "%(here)s" replaced; "" when not set
  std::vector<std::string> version_locations;  // the same; none: script_location/versions
  bool recursive = false;                      // folders below them count as well (Alembic 1.10)
};

// The section [alembic] as Python's configparser reads it. file: its absolute path, which is also
// where %(here)s comes from. Throws Unreadable where it takes more than that to tell: another
// %(name)s, a location in a Python package, scripts without their sources.
AlembicIni read_alembic_ini(const std::string& file, std::string_view text);

}  // namespace drydock::alembic
