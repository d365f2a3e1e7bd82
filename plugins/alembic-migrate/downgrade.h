// Going back by the scripts' own downgrades, for those who ask for it.
#pragma once

#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::alembic {

// The migrator's command with `downgrade REVISION` in place of its `upgrade`, or the option
// `downgrade_command` and the revision. Empty: neither says how.
std::vector<std::string> downgrade_command(const Call&, const std::string& revision);

// To the noted revision. What does not succeed is a warning: restoring is left to `backup` then.
void downgrade(const Call&);

}  // namespace drydock::alembic
