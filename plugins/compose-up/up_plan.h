// What the plan of compose-up looks at beside the services, and what it tells.
#pragma once

#include <vector>

#include "drydock/stage.hpp"
#include "up_decisions.h"
#include "up_options.h"

namespace drydock::compose {

// The files of the deployment that the stages before this one are going to change.
Names files_to_change(const Call& call);

// A name that is misspelt would expect nothing of anybody.
void warn_of_unknown_one_shots(const Call& call, const Model& model);

// lost: containers of which a rollback cannot make the like again.
void report_plan(const Call& call, const Leavers& leavers,
                 const std::vector<ServiceChange>& changes, const std::vector<Container>& lost);

}  // namespace drydock::compose
