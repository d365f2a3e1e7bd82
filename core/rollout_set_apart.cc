#include "rollout_set_apart.h"

#include <algorithm>
#include <iostream>
#include <optional>

#include "digest.h"
#include "error.h"
#include "schema.h"
#include "schema_lookup.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

bool is_one_expression(const std::string& text) {
  return text.starts_with("${{") && text.find("}}") == text.size() - 2;
}

// named: it is below a key whose name is that of a secret.
bool holds_secret(const json& value, const json& schema, const std::string& pointer,
                  const Masker& masker, bool named = false) {
  if (value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string below = pointer + "/" + std::to_string(i);
      if (holds_secret(value[i], schema, below, masker, named)) return true;
    }
    return false;
  }
  if (value.is_object()) {
    for (const auto& [key, member] : value.items()) {
      const bool secret = named || is_secret_name(key);
      if (holds_secret(member, schema, pointer_to(pointer, key), masker, secret)) return true;
    }
    return false;
  }
  if (value.is_null()) return false;
  const bool secret = named || is_write_only(schema, pointer);
  if (!value.is_string()) return secret;
  const std::string& text = value.get_ref<const std::string&>();
  return !is_one_expression(text) && (secret || masker.mask(text) != text);
}

void set_apart(std::optional<ControllerStage>& stage, const PluginIndex& plugins,
               const Masker& masker) {
  if (!stage) return;
  const IndexedStage* type = plugins.find(stage->uses);
  stage->set_apart = holds_secret(
      stage->with, type == nullptr ? json() : type->description.schema.json(), "", masker);
}

[[noreturn]] void refuse_missing(const RolloutPlan& plan, const std::string& what,
                                 const std::string& remedy) {
  throw Error(what + " of the rollout '" + plan.name +
              "' holds a secret, which is kept nowhere, and " + plan.file +
              " does not have it any more; " + remedy);
}

// So few that nobody can guess the value by them, and enough to notice that it is another one.
std::string digits_of(const RolloutPlan& plan, const RolloutTarget& target, const std::string& name,
                      const json& value) {
  constexpr std::size_t kept_digits = 4;
  const json whole = {plan.name, target.name, name, plain_text(value)};
  return sha256(whole.dump()).substr(0, kept_digits);
}

// What the rollout was begun with, and what was set apart as it is given now.
void fill_in(RolloutTarget& target, const RolloutPlan& plan, const Pipeline& pipeline,
             const Environment* declared, const std::vector<GivenVar>& vars) {
  std::vector<GivenVar> given;
  for (const auto& [name, value] : target.vars.items()) given.push_back({name, value, {}});
  const auto take = [&](const std::vector<GivenVar>& from) {
    for (const GivenVar& each : from) {
      if (target.vars_apart.count(each.name) != 0) given.push_back(each);
    }
  };
  if (declared != nullptr) take(declared->vars);
  take(vars);
  for (const auto& [name, digits] : target.vars_apart) {
    const bool found = std::any_of(given.begin(), given.end(),
                                   [&](const GivenVar& each) { return each.name == name; });
    if (found) continue;
    refuse_missing(plan, "the variable '" + name + "' of the environment '" + target.name + "'",
                   "give it with --var " + name + "=VALUE");
  }
  const json values = resolve_vars(pipeline, given, " for the environment '" + target.name + "'");
  for (const auto& [name, digits] : target.vars_apart) {
    if (digits_of(plan, target, name, values.at(name)) != digits) {
      throw Error("the variable '" + name + "' of the environment '" + target.name +
                  "' is another one than the rollout '" + plan.name +
                  "' was begun with; give that one with --var " + name +
                  "=VALUE, or begin a new rollout");
    }
    target.vars[name] = values.at(name);
  }
}

void fill_in(std::optional<ControllerStage>& stage, const RolloutPlan& plan,
             const std::string& what, const std::optional<StageSpec>& declared) {
  if (!stage || !stage->set_apart) return;
  if (!declared || declared->uses != stage->uses) {
    refuse_missing(plan, what, "put it back there, or begin a new rollout");
  }
  stage->with = declared->with;
}

void refuse_others(const RolloutPlan& plan, const std::vector<GivenVar>& vars) {
  std::set<std::string> apart;
  for (const RolloutTarget& each : plan.targets) {
    for (const auto& [name, digits] : each.vars_apart) apart.insert(name);
  }
  for (const GivenVar& each : vars) {
    if (apart.count(each.name) != 0) continue;
    throw Error("--var: found '" + each.name + "', allowed: " +
                (apart.empty() ? "none" : join({apart.begin(), apart.end()}, ", ")) +
                "; what the rollout '" + plan.name +
                "' was begun with counts, and only variables that hold a secret are given again");
  }
}

}  // namespace

void learn_secrets(const RolloutPlan& plan, const Pipeline& pipeline, Masker& masker) {
  std::vector<std::string> names = {plan.name, plan.file, plan.pipeline, plan.pipeline_file};
  for (const RolloutWave& each : plan.waves) names.push_back(each.name);
  for (const RolloutTarget& each : plan.targets) {
    names.insert(names.end(), {each.name, each.host, each.dir});
  }
  masker.show_names(names);
  for (const auto& [name, variable] : pipeline.vars) {
    if (variable.value) masker.add_vars(json{{name, *variable.value}});
  }
  for (const RolloutTarget& each : plan.targets) masker.add_vars(each.vars);
}

void set_secrets_apart(RolloutPlan& plan, const PluginIndex& plugins, const Masker& masker) {
  for (RolloutTarget& target : plan.targets) {
    for (const auto& [name, value] : target.vars.items()) {
      const bool secret = !value.is_null() && (is_secret_name(name) || masker.mask(value) != value);
      if (secret) target.vars_apart[name] = digits_of(plan, target, name, value);
    }
  }
  for (RolloutWave& wave : plan.waves) set_apart(wave.gate, plugins, masker);
  set_apart(plan.notify, plugins, masker);
}

void fill_in_secrets(RolloutPlan& plan, const std::vector<std::size_t>& targets,
                     const Pipeline& pipeline, const std::vector<GivenVar>& vars, Masker& masker) {
  refuse_others(plan, vars);
  const bool of_waves =
      std::any_of(plan.waves.begin(), plan.waves.end(),
                  [](const RolloutWave& each) { return each.gate && each.gate->set_apart; });
  const bool any = of_waves || (plan.notify && plan.notify->set_apart) ||
                   std::any_of(targets.begin(), targets.end(), [&](std::size_t each) {
                     return !plan.targets[each].vars_apart.empty();
                   });
  if (!any) return;
  const Rollout now = load_rollout(plan.file);
  std::map<std::string, const Environment*> declared;
  for (const Environment& each : now.environments) declared[each.name] = &each;
  for (const std::size_t each : targets) {
    RolloutTarget& target = plan.targets[each];
    if (target.vars_apart.empty()) continue;
    const auto found = declared.find(target.name);
    fill_in(target, plan, pipeline, found == declared.end() ? nullptr : found->second, vars);
  }
  for (RolloutWave& wave : plan.waves) {
    const auto same = std::find_if(now.waves.begin(), now.waves.end(),
                                   [&](const WaveSpec& each) { return each.name == wave.name; });
    fill_in(wave.gate, plan, "the gate of the wave '" + wave.name + "'",
            same == now.waves.end() ? std::nullopt : same->gate);
  }
  fill_in(plan.notify, plan, "'notify:'", now.notify);
  learn_secrets(plan, pipeline, masker);
}

void fill_in_notification(RolloutPlan& plan, Masker& masker) {
  learn_secrets(plan, {}, masker);
  if (!plan.notify || !plan.notify->set_apart) return;
  try {
    fill_in(plan.notify, plan, "'notify:'", load_rollout(plan.file).notify);
  } catch (const Error& e) {
    std::cerr << "drydock: nobody is notified: " << make_visible(e.what()) << "\n";
    plan.notify.reset();
  }
}

}  // namespace drydock
