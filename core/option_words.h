// How an error speaks of an option: where it stands and what it is called.
#pragma once

#include <string>

#include "pipeline.h"
#include "schema.h"

namespace drydock {

// "/databases/0/names" -> "databases[0].names"
std::string option_name(const std::string& pointer);
// The place of the option, or of what it stands in when it was not written down.
Place option_place(const StageSpec& stage, const std::string& pointer, bool of_key = false);
// "FILE:L:C: option 'x' of stage 'y': "
std::string option_prefix(const StageSpec& stage, const std::string& pointer, bool of_key = false);
[[noreturn]] void refuse_option(const StageSpec& stage, const SchemaProblem& problem);

}  // namespace drydock
