#include "saved_plan.h"

#include <array>
#include <functional>
#include <map>

#include "error.h"
#include "expression.h"
#include "files.h"
#include "json_text.h"
#include "text.h"
#include "utc_time.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr int plan_version = 1;
constexpr std::size_t largest_plan = std::size_t{64} << 20;

// How secret options are come by. One that stands in the pipeline itself is told by its
// fingerprint.
json secret_options(const PlannedStage& stage, const StateDir& state) {
  json texts = json::object();
  for (const auto& [pointer, text] : stage.options.secret_texts) {
    texts[pointer] = has_expression(text) ? text : state.fingerprint(text);
  }
  return texts;
}

json to_document(const PlannedStage& stage, const StateDir& state) {
  constexpr std::array<const char*, 3> states = {"planned", "skipped", "unknown"};
  json changes = json::array(), facts = json::array();
  for (const PlannedChange& change : stage.changes) {
    changes.push_back({{"what", change.what},
                       {"action", change.action},
                       {"name", change.name},
                       {"before", change.before},
                       {"after", change.after},
                       {"rollback_loses", change.rollback_loses}});
  }
  for (const Fact& fact : stage.facts) {
    if (fact.must_return) facts.push_back({{"name", fact.name}, {"value", fact.value}});
  }
  return {{"stage", stage.identity.key},
          {"uses", stage.type->description.name},
          {"plugin", stage.type->plugin_id},
          {"plugin_version", stage.type->plugin_version},
          {"plugin_sha256", stage.type->sha256()},
          {"state", states[static_cast<std::size_t>(stage.state)]},
          {"reason", stage.reason},
          {"options", stage.resolved ? stage.options.values : json()},
          {"secret_options", secret_options(stage, state)},
          {"inputs", to_json(stage.inputs)},
          {"changes", std::move(changes)},
          {"facts", std::move(facts)}};
}

std::string shortened(const json& value) {
  constexpr std::size_t longest = 60;
  return value.is_string() ? shorten(value.get<std::string>(), longest)
                           : shorten(compact(value), longest);
}

// The members of a list by name; of several with one name, by name and number.
std::map<std::pair<std::string, int>, json> by_name(
    const json& list, const std::function<std::string(const json&)>& name_of) {
  std::map<std::pair<std::string, int>, json> result;
  std::map<std::string, int> seen;
  for (const json& each : list) {
    const std::string name = name_of(each);
    result[{name, seen[name]++}] = each;
  }
  return result;
}

// Whole members are compared; only what is said of them is shortened.
void compare_lists(const json& before, const json& now, const std::string& who,
                   const std::function<std::string(const json&)>& name_of,
                   const std::function<std::string(const json&)>& value_of,
                   std::vector<std::string>& found) {
  const auto old_members = by_name(before, name_of), new_members = by_name(now, name_of);
  const auto said = [&](const auto& members, const auto& key) {
    const auto member = members.find(key);
    return member == members.end() ? std::string("absent") : value_of(member->second);
  };
  auto keys = old_members;
  keys.insert(new_members.begin(), new_members.end());
  for (const auto& [key, any] : keys) {
    const auto old_member = old_members.find(key), new_member = new_members.find(key);
    const bool same = old_member != old_members.end() && new_member != new_members.end() &&
                      old_member->second == new_member->second;
    if (same) continue;
    found.push_back(who + key.first + " was " + said(old_members, key) + " and is " +
                    said(new_members, key));
  }
}

std::string text_of(const json& object, const char* key) { return shortened(object.at(key)); }

void compare_stage(const json& before, const json& now, std::vector<std::string>& found) {
  const std::string who = before.at("stage").get<std::string>() + ": ";
  if (before.at("plugin_sha256") != now.at("plugin_sha256")) {
    found.push_back(who + "the plugin " + text_of(before, "plugin") + " had SHA-256 " +
                    text_of(before, "plugin_sha256") + " and has " + text_of(now, "plugin_sha256"));
  }
  for (const char* key : {"state", "options", "secret_options"}) {
    if (before.at(key) == now.at(key)) continue;
    found.push_back(who + key + " was " + text_of(before, key) + " and is " + text_of(now, key));
  }
  compare_lists(
      before.at("inputs"), now.at("inputs"), who,
      [](const json& input) { return "the file " + input.at("path").get<std::string>(); },
      [](const json& input) { return "SHA-256 " + input.at("digest").get<std::string>(); }, found);
  compare_lists(
      before.at("facts"), now.at("facts"), who,
      [](const json& fact) { return fact.at("name").get<std::string>(); },
      [](const json& fact) { return text_of(fact, "value"); }, found);
  compare_lists(
      before.at("changes"), now.at("changes"), who,
      [](const json& change) {
        return "the change of " + change.at("what").get<std::string>() + " " +
               change.at("name").get<std::string>();
      },
      [](const json& change) {
        return text_of(change, "action") + " '" + text_of(change, "before") + "' -> '" +
               text_of(change, "after") + "'";
      },
      found);
}

}  // namespace

json to_document(const Session& session, const Plan& plan, bool fetched) {
  const ComposeProject& compose = session.deployment.compose;
  json stages = json::array();
  for (const PlannedStage& stage : plan.stages) stages.push_back(to_document(stage, session.state));
  json compose_files = json::object();
  for (const std::string& file : compose.files) compose_files[file] = digest_of(file);
  return session.masker.mask(json{{"drydock_plan", plan_version},
                                  {"made", utc_now()},
                                  {"deployment", session.deployment.dir},
                                  {"project", compose.project},
                                  {"engine", compose.engine},
                                  {"profiles", compose.profiles},
                                  {"compose_files", std::move(compose_files)},
                                  {"pipeline", session.pipeline.name},
                                  {"fetched", fetched},
                                  {"vars", session.vars},
                                  {"inputs", to_json(session.inputs)},
                                  {"stages", std::move(stages)}});
}

void save_plan(const Session& session, const Plan& plan, bool fetched, const std::string& file) {
  const auto holds_secret = [&](const json& value) { return session.masker.mask(value) != value; };
  for (const auto& [name, value] : session.vars.items()) {
    const bool by_name = is_secret_name(name) && !value.is_null() && !value.is_boolean();
    if (!by_name && !holds_secret(value)) continue;
    throw Error("the plan cannot be saved: the variable '" + name + "' " +
                (by_name ? "is secret by its name; rename it if it is none, else"
                         : "holds a secret of this deployment;") +
                " take it from `secrets:` instead");
  }
  if (holds_secret(to_json(session.inputs))) {
    throw Error(
        "the plan cannot be saved: the path of a file that it reads holds a secret of this "
        "deployment; give it another name");
  }
  write_file_atomically(file, indented(to_document(session, plan, fetched)));
}

SavedPlan load_saved_plan(const std::string& file) {
  SavedPlan plan;
  plan.file = file;
  plan.document = json::parse(read_file(file, largest_plan), nullptr, false);
  const json& document = plan.document;
  if (!document.is_object() || !document.contains("drydock_plan")) {
    throw Error(file + " is not a plan; save one with `drydock plan --out " + file + "`");
  }
  if (document["drydock_plan"] != plan_version) {
    throw Error(file + " is a plan of version " + shortened(document["drydock_plan"]) +
                ", and this Drydock reads " + std::to_string(plan_version) + "; plan again");
  }
  try {
    document.at("deployment").get_to(plan.deployment);
    plan.vars = document.at("vars");
    document.at("fetched").get_to(plan.fetched);
    for (const Input& input : inputs_from_json(document.at("inputs"))) {
      plan.input_files.push_back(input.path);
    }
    plan.pipeline_file = plan.input_files.at(0);
    if (!plan.vars.is_object()) throw std::invalid_argument("vars");
  } catch (const std::exception&) {
    throw Error(file + " is a plan that lacks something; was it edited? Plan again");
  }
  return plan;
}

std::vector<std::string> differences(const json& saved, const json& now) {
  std::vector<std::string> found;
  try {
    for (const char* key :
         {"deployment", "project", "engine", "profiles", "compose_files", "vars"}) {
      if (saved.at(key) == now.at(key)) continue;
      found.push_back(std::string(key) + " was " + text_of(saved, key) + " and is " +
                      text_of(now, key));
    }
    compare_lists(
        saved.at("inputs"), now.at("inputs"), "",
        [](const json& input) { return "the file " + input.at("path").get<std::string>(); },
        [](const json& input) { return "SHA-256 " + input.at("digest").get<std::string>(); },
        found);
    const auto names = [](const json& plan) {
      std::string text;
      for (const json& stage : plan.at("stages")) {
        text += (text.empty() ? "" : ", ") + stage.at("stage").get<std::string>() + " (" +
                stage.at("uses").get<std::string>() + ")";
      }
      return text;
    };
    if (names(saved) != names(now)) {
      found.push_back("the stages were " + names(saved) + " and are " + names(now));
      return found;
    }
    for (std::size_t i = 0; i < saved.at("stages").size(); ++i) {
      compare_stage(saved.at("stages")[i], now.at("stages")[i], found);
    }
  } catch (const json::exception&) {
    found.push_back("the file lacks something; was it edited?");
  }
  return found;
}

}  // namespace drydock
