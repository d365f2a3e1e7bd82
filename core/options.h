// A stage's `with:` on its way to the worker: expressions evaluated, checked against the schema,
// defaults applied, secrets taken apart.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "expression.h"
#include "pipeline.h"

namespace drydock {

struct ResolvedOptions {
  // Defaults applied; durations in milliseconds, sizes in bytes; without writeOnly options.
  nlohmann::json values = nlohmann::json::object();
  std::map<std::string, std::string> secrets;  // JSON Pointer -> value, never written anywhere
  std::map<std::string, std::string>
      secret_texts;  // JSON Pointer -> the text with its expressions, for the journal
  // JSON Pointer -> "after pull". Options that are not known yet are left out of values.
  std::map<std::string, std::string> unknown;
};

// An expression that holds a secret may otherwise use only vars, so that a rollback can evaluate it
// again. An option whose value is null counts as absent. Throws Error with the place: "FILE:L:C:
// option 'x' of stage 'y': found ..., allowed ...".
ResolvedOptions resolve_options(const StageSpec& stage, const nlohmann::json& schema,
                                const Scope& scope);

// For a rollback from the journal alone.
std::map<std::string, std::string> resolve_secret_texts(
    const std::map<std::string, std::string>& texts, const Scope& scope);

}  // namespace drydock
