// JSON as text, where it leaves Drydock. Foreign bytes that are no UTF-8 become U+FFFD.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace drydock {

std::string compact(const nlohmann::json& value);   // on one line
std::string indented(const nlohmann::json& value);  // a document, with the end of its last line

}  // namespace drydock
