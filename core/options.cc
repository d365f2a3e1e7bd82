#include "options.h"

#include <utility>

#include "error.h"
#include "option_words.h"
#include "schema.h"
#include "schema_lookup.h"

namespace drydock {
namespace {

using nlohmann::json;

// Stands for a value that is not known yet: a kind of value that no YAML gives.
json unknown_mark() { return json::binary({}); }
bool is_unknown(const json& value) { return value.is_binary(); }

class Resolution {
 public:
  Resolution(const StageSpec& stage, const json& schema, const Scope& scope)
      : stage_(stage), schema_(schema), scope_(scope) {}

  ResolvedOptions resolve() {
    result_.values = stage_.with;
    take_promoted();
    evaluate_all(result_.values, "", nullptr);
    if (const auto problem = apply_schema(schema_, result_.values, is_unknown)) {
      refuse_option(stage_, *problem);
    }
    for (const auto& [pointer, reason] : result_.unknown) {
      const json::json_pointer at(pointer);
      result_.values.at(at.parent_pointer()).erase(at.back());
    }
    take_secrets(result_.values, "");
    return std::move(result_);
  }

 private:
  // An option that the pipeline leaves open, and for which earlier waves of a rollout have promoted
  // what they were upgraded to: the schema's "promoted" names that output of the stage.
  void take_promoted() {
    const auto stage = scope_.promoted.find(stage_.id);
    const json* properties = keyword(schema_, "properties");
    if (stage == scope_.promoted.end() || properties == nullptr) return;
    for (const auto& [name, property] : properties->items()) {
      const json* output = keyword(property, "promoted");
      if (output == nullptr || !output->is_string() || result_.values.contains(name)) continue;
      const auto promoted = stage->find(output->get<std::string>());
      if (promoted != stage->end()) result_.values[name] = *promoted;
    }
  }

  // A list with an unknown entry is unknown as a whole: without the entry it says something else.
  void evaluate_all(json& value, const std::string& pointer, const std::string* list) {
    if (value.is_string()) {
      const std::string text = value;
      if (has_expression(text)) evaluate_one(text, value, pointer, list ? *list : pointer);
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        evaluate_all(value[i], pointer + "/" + std::to_string(i), list ? list : &pointer);
      }
    } else if (value.is_object()) {
      for (auto member = value.begin(); member != value.end();) {
        evaluate_all(member.value(), pointer_to(pointer, member.key()), list);
        member = member->is_null() ? value.erase(member) : std::next(member);
      }
    }
  }

  void evaluate_one(const std::string& text, json& value, const std::string& pointer,
                    const std::string& left_out) {
    Value found = evaluate(text, scope_, option_place(stage_, pointer));
    if (found.secret && !is_write_only(schema_, pointer)) {
      throw Error(option_prefix(stage_, pointer) +
                  "found a secret, allowed: values that may be shown; the stage type does not keep "
                  "this option secret.");
    }
    if (!found.unknown.empty()) {
      result_.unknown.emplace(left_out, found.unknown);
      value = unknown_mark();
      return;
    }
    value = std::move(found.value);
    if ((value.is_number() || value.is_boolean()) && wants_text(schema_, pointer)) {
      value = value.dump();
    }
  }

  // Members are left out; an entry of a list becomes null, so that the others keep their place.
  void take_secrets(json& value, const std::string& pointer) {
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        const std::string at = pointer + "/" + std::to_string(i);
        if (take_secret(value[i], at)) {
          value[i] = nullptr;
        } else {
          take_secrets(value[i], at);
        }
      }
    } else if (value.is_object()) {
      for (auto member = value.begin(); member != value.end();) {
        const std::string at = pointer_to(pointer, member.key());
        if (take_secret(member.value(), at)) {
          member = value.erase(member);
        } else {
          take_secrets(member.value(), at);
          ++member;
        }
      }
    }
  }

  bool take_secret(const json& value, const std::string& pointer) {
    if (value.is_null() || value.is_structured() || !is_write_only(schema_, pointer)) return false;
    const json::json_pointer at(pointer);
    const std::string secret = value.is_string() ? value.get<std::string>() : value.dump();
    const bool written = stage_.with.contains(at) && stage_.with.at(at).is_string();
    result_.secret_texts[pointer] = written ? stage_.with.at(at).get<std::string>() : secret;
    result_.secrets[pointer] = secret;
    return true;
  }

  const StageSpec& stage_;
  const json& schema_;
  const Scope& scope_;
  ResolvedOptions result_;
};

}  // namespace

ResolvedOptions resolve_options(const StageSpec& stage, const json& schema, const Scope& scope) {
  return Resolution(stage, schema, scope).resolve();
}

std::map<std::string, std::string> resolve_secret_texts(
    const std::map<std::string, std::string>& texts, const Scope& scope) {
  std::map<std::string, std::string> secrets;
  for (const auto& [pointer, text] : texts) {
    const Place place{"the journal's option '" + option_name(pointer) + "'"};
    const Value value = evaluate(text, scope, place);
    if (!value.unknown.empty()) {
      throw Error(place.text() + ": found a value that is known only " + value.unknown +
                  ", allowed: secrets and vars.");
    }
    if (value.value.is_null()) continue;
    secrets[pointer] =
        value.value.is_string() ? value.value.get<std::string>() : value.value.dump();
  }
  return secrets;
}

}  // namespace drydock
