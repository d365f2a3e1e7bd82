// A plan in a file: what somebody looked at and agreed to, so that a run carries out that and
// nothing else. docs/operations.md tells of its use; the file is JSON, and holds no secret.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "planner.h"

namespace drydock {

struct SavedPlan {
  std::string file;  // its own path, for errors
  std::string deployment, pipeline_file;
  std::vector<std::string> input_files;  // the pipeline's, its includes and variables files
  nlohmann::json vars;
  bool fetched = false;  // caches were filled while it was made
  nlohmann::json document;
};

// The plan as the file holds it: digests of what it was made from, options, changes and facts.
// Texts are masked, and of secret facts there are fingerprints.
nlohmann::json to_document(const Session& session, const Plan& plan, bool fetched);

// Writes it (0600). Throws Error: variables or paths that hold a secret; a disk that refuses.
void save_plan(const Session& session, const Plan& plan, bool fetched, const std::string& file);

// Throws Error: not there, not such a file, of another version.
SavedPlan load_saved_plan(const std::string& file);

// What is other in `now` than it was in `saved`, as sentences with both values. Empty: the plan
// holds.
std::vector<std::string> differences(const nlohmann::json& saved, const nlohmann::json& now);

}  // namespace drydock
