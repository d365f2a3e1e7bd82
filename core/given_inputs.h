// `--stdin`: variables and secrets of a pipeline as one JSON document on standard input, where
// neither the list of processes nor a file shows them. It is how a rollout passes them on, and to
// other hosts the pipeline itself.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline.h"
#include "sent_pipeline.h"

namespace drydock {

struct GivenInputs {
  std::vector<GivenVar> vars;
  std::map<std::string, std::string> secrets;  // by the pipeline's names; never written anywhere
  // By earlier waves of a rollout: stage id -> name -> text.
  nlohmann::json promoted = nlohmann::json::object();
  std::optional<SentPipeline> pipeline;
  std::string text;  // the document, for a process that performs the run; never written either
};

// {"vars": {NAME: VALUE}, "secrets": {NAME: TEXT}, "promoted": {STAGE: {NAME: TEXT}}, "pipeline":
// {...}}, each of which may be absent, to the end of `fd`. Throws Error, without a value in it.
GivenInputs read_given_inputs(int fd);

// Such a document.
std::string given_inputs_text(const nlohmann::json& vars,
                              const std::map<std::string, std::string>& secrets,
                              const nlohmann::json& promoted,
                              const SentPipeline* pipeline = nullptr);

}  // namespace drydock
