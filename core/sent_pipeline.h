// A pipeline that travels on standard input, as a rollout sends it to another host: its text and
// those of the files that it includes, so that what was planned is what runs there.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "pipeline.h"
#include "state_dir.h"

namespace drydock {

// What stands for its name on a command line.
inline constexpr auto sent_pipeline_word = "-";

struct SentPipeline {
  std::string file;                          // one of `files`
  std::map<std::string, std::string> files;  // relative paths -> texts
};

// Reads its files. Throws Error: one is not what it was when the pipeline was read, or is included
// by an absolute path, which would be another file elsewhere.
SentPipeline pack_pipeline(const Pipeline& pipeline);

nlohmann::json to_json(const SentPipeline& sent);
// Throws Error, in the words of --stdin.
SentPipeline sent_pipeline_from_json(const nlohmann::json& json);

// Writes its files below `folder`, which is private, and returns the path of the pipeline there. An
// include that leads anywhere else is refused. Throws Error.
std::string unpack_pipeline(const SentPipeline& sent, const std::string& folder);

// The same with the deployment's state, where `drydock resume` finds it again.
std::string keep_pipeline(const SentPipeline& sent, const StateDir& state);

// The pipeline's file of a run, also one that keep_pipeline() has kept.
Pipeline load_pipeline_of_run(const std::string& file, const StateDir& state,
                              const std::string& dir);

}  // namespace drydock
