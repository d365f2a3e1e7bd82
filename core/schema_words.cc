#include "schema_words.h"

#include <vector>

#include "json_text.h"
#include "schema_lookup.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

std::string shown(const json& value) {
  if (!value.is_string()) return compact(value);
  return make_visible(shorten(value.get_ref<const std::string&>(), 60));
}

std::string number_words(const std::string& what, const json& schema) {
  const json* low = keyword(schema, "minimum");
  const json* high = keyword(schema, "maximum");
  if (low != nullptr && high != nullptr)
    return what + " from " + shown(*low) + " to " + shown(*high);
  if (low != nullptr) return what + " of at least " + shown(*low);
  if (high != nullptr) return what + " of at most " + shown(*high);
  return what;
}

std::string text_words(const json& schema) {
  const json* format = keyword(schema, "format");
  if (format != nullptr && *format == "duration") return "a duration such as 90s or 1h30m";
  if (format != nullptr && *format == "size") return "a size such as 64MiB";
  if (const json* pattern = keyword(schema, "pattern")) return "a text like " + shown(*pattern);
  const json* least = keyword(schema, "minLength");
  if (least != nullptr && *least == 1) return "a text that is not empty";
  if (least != nullptr) return "a text of at least " + shown(*least) + " characters";
  return "a text";
}

std::string list_words(const json& root, const json& schema) {
  std::string result = "a list";
  if (const json* items = keyword(schema, "items")) {
    const std::vector<std::string> types = type_names(follow_references(root, *items));
    if (types == std::vector<std::string>{"string"}) result += " of texts";
    if (types == std::vector<std::string>{"object"}) result += " of mappings";
    if (types == std::vector<std::string>{"integer"}) result += " of whole numbers";
  }
  const json* least = keyword(schema, "minItems");
  const json* most = keyword(schema, "maxItems");
  if (least != nullptr)
    result += " with at least " + shown(*least) + (*least == 1 ? " entry" : " entries");
  if (most != nullptr) {
    result += (least ? " and at most " : " with at most ") + shown(*most) +
              (*most == 1 ? " entry" : " entries");
  }
  return result;
}

std::string type_words(const json& root, const json& schema, const std::string& type) {
  if (type == "string") return text_words(schema);
  if (type == "integer") return number_words("a whole number", schema);
  if (type == "number") return number_words("a number", schema);
  if (type == "boolean") return "true or false";
  if (type == "array") return list_words(root, schema);
  if (type == "object") return "a mapping";
  return type == "null" ? "nothing" : type;
}

std::string joined_with_or(const std::vector<std::string>& words) { return join(words, " or "); }

}  // namespace

std::string allowed_words(const json& root, const json& raw) {
  const json& schema = follow_references(root, raw);
  if (const json* values = keyword(schema, "enum"); values != nullptr && values->is_array()) {
    std::vector<std::string> names;
    for (const json& value : *values) names.push_back(shown(value));
    return names.size() == 1 ? names[0] : "one of " + join(names, ", ");
  }
  if (const json* only = keyword(schema, "const")) return shown(*only);
  std::vector<std::string> words;
  for (const std::string& type : type_names(schema))
    words.push_back(type_words(root, schema, type));
  if (!words.empty()) return joined_with_or(words);
  for (const char* name : {"oneOf", "anyOf"}) {
    const json* branches = keyword(schema, name);
    if (branches == nullptr || !branches->is_array()) continue;
    for (const json& branch : *branches) words.push_back(allowed_words(root, branch));
    return joined_with_or(words);
  }
  return "what the stage type's schema says";
}

std::string found_words(const json& value, bool secret) {
  if (value.is_null()) return "nothing";
  if (value.is_array()) return "a list";
  if (value.is_object()) return "a mapping";
  if (secret) return value.is_string() ? "a secret text" : "a secret that is no text";
  if (value.is_boolean()) return shown(value);
  if (value.is_number()) return shown(value) + " (a number)";
  if (!value.is_string()) return "a value that is not known yet";
  const std::string text = shown(value);
  return text.empty() ? "an empty text" : "'" + text + "' (a text)";
}

}  // namespace drydock
