// What a person has to agree to before anything is changed.
#pragma once

#include <string>

#include "cancellation.h"
#include "command_line.h"
#include "planner.h"

namespace drydock {

// Whether there is a person on a terminal, who may be asked.
bool can_ask(const Arguments& arguments);

// Nothing is asked without a terminal: then consent is --yes. Throws Error where neither is there.
void require_consent_possible(const Arguments& arguments);

// What a rollback could not put back takes a word of its own where nobody is asked, which is how
// `--yes` and `--plan` have it. Throws Error without it.
void require_whole_way_back(const Arguments& arguments, const Plan& plan);

// Asks on the terminal. Throws Error (exit code 130) when Ctrl-C is the answer.
bool person_agrees(const std::string& question, const Cancellation& cancellation);

}  // namespace drydock
