// The options of a command, as Boost.Program_options parses and prints them.
#pragma once

#include <boost/program_options.hpp>

#include "command_line.h"

namespace drydock {

// `groups`: those of command_table.h, or'ed. Parsing writes what it finds into `into`, which must
// live as long as the result, and throws Error where a value is not what its option takes.
boost::program_options::options_description options_of(unsigned groups, Arguments& into);

}  // namespace drydock
