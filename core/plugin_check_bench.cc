#include "plugin_check_bench.h"

#include <algorithm>
#include <random>

#include "error.h"
#include "json_schema.h"
#include "options.h"
#include "plugin_check.h"
#include "plugin_words.h"
#include "sample_options.h"
#include "schema.h"
#include "schema_lookup.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

// A value that no schema can object to but for its type.
bool is_usable(const json& schema) {
  const auto rejected = json_schema_rejects(schema, json::object());
  return schema.is_object() && (!rejected || rejected->find("cannot be used") == std::string::npos);
}

void choose_options(CheckedStage& stage, const CheckSettings& settings) {
  const json& schema = stage.schema();
  if (!stage.type.description.schema.problem().empty() || !is_usable(schema)) {
    stage.unusable = "its options schema cannot be used (see 'schema')";
    return;
  }
  StageSpec spec;
  spec.id = spec.name = spec.uses = stage.name();
  spec.place.file = settings.with_file.empty() ? "the schema's examples" : settings.with_file;
  const auto secrets = secret_markers(schema, settings.seed, true);
  if (settings.with.contains(stage.name())) {
    spec.with = settings.with[stage.name()];
  } else {
    std::vector<std::string> missing;
    spec.with = sample_options(schema, missing);
    std::erase_if(missing,
                  [&](const auto& name) { return secrets.count(pointer_to("", name)) != 0; });
    if (!missing.empty()) {
      stage.unusable = "the schema gives no example of " + join(missing, ", ") +
                       ", which it requires: give options with --with FILE";
      return;
    }
  }
  for (const auto& [pointer, secret] : secrets) {
    const json::json_pointer at(pointer);
    if (!spec.with.contains(at)) spec.with[at] = secret;
  }
  Scope scope;
  scope.secret = [](const std::string&) { return std::nullopt; };
  try {
    ResolvedOptions resolved = resolve_options(spec, schema, scope);
    stage.options = std::move(resolved.values);
    stage.secrets = std::move(resolved.secrets);
  } catch (const Error& error) {
    if (settings.with.contains(stage.name())) throw;  // a slip of whoever gave them
    stage.unusable = "its options do not fit: " + std::string(error.what());
    while (!stage.unusable.empty() && stage.unusable.back() == '.') stage.unusable.pop_back();
  }
}

}  // namespace

WorkerPatience check_patience() {
  using std::chrono::milliseconds;
  return {milliseconds(5000), milliseconds(1000), milliseconds(1000), milliseconds(5000)};
}

std::map<std::string, std::string> secret_markers(const json& schema, std::uint64_t seed,
                                                  bool required_only) {
  std::map<std::string, std::string> markers;
  std::mt19937_64 random(seed);
  const json properties = schema.value("properties", json::object());
  for (const auto& [key, option] : properties.items()) {
    const std::string pointer = pointer_to("", key);
    if (!is_write_only(schema, pointer) || !wants_text(schema, pointer)) continue;
    if (required_only && !is_required(schema, key)) continue;
    std::string marker = "secret";
    for (int i = 0; i < 20; ++i) marker += "0123456789abcdefghijklmnopqrstuv"[random() % 32];
    markers[pointer] = marker;
  }
  return markers;
}

CheckBench::CheckBench(CheckSettings settings)
    : settings_(std::move(settings)),
      worker_(settings_.stage_binary, settings_.stop, check_patience()),
      note_(read_plugin_note(settings_.plugin_file)) {}

std::string CheckBench::abi_refusal() const {
  const auto* said = std::get_if<PluginNote>(&note_);
  if (said == nullptr) return "";
  return drydock::abi_refusal("It", said->abi_major, said->abi_minor);
}

const InspectionResult* CheckBench::loaded() {
  if (std::holds_alternative<NoPluginNote>(note_)) return nullptr;
  if (!loaded_) loaded_ = worker_.inspect(settings_.plugin_file, false);
  return &*loaded_;
}

const InspectionResult* CheckBench::asking() {
  // A plugin of another ABI describes itself in another way.
  if (loaded() == nullptr || !abi_refusal().empty()) return nullptr;
  if (!std::holds_alternative<PluginInspection>(*loaded())) return nullptr;
  if (!asked_) asked_ = worker_.inspect(settings_.plugin_file, true);
  return &*asked_;
}

const PluginInspection* CheckBench::asked() {
  const InspectionResult* result = asking();
  return result == nullptr ? nullptr : std::get_if<PluginInspection>(result);
}

std::vector<CheckedStage>& CheckBench::stages() {
  if (stages_) return *stages_;
  stages_.emplace();
  const PluginInspection* inspection = asked();
  if (inspection == nullptr || !inspection->exports.empty()) return *stages_;
  const PluginDescription& said = inspection->said;
  if (!drydock::abi_refusal("", said.abi_major, said.abi_minor).empty()) return *stages_;
  for (const StageDescription& each : said.stages) {
    CheckedStage stage;
    stage.type = {settings_.plugin_file, said.id, said.version, each, std::nullopt};
    choose_options(stage, settings_);
    stages_->push_back(std::move(stage));
  }
  return *stages_;
}

void CheckBench::leave_behind(const std::string& sentence) const {
  if (std::find(left_behind_.begin(), left_behind_.end(), sentence) == left_behind_.end()) {
    left_behind_.push_back(sentence);
  }
}

const char* name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::warn:
      return "warn";
    case Verdict::skip:
      return "skip";
    case Verdict::fail:
      break;
  }
  return "fail";
}

std::vector<PluginCheck> plugin_checks() {
  std::vector<PluginCheck> all;
  for (const auto& family :
       {file_checks(), schema_checks(), option_checks(), step_checks(), recovery_checks()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

Finding of_each_stage(CheckBench& bench, const std::function<Finding(CheckedStage&)>& check) {
  std::vector<CheckedStage>& stages = bench.stages();
  if (stages.empty()) return {Verdict::skip, "It cannot be asked for its stage types."};
  std::optional<Finding> worst;
  for (CheckedStage& stage : stages) {
    Finding found = check(stage);
    if (stages.size() > 1)
      found.sentence = "Stage type " + quoted_word(stage.name()) + ": " + found.sentence;
    if (!worst || found.verdict > worst->verdict) worst = std::move(found);
  }
  return *worst;
}

}  // namespace drydock
