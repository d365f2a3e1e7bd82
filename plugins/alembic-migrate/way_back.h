// What is left to a person where no stage has brought a migrated database back.
#pragma once

#include <string>

#include "drydock/stage.hpp"
#include "migrated_database.h"

namespace drydock::alembic {

// One sentence with commands that can be pasted: to restore what this run has backed up, else what
// there is, and to downgrade with the new release's scripts. before, now: what the database says.
std::string way_back_by_hand(const Call&, const MigratedDatabase&, const std::string& before,
                             const std::string& now);

// A word as a shell reads it back.
std::string shell_quoted(const std::string& word);

}  // namespace drydock::alembic
