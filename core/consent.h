// What a person has to agree to before anything is changed.
#pragma once

#include <string>

#include "cancellation.h"
#include "command_line.h"

namespace drydock {

// Nothing is asked without a terminal: then consent is --yes. Throws Error where neither is there.
void require_consent_possible(const Arguments& arguments);

// Asks on the terminal. Throws Error (exit code 130) when Ctrl-C is the answer.
bool person_agrees(const std::string& question, const Cancellation& cancellation);

}  // namespace drydock
