// Options against a stage type's JSON Schema. valijson only accepts or rejects, so our own short
// walk over the keywords that schemas of stages use (type, properties, required,
// additionalProperties, items, enum, const, minimum, maximum, minLength, pattern, minItems,
// oneOf/anyOf of types, format duration and size, default, writeOnly) writes the sentences and
// applies the defaults; valijson has the last word.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace drydock {

struct SchemaProblem {
  std::string pointer;  // of the value; of the key's member when `key` is wrong
  std::string
      sentence;  // "found 3 (integer), allowed: a text"; with the nearest name for an unknown key
  bool key = false;  // the problem is the key, not its value
};

using IsAny = std::function<bool(const nlohmann::json& value)>;

// At load time: values for which `is_any` holds (unresolved expressions) fit everything.
std::optional<SchemaProblem> check_schema(const nlohmann::json& schema, const nlohmann::json& value,
                                          const IsAny& is_any);
// When resolved: checks all but what `is_any` holds for, applies defaults, turns durations
// ("1m30s") into milliseconds and sizes ("64MiB") into bytes.
std::optional<SchemaProblem> apply_schema(
    const nlohmann::json& schema, nlohmann::json& value,
    const IsAny& is_any = [](const nlohmann::json&) { return false; });
// Is the value at the pointer marked writeOnly?
bool is_write_only(const nlohmann::json& schema, const std::string& pointer);
// Is a text the only thing that fits at the pointer? Then a number that an expression gave becomes
// the text that it was written as.
bool wants_text(const nlohmann::json& schema, const std::string& pointer);

}  // namespace drydock
