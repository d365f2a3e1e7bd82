// One entry of `stages:` or `finally:`.
#pragma once

#include <string>
#include <vector>

#include "pipeline.h"
#include "yaml_tree.h"

namespace drydock {

// Throws Error with the place of the first problem.
StageSpec read_stage(const YamlNode& node);
// `probe: { url: ..., every: ... }`, whose members are the options of the stage type that measures.
StageSpec read_probe(const YamlNode& node);
// Ids that a person wrote twice. Two stages of one type without ids share one, which is an error
// only where an expression refers to it.
void check_stage_ids(const Pipeline& pipeline);
// [a-z][a-z0-9_-]*
bool is_stage_name(std::string_view name);

}  // namespace drydock
