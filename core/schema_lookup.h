// Finding one's way in a JSON Schema: references within it, and which parts speak of a value.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

// Follows "$ref": "#/...". A reference that leads nowhere is an empty schema: everything fits.
const nlohmann::json& follow_references(const nlohmann::json& root, const nlohmann::json& schema);
// A keyword of a schema, or nullptr.
const nlohmann::json* keyword(const nlohmann::json& schema, std::string_view name);
// The schemas that speak of one member of an object.
const nlohmann::json* member_schema(const nlohmann::json& schema, const std::string& key);
// The type names of `type`, which may be one or a list; empty: every type.
std::vector<std::string> type_names(const nlohmann::json& schema);
// "/a" + "b/c" -> "/a/b~1c"
std::string pointer_to(const std::string& pointer, const std::string& key);

}  // namespace drydock
