// The subcommands of `drydock plugin`: one file each, command_plugin_NAME.cc.
#pragma once

#include "command_line.h"
#include "error.h"

namespace drydock {

// Each throws Error or returns its exit code. positional: the subcommand, then its operand.
ExitCode command_plugin_new(const Arguments& arguments);
ExitCode command_plugin_check(const Arguments& arguments);
ExitCode command_plugin_pack(const Arguments& arguments);
ExitCode command_plugin_install(const Arguments& arguments);
ExitCode command_plugin_list(const Arguments& arguments);

}  // namespace drydock
