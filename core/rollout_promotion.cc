#include "rollout_promotion.h"

#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

json as_object(const std::string& text) {
  json value = json::parse(text, nullptr, false);
  return value.is_object() ? value : json();
}

std::string disagreement(const std::string& what, const std::string& one, const json& of_one,
                         const std::string& other, const json& of_other) {
  return "environments disagree about " + what + ": '" + one + "' has " +
         shorten(plain_text(of_one), 80) + " and '" + other + "' has " +
         shorten(plain_text(of_other), 80);
}

}  // namespace

std::string Promotion::add(const std::string& environment, const json& outputs) {
  for (const auto& [stage, names] : outputs.items()) {
    for (const auto& [name, text] : names.items()) {
      if (!text.is_string()) continue;
      const std::string what = stage + "." + name;
      const json object = as_object(text);
      const auto [found, is_new] = values_[stage].try_emplace(name);
      Value& known = found->second;
      if (is_new) {
        known.value = object.is_null() ? text : object;
        known.environment = environment;
        for (const auto& [key, value] : object.items()) known.members[key] = environment;
      } else if (object.is_null() || !known.value.is_object()) {
        if (known.value != text) {
          return disagreement(what, known.environment, known.value, environment, text);
        }
      } else {
        for (const auto& [key, value] : object.items()) {
          if (!known.value.contains(key)) {
            known.value[key] = value;
            known.members[key] = environment;
          } else if (known.value[key] != value) {
            return disagreement(what + " of " + key, known.members[key], known.value[key],
                                environment, value);
          }
        }
      }
    }
  }
  return "";
}

json Promotion::accepted() const {
  json result = json::object();
  for (const auto& [stage, names] : values_) {
    for (const auto& [name, known] : names) {
      result[stage][name] =
          known.value.is_string() ? known.value.get<std::string>() : known.value.dump();
    }
  }
  return result;
}

}  // namespace drydock
