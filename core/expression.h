// ${{ ... }}: the only thing that a pipeline computes. A recursive descent over
// vars.X  secrets.X  env.X  before.env.X  run.F  stages.ID.outputs.X  promoted.ID.X  'text' "text"
// 12 true null
// == != && || ! ?? ( ).
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dot_env.h"
#include "place.h"

namespace drydock {

struct Value {
  nlohmann::json value;
  std::string
      unknown;  // not empty: the value is not known yet; completes "known ...", e.g. "after pull"
  bool secret = false;
};

// What names mean at one moment of a run. A map that is absent (null) is one whose values are not
// known yet.
struct Scope {
  nlohmann::json vars = nlohmann::json::object();
  // nullopt: an optional secret that is not set. Throws Error when it cannot be had.
  std::function<std::optional<std::string>(const std::string& name)> secret;
  SharedVariables env, before_env;
  nlohmann::json run =
      nlohmann::json::object();  // id, status, reason, failed_stage; absent: not known yet
  // stage id -> outputs; a stage that is absent has not run ("known after ID")
  std::map<std::string, std::map<std::string, Value>> outputs;
  // What earlier waves of a rollout have promoted: stage id -> name -> text. What is not in it is
  // null, also for a run that belongs to none.
  nlohmann::json promoted = nlohmann::json::object();
};

// A text with any number of ${{ }} parts. One that is exactly one expression keeps its type. null
// in a larger text is an error. Throws Error with the place.
Value evaluate(const std::string& text, const Scope& scope, const Place& place);
// A condition: with or without ${{ }}; its value must be a boolean.
Value evaluate_condition(const std::string& text, const Scope& scope, const Place& place);

// The names that a text refers to, as dotted paths ("vars.to"), for checks at load time. Throws
// Error when the syntax is wrong.
std::vector<std::string> names_in(const std::string& text, const Place& place);
bool has_expression(const std::string& text);

// A name in an expression. One that stands before `??` may be undefined.
struct NameUse {
  std::string path;  // "vars.to"
  bool may_be_undefined = false;
};
std::vector<NameUse> name_uses(const std::string& text, const Place& place);
std::vector<NameUse> name_uses_in_condition(const std::string& text, const Place& place);

}  // namespace drydock
