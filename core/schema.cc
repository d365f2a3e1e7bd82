#include "schema.h"

#include <algorithm>
#include <regex>
#include <utility>

#include "json_schema.h"
#include "schema_lookup.h"
#include "schema_words.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;
using Problem = std::optional<SchemaProblem>;

bool fits_type(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  return type != "null" || value.is_null();
}

class Walk {
 public:
  Walk(const json& root, const IsAny& is_any) : root_(root), is_any_(is_any) {}

  // Writes defaults into the value as it goes.
  Problem check(const json& raw, json& value, const std::string& pointer, bool secret = false) {
    const json& schema = follow_references(root_, raw);
    if (schema == false) return problem(pointer, "found an option that is not allowed");
    if (!schema.is_object() || is_any_(value)) return std::nullopt;
    if (const json* mark = keyword(schema, "writeOnly")) secret = secret || *mark == true;
    for (const char* name : {"oneOf", "anyOf"}) {
      const json* branches = keyword(schema, name);
      if (branches == nullptr || !branches->is_array()) continue;
      if (Problem found = check_branches(*branches, schema, value, pointer, secret)) return found;
    }
    if (const json* parts = keyword(schema, "allOf"); parts != nullptr && parts->is_array()) {
      for (const json& part : *parts) {
        if (Problem found = check(part, value, pointer, secret)) return found;
      }
    }
    const std::string format = text_of(schema, "format");
    if (format == "size" && value.is_number_integer())
      value = std::to_string(value.get<std::int64_t>());
    if (Problem found = check_value(schema, value, pointer, secret)) return found;
    if (value.is_string()) return check_text(schema, format, value, pointer, secret);
    if (value.is_array()) return check_list(schema, value, pointer, secret);
    if (value.is_object()) return check_mapping(schema, value, pointer, secret);
    return std::nullopt;
  }

  // Durations and sizes become numbers, once everything has been checked as it was written.
  void normalise() {
    for (auto& [text, number] : numbers_) *text = number;
    numbers_.clear();
  }

 private:
  static SchemaProblem problem(const std::string& pointer, std::string sentence) {
    return {pointer, std::move(sentence), false};
  }
  Problem differs(const json& schema, const json& value, const std::string& pointer, bool secret,
                  const std::string& hint = "") const {
    return problem(pointer, "found " + found_words(value, secret) +
                                ", allowed: " + allowed_words(root_, schema) + hint);
  }
  static std::string text_of(const json& schema, const char* name) {
    const json* found = keyword(schema, name);
    return found != nullptr && found->is_string() ? found->get<std::string>() : "";
  }

  // The branch that fits. When none does, the problem of the only one of the right type.
  Problem check_branches(const json& branches, const json& schema, json& value,
                         const std::string& pointer, bool secret) {
    Problem only;
    int of_type = 0;
    for (const json& branch : branches) {
      Walk trial(root_, is_any_);
      json copy = value;
      Problem found = trial.check(branch, copy, pointer, secret);
      if (!found) return check(branch, value, pointer, secret);
      const std::vector<std::string> types = type_names(follow_references(root_, branch));
      if (std::any_of(types.begin(), types.end(),
                      [&](const std::string& type) { return fits_type(value, type); })) {
        ++of_type;
        only = std::move(found);
      }
    }
    return of_type == 1 ? only : differs(schema, value, pointer, secret);
  }

  Problem check_value(const json& schema, const json& value, const std::string& pointer,
                      bool secret) const {
    const std::vector<std::string> types = type_names(schema);
    const bool fits =
        types.empty() || std::any_of(types.begin(), types.end(),
                                     [&](const auto& type) { return fits_type(value, type); });
    if (!fits) {
      const bool needs_quotes = (value.is_number() || value.is_boolean()) &&
                                types == std::vector<std::string>{"string"} &&
                                text_of(schema, "format").empty() &&
                                keyword(schema, "enum") == nullptr;
      return differs(schema, value, pointer, secret, needs_quotes ? "; put it in quotes" : "");
    }
    if (const json* allowed = keyword(schema, "enum"); allowed != nullptr && allowed->is_array()) {
      if (std::find(allowed->begin(), allowed->end(), value) == allowed->end()) {
        std::vector<std::string> names;
        for (const json& name : *allowed) {
          if (name.is_string()) names.push_back(name);
        }
        return differs(
            schema, value, pointer, secret,
            value.is_string() && !secret ? did_you_mean(value.get<std::string>(), names) : "");
      }
    }
    if (const json* only = keyword(schema, "const"); only != nullptr && *only != value) {
      return differs(schema, value, pointer, secret);
    }
    if (!value.is_number()) return std::nullopt;
    const double number = value.get<double>();
    const auto bound = [&](const char* name) -> std::optional<double> {
      const json* found = keyword(schema, name);
      return found != nullptr && found->is_number() ? std::optional(found->get<double>())
                                                    : std::nullopt;
    };
    const auto low = bound("minimum"), high = bound("maximum");
    if ((low && number < *low) || (high && number > *high)) {
      return differs(schema, value, pointer, secret);
    }
    return std::nullopt;
  }

  Problem check_text(const json& schema, const std::string& format, json& value,
                     const std::string& pointer, bool secret) {
    const std::string& text = value.get_ref<const std::string&>();
    if (const json* least = keyword(schema, "minLength");
        least != nullptr && least->is_number() && display_width(text) < least->get<std::size_t>()) {
      return differs(schema, value, pointer, secret);
    }
    if (format == "duration") {
      const auto duration = parse_duration(text);
      if (!duration) return differs(schema, value, pointer, secret);
      numbers_.emplace_back(&value, duration->count());
    } else if (format == "size") {
      const auto size = parse_size(text);
      if (!size) return differs(schema, value, pointer, secret);
      numbers_.emplace_back(&value, *size);
    }
    const std::string pattern = text_of(schema, "pattern");
    if (pattern.empty()) return std::nullopt;
    if (text.size() > 10'000) {  // std::regex recurses once a character
      return problem(pointer, "found a text of " + std::to_string(text.size()) +
                                  " bytes, allowed: 10000 bytes");
    }
    try {
      if (!std::regex_search(text, std::regex(pattern, std::regex::ECMAScript))) {
        return differs(schema, value, pointer, secret);
      }
    } catch (const std::regex_error&) {
      return problem(pointer,
                     "the pattern '" + pattern +
                         "' of the stage type cannot be used, tell the author of the plugin");
    }
    return std::nullopt;
  }

  Problem check_list(const json& schema, json& value, const std::string& pointer, bool secret) {
    const auto count = [&](const char* name, std::size_t otherwise) {
      const json* found = keyword(schema, name);
      return found != nullptr && found->is_number() ? found->get<std::size_t>() : otherwise;
    };
    if (value.size() < count("minItems", 0) || value.size() > count("maxItems", value.size())) {
      return problem(pointer, "found " + std::to_string(value.size()) +
                                  " entries, allowed: " + allowed_words(root_, schema));
    }
    const json* items = keyword(schema, "items");
    if (items == nullptr || items->is_array()) return std::nullopt;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (Problem found = check(*items, value[i], pointer + "/" + std::to_string(i), secret)) {
        return found;
      }
    }
    return std::nullopt;
  }

  Problem check_mapping(const json& schema, json& value, const std::string& pointer, bool secret) {
    std::vector<std::string> names;
    if (const json* properties = keyword(schema, "properties")) {
      for (const auto& [name, property] : properties->items()) {
        names.push_back(name);
        const json* usual = keyword(follow_references(root_, property), "default");
        if (usual != nullptr && !value.contains(name)) value[name] = *usual;
      }
    }
    const json* others = keyword(schema, "additionalProperties");
    const bool closed =
        others != nullptr && *others == false && keyword(schema, "patternProperties") == nullptr;
    for (auto entry = value.begin(); entry != value.end(); ++entry) {
      const std::string& key = entry.key();
      const json* of_member = member_schema(schema, key);
      const std::string at = pointer_to(pointer, key);
      if (of_member != nullptr) {
        if (Problem found = check(*of_member, entry.value(), at, secret)) return found;
      } else if (closed && std::find(names.begin(), names.end(), key) == names.end()) {
        const std::string allowed = names.empty() ? "none" : join(names, ", ");
        return SchemaProblem{
            at, "found an unknown option, allowed: " + allowed + did_you_mean(key, names), true};
      }
    }
    if (const json* required = keyword(schema, "required");
        required != nullptr && required->is_array()) {
      for (const json& name : *required) {
        if (!name.is_string() || value.contains(name.get_ref<const std::string&>())) continue;
        const json* of_member = member_schema(schema, name);
        return problem(pointer, "found no '" + name.get<std::string>() + "', which is required" +
                                    (of_member ? ": " + allowed_words(root_, *of_member) : ""));
      }
    }
    return std::nullopt;
  }

  const json& root_;
  const IsAny& is_any_;
  std::vector<std::pair<json*, std::int64_t>> numbers_;
};

bool holds_any(const json& value, const IsAny& is_any) {
  if (is_any(value)) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), [&](const json& part) {
           return holds_any(part, is_any);
         });
}

}  // namespace

std::optional<SchemaProblem> check_schema(const json& schema, const json& value,
                                          const IsAny& is_any) {
  json copy = value;
  return apply_schema(schema, copy, is_any);
}

std::optional<SchemaProblem> apply_schema(const json& schema, json& value, const IsAny& is_any) {
  Walk walk(schema, is_any);
  if (Problem found = walk.check(schema, value, "")) return found;
  // valijson knows no "any"; it sees the value again when everything is known.
  if (!holds_any(value, is_any)) {
    if (auto reason = json_schema_rejects(schema, value)) return SchemaProblem{"", *reason, false};
  }
  walk.normalise();
  return std::nullopt;
}

}  // namespace drydock
