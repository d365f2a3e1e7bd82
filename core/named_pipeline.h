// The pipeline that a command line is about.
#pragma once

#include <string>

#include "pipeline.h"
#include "workbench.h"

namespace drydock {

// The pipeline that the command line names: ./drydock.yaml, a path, the name of an installed one,
// or --uses.
Pipeline find_pipeline(const Arguments& arguments, const Installation& installation);

// Whether the command line names the pipeline that comes with --stdin, by `-`.
bool is_sent_pipeline(const Arguments& arguments);
// That one, unpacked below `folder`. Relative files of its secrets begin at the deployment's
// folder.
Pipeline received_pipeline(Workbench& bench, const std::string& folder);

}  // namespace drydock
