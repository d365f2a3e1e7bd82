// One function a command. Each throws Error or returns its exit code.
#pragma once

#include "command_line.h"
#include "error.h"

namespace drydock {

ExitCode command_init(const Arguments& arguments);
ExitCode command_validate(const Arguments& arguments);
ExitCode command_plan(const Arguments& arguments);
ExitCode command_run(const Arguments& arguments);
ExitCode command_attach(const Arguments& arguments);
ExitCode command_cancel(const Arguments& arguments);
ExitCode command_plan_rollback(const Arguments& arguments);  // plan --rollback
ExitCode command_rehearse(const Arguments& arguments);
ExitCode command_resume(const Arguments& arguments);
ExitCode command_rollback(const Arguments& arguments);
ExitCode command_status(const Arguments& arguments);
ExitCode command_history(const Arguments& arguments);
ExitCode command_prune(const Arguments& arguments);  // history --prune
ExitCode command_backups(const Arguments& arguments);
ExitCode command_rollout(const Arguments& arguments);
ExitCode command_show(const Arguments& arguments);
ExitCode command_logs(const Arguments& arguments);
ExitCode command_stages(const Arguments& arguments);
ExitCode command_plugin(const Arguments& arguments);

}  // namespace drydock
