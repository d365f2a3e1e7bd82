// Options that a stage type's schema itself names: its examples and defaults.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace drydock {

// Is the member one of the object schema's `required`?
bool is_required(const nlohmann::json& schema, const std::string& key);

// A value that the option's schema allows: what its author chose to show, else one of its type.
nlohmann::json sample_value(const std::string& key, const nlohmann::json& schema);

// Does the author of the schema name a value (example, examples, default, const, enum)?
bool has_sample(const nlohmann::json& schema);

// The required options, each with the value that the schema names. `missing` gets those for which
// it names none.
nlohmann::json sample_options(const nlohmann::json& schema, std::vector<std::string>& missing);

}  // namespace drydock
