// A pipeline against the plugins that are there.
#include <algorithm>
#include <utility>

#include "error.h"
#include "expression.h"
#include "files.h"
#include "option_words.h"
#include "pipeline.h"
#include "schema.h"
#include "schema_lookup.h"
#include "secrets.h"
#include "text.h"
#include "version_range.h"

namespace drydock {
namespace {

using nlohmann::json;

template <class Map>
std::vector<std::string> names_of(const Map& map, const std::string& prefix = "") {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(prefix + name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  return names.empty() ? "none is declared" : join(names, ", ");
}

std::vector<std::string> split_name(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find('.', start), path.size());
    parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

class Check {
 public:
  Check(const Pipeline& pipeline, const PluginIndex& plugins)
      : pipeline_(pipeline), plugins_(plugins) {}

  void all() {
    check_pins();
    if (pipeline_.probe) check_options(*pipeline_.probe);
    for (const StageSpec& stage : pipeline_.stages) check_stage(stage);
    in_finally_ = true;
    for (const StageSpec& stage : pipeline_.finally) check_stage(stage);
  }

 private:
  void check_stage(const StageSpec& stage) {
    current_ = &stage;
    if (stage.uses == probe_type) {
      throw Error(stage.place.text() + ": found a stage '" + stage.uses +
                  "', which measures a whole run and never ends by itself, allowed: its options "
                  "under the pipeline's 'probe:'.");
    }
    if (stage.uses == set_aside_type) {
      throw Error(stage.place.text() + ": found a stage '" + stage.uses +
                  "', which drops what restores have set aside; `drydock backups prune` has it "
                  "performed, when a person asks for that.");
    }
    if (!stage.when.empty()) {
      for (const NameUse& use : name_uses_in_condition(stage.when, stage.when_place)) {
        const std::string prefix = stage.when_place.text() + ": ";
        if (use.path.rfind("secrets.", 0) == 0) {
          throw Error(prefix + "found " + use.path +
                      " in a condition, allowed: vars, env, before.env, run and stages.");
        }
        check_name(use, prefix);
      }
    }
    check_options(stage);
    earlier_.push_back(&stage);
  }

  void check_options(const StageSpec& stage) {
    current_ = &stage;
    const IndexedStage& type = plugins_.require(stage.uses, stage.place.text());
    // An older Drydock may have found it fit, and what it found is cached.
    if (const std::string& problem = type.description.schema.problem(); !problem.empty()) {
      throw Error(stage.place.text() + ": the options schema of '" + stage.uses + "' in " +
                  type.plugin_file + " " + problem + "; tell the author of the plugin.");
    }
    const json& schema = type.description.schema.json();
    check_texts(stage, schema, stage.with, "");
    const auto is_expression = [](const json& value) {
      return value.is_string() && has_expression(value.get_ref<const std::string&>());
    };
    if (const auto problem = check_schema(schema, without_nulls(stage.with), is_expression)) {
      refuse_option(stage, *problem);
    }
  }

  // An option without a value is absent, as it will be when it is resolved.
  static json without_nulls(const json& value) {
    if (value.is_array()) {
      json list = json::array();
      for (const json& entry : value) list.push_back(without_nulls(entry));
      return list;
    }
    if (!value.is_object()) return value;
    json object = json::object();
    for (const auto& [key, member] : value.items()) {
      if (!member.is_null()) object[key] = without_nulls(member);
    }
    return object;
  }

  void check_texts(const StageSpec& stage, const json& schema, const json& value,
                   const std::string& pointer) {
    if (value.is_array()) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        check_texts(stage, schema, value[i], pointer + "/" + std::to_string(i));
      }
    } else if (value.is_object()) {
      for (const auto& [key, member] : value.items()) {
        const std::string at = pointer_to(pointer, key);
        if (has_expression(key)) {
          throw Error(option_prefix(stage, at, true) +
                      "found an expression in a key, allowed: expressions in values.");
        }
        check_texts(stage, schema, member, at);
      }
    } else if (value.is_string() && has_expression(value.get_ref<const std::string&>())) {
      const bool secret = is_write_only(schema, pointer);
      const Place place = option_place(stage, pointer);
      for (const NameUse& use : name_uses(value, place)) {
        check_name(use, option_prefix(stage, pointer));
        check_secrecy(stage, schema, pointer, secret, use.path);
      }
    }
  }

  void check_secrecy(const StageSpec& stage, const json& schema, const std::string& pointer,
                     bool secret_option, const std::string& name) {
    const bool secret_name = name.rfind("secrets.", 0) == 0;
    if (secret_name && !secret_option) {
      std::vector<std::string> allowed;
      if (const json* properties = keyword(schema, "properties")) {
        for (const auto& [key, property] : properties->items()) {
          const std::string at = pointer_to("", key);
          if (is_write_only(schema, at) || is_write_only(schema, at + "/x")) allowed.push_back(key);
        }
      }
      throw Error(option_prefix(stage, pointer) + "found " + name +
                  ", allowed: secrets only in options that '" + stage.uses + "' keeps secret (" +
                  (allowed.empty() ? "it has none" : join(allowed, ", ")) + ").");
    }
    // Resolved options are journaled, and a secret of .env must not get there by another door.
    const std::string variable = name.substr(name.rfind('.') + 1);
    const bool of_env = name.rfind("env.", 0) == 0 || name.rfind("before.env.", 0) == 0;
    if (of_env && !secret_option && is_secret_name(variable)) {
      throw Error(option_prefix(stage, pointer) + "found " + name +
                  ", which is secret by its name, allowed: a secret declared with 'dotenv: " +
                  variable + "', in an option that '" + stage.uses + "' keeps secret.");
    }
    if (secret_option && !secret_name && name.rfind("vars.", 0) != 0) {
      throw Error(option_prefix(stage, pointer) + "found " + name +
                  " in a secret option, allowed: secrets.NAME and vars.NAME, which a rollback can "
                  "read again; for a value of .env declare a secret with 'dotenv: KEY'.");
    }
  }

  void check_name(const NameUse& use, const std::string& prefix) const {
    const std::vector<std::string> parts = split_name(use.path);
    if (parts[0] == "vars" && parts.size() == 2) {
      if (use.may_be_undefined || pipeline_.vars.count(parts[1]) > 0) return;
      refuse_name(prefix, use.path, names_of(pipeline_.vars, "vars."));
    }
    if (parts[0] == "secrets" && parts.size() == 2) {
      if (pipeline_.secrets.count(parts[1]) > 0) return;
      refuse_name(prefix, use.path, names_of(pipeline_.secrets, "secrets."));
    }
    if (parts[0] == "env" && parts.size() == 2) return;
    if (parts[0] == "before" && parts.size() == 3 && parts[1] == "env") return;
    if (parts[0] == "promoted" && parts.size() >= 3) return check_stage_exists(parts[1], prefix);
    if (parts[0] == "run" && parts.size() == 2) return check_run_name(use.path, prefix);
    if (parts[0] == "stages" && parts.size() >= 4 && parts[2] == "outputs") {
      return check_stage_name(parts[1], prefix);
    }
    const std::vector<std::string> kinds = {
        "vars.NAME",       "secrets.NAME",     "env.NAME",
        "before.env.NAME", "run.id",           "run.status",
        "run.reason",      "run.failed_stage", "stages.ID.outputs.NAME",
        "promoted.ID.NAME"};
    refuse_name(prefix, use.path, kinds);
  }

  void check_run_name(const std::string& path, const std::string& prefix) const {
    const std::vector<std::string> names = {"run.id", "run.status", "run.reason",
                                            "run.failed_stage"};
    if (std::find(names.begin(), names.end(), path) == names.end()) {
      refuse_name(prefix, path, names);
    }
    if (path != "run.id" && !in_finally_) {
      throw Error(prefix + "found " + path +
                  " in a stage of 'stages:', allowed: run.id; how the run ended is known in "
                  "'finally:' only.");
    }
  }

  // The file's name only where there are several.
  std::string where(const StageSpec& stage) const {
    return pipeline_.includes.empty() ? "line " + std::to_string(stage.place.line)
                                      : stage.place.text();
  }

  // Of an earlier wave's run, so that any stage of the pipeline may be meant.
  void check_stage_exists(const std::string& id, const std::string& prefix) const {
    std::vector<std::string> ids;
    for (const StageSpec& stage : pipeline_.stages) {
      if (stage.id == id) return;
      ids.push_back("promoted." + stage.id);
    }
    refuse_name(prefix, "promoted." + id, ids);
  }

  void check_stage_name(const std::string& id, const std::string& prefix) const {
    std::vector<std::string> known, places;
    const auto runs_beside = [this](const StageSpec& other) {
      return other.block != 0 && other.block == current_->block && &other != current_;
    };
    bool ended = true;
    for (const StageSpec* stage : earlier_) {
      if (!runs_beside(*stage)) known.push_back(stage->id);
      if (stage->id != id) continue;
      places.push_back(where(*stage));
      ended = ended && !runs_beside(*stage);
    }
    if (places.size() == 1 && ended) return;
    if (places.size() > 1) {
      throw Error(prefix + "found stages." + id + ", which " + std::to_string(places.size()) +
                  " stages are called (" + join(places, ", ") +
                  "), allowed: one; give the one that is meant an 'id:' of its own.");
    }
    for (const auto* list : {&pipeline_.stages, &pipeline_.finally}) {
      for (const StageSpec& later : *list) {
        if (later.id != id) continue;
        const std::string when =
            runs_beside(later) ? "runs at the same time" : "has not ended by then";
        throw Error(prefix + "found stages." + id + ", which " + when + " (" + where(later) +
                    "), allowed: stages that come earlier" +
                    (known.empty() ? "; none does." : ": " + join(known, ", ") + "."));
      }
    }
    throw Error(
        full_stop(prefix + "found stages." + id + ", which is no stage, allowed: " +
                  (known.empty() ? "stages that come earlier; none does" : join(known, ", ")) +
                  did_you_mean(id, known)));
  }

  [[noreturn]] static void refuse_name(const std::string& prefix, const std::string& path,
                                       const std::vector<std::string>& allowed) {
    throw Error(full_stop(prefix + "found '" + path + "', which is not defined, allowed: " +
                          listed(allowed) + did_you_mean(path, allowed)));
  }

  // Before anything else: of a file that is not the pinned one nothing is known.
  void check_pins() const {
    std::map<std::string, const IndexedPlugin*> by_id;
    for (const IndexedPlugin& plugin : plugins_.plugins()) {
      if (plugin.hidden_by.empty()) by_id.emplace(plugin.id, &plugin);
    }
    for (const auto& [id, pin] : pipeline_.plugins) {
      const auto found = by_id.find(id);
      if (found == by_id.end()) {
        const auto ids = names_of(by_id);
        throw Error(full_stop(pin.place.text() + ": found a pin of the plugin '" + id +
                              "', which is not installed, allowed: " + listed(ids) +
                              did_you_mean(id, ids)));
      }
      const IndexedPlugin& plugin = *found->second;
      if (!pin.version.empty() && !VersionRange::parse(pin.version)->contains(plugin.version)) {
        throw Error(pin.place.text() + ": found version " + plugin.version + " of plugin '" + id +
                    "' in " + plugin.file + ", allowed: " + pin.version +
                    "; install that version or change the pin" + hidden_that_fits(id, pin.version) +
                    ".");
      }
      refuse_hidden_stages(plugin);
      if (pin.sha256.empty()) continue;
      const std::string digest =
          plugin.sha256.empty() ? sha256_of_file(plugin.file) : plugin.sha256;
      if (digest == pin.sha256) continue;
      throw Error(pin.place.text() + ": found SHA-256 " + digest + " of " + plugin.file +
                  ", allowed: " + pin.sha256 +
                  "; install the file that was pinned or change the pin.");
    }
  }

  // A pin is no use where another plugin performs the stage.
  void refuse_hidden_stages(const IndexedPlugin& pinned) const {
    std::vector<const StageSpec*> used;
    if (pipeline_.probe) used.push_back(&*pipeline_.probe);
    for (const auto* list : {&pipeline_.stages, &pipeline_.finally}) {
      for (const StageSpec& stage : *list) used.push_back(&stage);
    }
    for (const StageSpec* stage : used) {
      const auto hiding = pinned.hidden_stages.find(stage->uses);
      if (hiding == pinned.hidden_stages.end()) continue;
      throw Error(stage->place.text() + ": found the stage type '" + stage->uses + "' of " +
                  hiding->second + ", which hides that of the pinned plugin '" + pinned.id +
                  "', allowed: the pinned one's, in " + pinned.file +
                  "; remove the other file, or name the folder of the pinned one first.");
    }
  }

  std::string hidden_that_fits(const std::string& id, const std::string& range) const {
    for (const IndexedPlugin& other : plugins_.plugins()) {
      if (other.id != id || other.hidden_by.empty()) continue;
      if (!VersionRange::parse(range)->contains(other.version)) continue;
      return " (" + other.file + " is " + other.version + ", and hidden by that file)";
    }
    return "";
  }

  const Pipeline& pipeline_;
  const PluginIndex& plugins_;
  std::vector<const StageSpec*> earlier_;
  const StageSpec* current_ = nullptr;
  bool in_finally_ = false;
};

}  // namespace

std::map<std::string, std::string> pinned_digests(const Pipeline& pipeline) {
  std::map<std::string, std::string> digests;
  for (const auto& [id, pin] : pipeline.plugins) {
    if (!pin.sha256.empty()) digests[id] = pin.sha256;
  }
  return digests;
}

void check_pipeline(const Pipeline& pipeline, const PluginIndex& plugins) {
  Check(pipeline, plugins).all();
}

}  // namespace drydock
