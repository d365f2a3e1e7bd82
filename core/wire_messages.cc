#include "wire_messages.h"

#include <array>

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 7> status_names = {
    "ok", "failed", "bad_options", "cancelled", "bug", "unknown", "no_memory"};

template <std::size_t count>
std::size_t index_of(const std::array<std::string_view, count>& names, const json& value) {
  for (std::size_t i = 0; i < count; ++i) {
    if (value == names[i]) return i;
  }
  throw WireError("sent a word that is not known");
}

const json& member(const json& body, const char* name) {
  if (body.is_object()) {
    if (const auto found = body.find(name); found != body.end()) return *found;
  }
  throw WireError(std::string("sent a message without '") + name + "'");
}

std::string text(const json& body, const char* name) { return from_wire(member(body, name)); }

bool flag(const json& body, const char* name) {
  const json& value = member(body, name);
  if (!value.is_boolean()) throw WireError(std::string("sent a '") + name + "' that is no boolean");
  return value.get<bool>();
}

template <class Integer>
Integer integer(const json& body, const char* name) {
  const json& value = member(body, name);
  if (!value.is_number_integer()) {
    throw WireError(std::string("sent a '") + name + "' that is no integer");
  }
  return value.get<Integer>();
}

json texts_body(const std::vector<std::string>& texts) {
  json result = json::array();
  for (const std::string& each : texts) result.push_back(to_wire(each));
  return result;
}

std::vector<std::string> texts(const json& body, const char* name) {
  const json& value = member(body, name);
  if (!value.is_array()) throw WireError(std::string("sent a '") + name + "' that is no list");
  std::vector<std::string> result;
  for (const json& each : value) result.push_back(from_wire(each));
  return result;
}

// Strings of options that JSON cannot write go beside them, by pointer.
void move_bytes_aside(json& value, const std::string& pointer, json& aside) {
  if (value.is_string()) {
    json travelling = to_wire(value.get_ref<const std::string&>());
    if (travelling.is_string()) return;
    aside[pointer] = std::move(travelling);
    value = nullptr;
  } else if (value.is_structured()) {
    for (const auto& [key, each] : value.items()) {
      move_bytes_aside(each, (json::json_pointer(pointer) / key).to_string(), aside);
    }
  }
}

}  // namespace

json request_body(const StepRequest& request) {
  json steps = json::array();
  for (Step step : request.steps) steps.push_back(name_of(step));
  json options = request.options;
  json bytes = json::object();
  move_bytes_aside(options, "", bytes);
  json secrets = json::object();
  for (const auto& [pointer, value] : request.secrets) secrets[pointer] = to_wire(value);
  return {{"plugin_file", to_wire(request.plugin_file)},
          {"plugin_identity",
           request.plugin_identity ? identity_body(*request.plugin_identity) : json()},
          {"stage_type", request.stage_type},
          {"stage_id", request.stage_id},
          {"steps", std::move(steps)},
          {"options", std::move(options)},
          {"bytes", std::move(bytes)},
          {"secrets", std::move(secrets)},
          {"deployment_dir", to_wire(request.deployment_dir)},
          {"planned_dir", to_wire(request.planned_dir)},
          {"planning_dir", to_wire(request.planning_dir)},
          {"private_dir", to_wire(request.private_dir)},
          {"snapshot_dir", to_wire(request.snapshot_dir)},
          {"next_dir", to_wire(request.next_dir)},
          {"run_label", to_wire(request.run_label)},
          {"run_id", request.run_id},
          {"attempt", request.attempt},
          {"interrupted", request.interrupted},
          {"may_fetch", request.may_fetch},
          {"project", to_wire(request.project)},
          {"model_before", to_wire(request.model_before)},
          {"compose_files", texts_body(request.compose_files)},
          {"profiles", texts_body(request.profiles)}};
}

StepRequest read_request(const json& body) {
  StepRequest request;
  request.plugin_file = text(body, "plugin_file");
  request.plugin_identity = read_plugin_identity(body);
  request.stage_type = text(body, "stage_type");
  request.stage_id = text(body, "stage_id");
  for (const json& step : member(body, "steps")) request.steps.push_back(read_step(step));
  request.options = member(body, "options");
  for (const auto& [pointer, value] : member(body, "bytes").items()) {
    request.options[json::json_pointer(pointer)] = from_wire(value);
  }
  for (const auto& [pointer, value] : member(body, "secrets").items()) {
    request.secrets[pointer] = from_wire(value);
  }
  request.deployment_dir = text(body, "deployment_dir");
  request.planned_dir = text(body, "planned_dir");
  request.planning_dir = text(body, "planning_dir");
  request.private_dir = text(body, "private_dir");
  request.snapshot_dir = text(body, "snapshot_dir");
  request.next_dir = text(body, "next_dir");
  request.run_label = text(body, "run_label");
  request.run_id = integer<std::uint64_t>(body, "run_id");
  request.attempt = integer<unsigned>(body, "attempt");
  request.interrupted = flag(body, "interrupted");
  request.may_fetch = flag(body, "may_fetch");
  request.project = text(body, "project");
  request.model_before = text(body, "model_before");
  request.compose_files = texts(body, "compose_files");
  request.profiles = texts(body, "profiles");
  return request;
}

json plugin_body(const FileIdentity& plugin_file) {
  return {{"plugin_file", to_wire(plugin_file.path)},
          {"plugin_identity", identity_body(plugin_file)}};
}

std::optional<FileIdentity> read_plugin_identity(const json& body) {
  const json& identity = member(body, "plugin_identity");
  if (identity.is_null()) return std::nullopt;
  return read_identity(text(body, "plugin_file"), identity);
}

json note_body(const Note& note) {
  return {{"key", to_wire(note.key)}, {"value", to_wire(note.value)}};
}
Note read_note(const json& body) { return {text(body, "key"), text(body, "value")}; }

json fact_body(const Fact& fact) {
  return {{"name", to_wire(fact.name)},
          {"value", to_wire(fact.value)},
          {"must_return", fact.must_return},
          {"secret", fact.secret}};
}
Fact read_fact(const json& body) {
  return {text(body, "name"), text(body, "value"), flag(body, "must_return"), flag(body, "secret")};
}

json change_body(const PlannedChange& change) {
  // There are hundreds of them, of which most say little.
  json body = {{"what", to_wire(change.what)},
               {"action", to_wire(change.action)},
               {"name", to_wire(change.name)}};
  const auto say = [&body](const char* key, const std::string& value) {
    if (!value.empty()) body[key] = to_wire(value);
  };
  say("before", change.before);
  say("after", change.after);
  say("detail", change.detail);
  say("rollback_loses", change.rollback_loses);
  if (change.disk_bytes != 0) body["disk_bytes"] = change.disk_bytes;
  return body;
}
PlannedChange read_change(const json& body) {
  PlannedChange change;
  change.what = text(body, "what");
  change.action = text(body, "action");
  change.name = text(body, "name");
  const auto said = [&body](const char* key) {
    return body.contains(key) ? text(body, key) : std::string();
  };
  change.before = said("before");
  change.after = said("after");
  change.detail = said("detail");
  change.rollback_loses = said("rollback_loses");
  if (body.contains("disk_bytes")) change.disk_bytes = integer<std::int64_t>(body, "disk_bytes");
  return change;
}

json output_body(const Output& output) {
  return {{"name", to_wire(output.name)},
          {"value", to_wire(output.value)},
          {"secret", output.secret},
          {"promote", output.promote},
          {"planned", output.planned}};
}
Output read_output(const json& body) {
  return {text(body, "name"), text(body, "value"), flag(body, "secret"), flag(body, "promote"),
          flag(body, "planned")};
}

json artifact_body(const Artifact& artifact) {
  return {{"name", to_wire(artifact.name)},
          {"path", to_wire(artifact.path)},
          {"description", to_wire(artifact.description)}};
}
Artifact read_artifact(const json& body) {
  return {text(body, "name"), text(body, "path"), text(body, "description")};
}

json log_body(const LogLine& line) {
  return {{"level", level_names[static_cast<std::size_t>(line.level)]},
          {"text", to_wire(line.text)}};
}
LogLine read_log(const json& body) {
  return {static_cast<LogLevel>(index_of(level_names, member(body, "level"))), text(body, "text")};
}

json progress_body(const Progress& progress) {
  return {{"done", progress.done}, {"total", progress.total}, {"unit", to_wire(progress.unit)}};
}
Progress read_progress(const json& body) {
  return {integer<std::uint64_t>(body, "done"), integer<std::uint64_t>(body, "total"),
          text(body, "unit")};
}

json done_body(const StepDone& done) {
  return {{"step", name_of(done.step)},
          {"status", status_names[static_cast<std::size_t>(done.done.status)]},
          {"reason", to_wire(done.done.reason)}};
}
StepDone read_done(const json& body) {
  return {
      read_step(member(body, "step")),
      {static_cast<Status>(index_of(status_names, member(body, "status"))), text(body, "reason")}};
}

json description_body(const PluginDescription& plugin) {
  json stages = json::array();
  for (const StageDescription& stage : plugin.stages) {
    json steps = json::object();
    for (const auto& [step, only_with] : stage.steps) {
      steps[std::string(name_of(step))] = to_wire(only_with);
    }
    stages.push_back({{"name", to_wire(stage.name)},
                      {"summary", to_wire(stage.summary)},
                      {"schema", to_wire(stage.schema.text())},
                      {"notes_version", stage.notes_version},
                      {"steps", std::move(steps)}});
  }
  return {{"id", to_wire(plugin.id)},
          {"version", to_wire(plugin.version)},
          {"abi_major", plugin.abi_major},
          {"abi_minor", plugin.abi_minor},
          {"stages", std::move(stages)}};
}

PluginDescription read_description(const json& body) {
  PluginDescription plugin;
  plugin.id = text(body, "id");
  plugin.version = text(body, "version");
  plugin.abi_major = integer<int>(body, "abi_major");
  plugin.abi_minor = integer<int>(body, "abi_minor");
  for (const json& each : member(body, "stages")) {
    StageDescription stage;
    stage.name = text(each, "name");
    stage.summary = text(each, "summary");
    stage.schema = OptionsSchema(text(each, "schema"));
    stage.notes_version = integer<std::uint32_t>(each, "notes_version");
    for (const auto& [step, only_with] : member(each, "steps").items()) {
      stage.steps[read_step(step)] = from_wire(only_with);
    }
    plugin.stages.push_back(std::move(stage));
  }
  return plugin;
}

json inspection_body(const PluginInspection& inspection) {
  return {{"loading_us", inspection.loading.count()},
          {"exports", to_wire(inspection.exports)},
          {"stable", inspection.stable},
          {"said", description_body(inspection.said)}};
}

PluginInspection read_inspection(const json& body) {
  PluginInspection inspection;
  inspection.loading = std::chrono::microseconds(integer<std::int64_t>(body, "loading_us"));
  inspection.exports = text(body, "exports");
  inspection.stable = flag(body, "stable");
  inspection.said = read_description(member(body, "said"));
  return inspection;
}

Step read_step(const json& body) {
  if (body.is_string()) {
    if (const auto step = step_named(body.get_ref<const std::string&>())) return *step;
  }
  throw WireError("sent a step that is not known");
}

}  // namespace drydock
