// `--stdin`: variables and secrets of a pipeline as one JSON document on standard input, where
// neither the list of processes nor a file shows them. It is how a rollout passes them on.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "pipeline.h"

namespace drydock {

struct GivenInputs {
  std::vector<GivenVar> vars;
  std::map<std::string, std::string> secrets;  // by the pipeline's names; never written anywhere
};

// {"vars": {NAME: VALUE}, "secrets": {NAME: TEXT}}, to the end of `fd`. Throws Error, without a
// value in it.
GivenInputs read_given_inputs(int fd);

// Such a document.
std::string given_inputs_text(const nlohmann::json& vars,
                              const std::map<std::string, std::string>& secrets);

}  // namespace drydock
