#include "expression.h"

#include <utility>

#include "error.h"
#include "expression_syntax.h"
#include "text.h"

namespace drydock {
namespace {

using Kind = ExpressionNode::Kind;

// What a person calls the kind of a value.
std::string kind_of(const nlohmann::json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a text";
  return value.is_array() ? "a list" : "a mapping";
}

std::vector<std::string> keys_of(const nlohmann::json& object) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : object.items()) keys.push_back(key);
  return keys;
}

template <class Map>
std::vector<std::string> keys_of_map(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

class Evaluation {
 public:
  Evaluation(const Scope& scope, const Place& place) : scope_(scope), place_(place) {}

  Value evaluate(const ExpressionNode& node) {
    switch (node.kind) {
      case Kind::literal:
        return {node.literal, {}, false};
      case Kind::name:
        return named(node, true);
      case Kind::otherwise:
        return first_that_is_there(node);
      case Kind::both:
        return chain(node, false);
      case Kind::either:
        return chain(node, true);
      case Kind::negation: {
        Value value = condition(node.operands[0], "after '!'");
        if (value.unknown.empty()) value.value = !value.value.get<bool>();
        return value;
      }
      case Kind::equal:
      case Kind::unequal: {
        const Value left = evaluate(node.operands[0]), right = evaluate(node.operands[1]);
        Value result{nullptr, left.unknown.empty() ? right.unknown : left.unknown,
                     left.secret || right.secret};
        if (result.unknown.empty()) {
          result.value = same(left.value, right.value) == (node.kind == Kind::equal);
        }
        return result;
      }
    }
    return {};
  }

  // A boolean, or a value that is not known yet.
  Value condition(const ExpressionNode& node, const std::string& where) {
    Value value = evaluate(node);
    if (value.unknown.empty() && !value.value.is_boolean()) {
      refuse("found " + kind_of(value.value) + " " + where +
             ", allowed: true or false; compare with == or !=");
    }
    return value;
  }

  [[noreturn]] void refuse(const std::string& sentence) const {
    throw Error(full_stop(place_.text() + ": " + sentence));
  }

 private:
  Value chain(const ExpressionNode& node, bool decides) {
    Value result{!decides, {}, false};
    for (const ExpressionNode& operand : node.operands) {
      Value value = condition(operand, decides ? "beside '||'" : "beside '&&'");
      value.secret = value.secret || result.secret;
      if (!value.unknown.empty()) return value;
      result = std::move(value);
      if (result.value.get<bool>() == decides) break;
    }
    return result;
  }

  Value first_that_is_there(const ExpressionNode& node) {
    for (const ExpressionNode& operand : node.operands) {
      const bool last = &operand == &node.operands.back();
      Value value = operand.kind == Kind::name ? named(operand, last) : evaluate(operand);
      if (last || !value.unknown.empty() || !value.value.is_null()) return value;
    }
    return {};
  }

  // Numbers and booleans equal the texts that one would write for them: .env knows only texts.
  static bool same(const nlohmann::json& left, const nlohmann::json& right) {
    if (left.is_string() && (right.is_number() || right.is_boolean())) return left == right.dump();
    if (right.is_string() && (left.is_number() || left.is_boolean())) return right == left.dump();
    return left == right;
  }

  // must_exist: an undefined name is an error and not null.
  Value named(const ExpressionNode& node, bool must_exist) {
    const std::vector<std::string>& name = node.name;
    const std::string path = join(name, ".");
    const auto undefined = [&](std::size_t shared, std::vector<std::string> allowed) -> Value {
      if (!must_exist) return {};
      std::string prefix;
      for (std::size_t i = 0; i < shared; ++i) prefix += name[i] + ".";
      for (std::string& candidate : allowed) candidate = prefix + candidate;
      refuse("'" + path + "' is not defined, allowed: " +
             (allowed.empty() ? "none of that kind" : join(allowed, ", ")) +
             did_you_mean(path, allowed));
    };
    const auto texts = [&](const SharedVariables& map, std::size_t at) -> Value {
      if (!map) return {nullptr, "when the stage starts", false};
      const auto found = map->find(name[at]);
      return found == map->end() ? Value{} : Value{found->second, {}, false};
    };

    if (name[0] == "vars" && name.size() == 2) {
      const auto found = scope_.vars.find(name[1]);
      return found == scope_.vars.end() ? undefined(1, keys_of(scope_.vars))
                                        : Value{*found, {}, false};
    }
    if (name[0] == "secrets" && name.size() == 2) {
      if (!scope_.secret) refuse("secrets have no values here");
      const auto secret = scope_.secret(name[1]);
      return secret ? Value{*secret, {}, true} : Value{nullptr, {}, true};
    }
    if (name[0] == "env" && name.size() == 2) return texts(scope_.env, 1);
    if (name[0] == "before" && name.size() == 3 && name[1] == "env") {
      return texts(scope_.before_env, 2);
    }
    if (name[0] == "promoted" && name.size() >= 3) {
      const auto stage = scope_.promoted.find(name[1]);
      if (stage == scope_.promoted.end()) return {};
      const auto found = stage->find(join({name.begin() + 2, name.end()}, "."));
      return found == stage->end() ? Value{} : Value{*found, {}, false};
    }
    if (name[0] == "run" && name.size() == 2) {
      const auto found = scope_.run.find(name[1]);
      if (found != scope_.run.end()) return {*found, {}, false};
      return {nullptr, name[1] == "id" ? "when the run starts" : "when the run ends", false};
    }
    if (name[0] == "stages" && name.size() >= 4 && name[2] == "outputs") {
      const auto stage = scope_.outputs.find(name[1]);
      if (stage == scope_.outputs.end()) return {nullptr, "after " + name[1], false};
      const std::string output = join({name.begin() + 3, name.end()}, ".");
      const auto found = stage->second.find(output);
      // While planning, a stage may promise some outputs and leave the rest to its run.
      if (found == stage->second.end() && scope_.run.empty()) {
        return {nullptr, "after " + name[1], false};
      }
      return found == stage->second.end() ? undefined(3, keys_of_map(stage->second))
                                          : found->second;
    }
    refuse("'" + path + "' is not defined, allowed: " + std::string(allowed_names));
  }

  static constexpr std::string_view allowed_names =
      "vars.NAME, secrets.NAME, env.NAME, before.env.NAME, run.id, run.status, run.reason, "
      "run.failed_stage, stages.ID.outputs.NAME, promoted.ID.NAME";

  const Scope& scope_;
  const Place& place_;
};

void collect(const ExpressionNode& node, bool may_be_undefined, std::vector<NameUse>& uses) {
  if (node.kind == Kind::name) uses.push_back({join(node.name, "."), may_be_undefined});
  for (const ExpressionNode& operand : node.operands) {
    collect(operand, node.kind == Kind::otherwise && &operand != &node.operands.back(), uses);
  }
}

}  // namespace

Value evaluate(const std::string& text, const Scope& scope, const Place& place) {
  if (!has_expression(text)) return {text, {}, false};
  Evaluation evaluation(scope, place);
  const std::vector<TextPart> parts = parse_text(text, place);
  if (parts.size() == 1 && parts[0].is_expression) return evaluation.evaluate(parts[0].expression);
  Value result;
  std::string whole;
  for (const TextPart& part : parts) {
    if (!part.is_expression) {
      whole += part.text;
      continue;
    }
    const Value value = evaluation.evaluate(part.expression);
    result.secret = result.secret || value.secret;
    if (!value.unknown.empty()) {
      if (result.unknown.empty()) result.unknown = value.unknown;
    } else if (value.value.is_string()) {
      whole += value.value.get_ref<const std::string&>();
    } else if (value.value.is_number() || value.value.is_boolean()) {
      whole += value.value.dump();
    } else {
      evaluation.refuse("found " + kind_of(value.value) + " inside of the text '" +
                        make_visible(shorten(text, 60)) +
                        "', allowed: a text, a number, true or false; give another value after ??");
    }
  }
  if (result.unknown.empty()) result.value = std::move(whole);
  return result;
}

Value evaluate_condition(const std::string& text, const Scope& scope, const Place& place) {
  Evaluation evaluation(scope, place);
  return evaluation.condition(parse_condition(text, place),
                              "in the condition '" + make_visible(shorten(text, 60)) + "'");
}

std::vector<NameUse> name_uses(const std::string& text, const Place& place) {
  std::vector<NameUse> uses;
  for (const TextPart& part : parse_text(text, place)) {
    if (part.is_expression) collect(part.expression, false, uses);
  }
  return uses;
}

std::vector<NameUse> name_uses_in_condition(const std::string& text, const Place& place) {
  std::vector<NameUse> uses;
  collect(parse_condition(text, place), false, uses);
  return uses;
}

std::vector<std::string> names_in(const std::string& text, const Place& place) {
  std::vector<std::string> names;
  for (NameUse& use : name_uses(text, place)) names.push_back(std::move(use.path));
  return names;
}

bool has_expression(const std::string& text) { return text.find("${{") != std::string::npos; }

}  // namespace drydock
