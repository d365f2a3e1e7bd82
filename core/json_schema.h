// The whole of JSON Schema, by valijson: accepts or rejects, and says why in its own words.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace drydock {

// nullopt: accepted. Otherwise why not, or why the schema itself cannot be used.
std::optional<std::string> json_schema_rejects(const nlohmann::json& schema,
                                               const nlohmann::json& value);

}  // namespace drydock
