// What a schema allows and what was found instead, in words.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace drydock {

// "a text", "one of a, b", "a list of texts", "a duration such as 90s or 1h30m".
std::string allowed_words(const nlohmann::json& root, const nlohmann::json& schema);
// "3 (a number)", "'abc' (a text)", "a list". Never the value of a secret.
std::string found_words(const nlohmann::json& value, bool secret);

}  // namespace drydock
