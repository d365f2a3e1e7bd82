#include "pipeline_stage.h"

#include <map>
#include <utility>

#include "expression.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

const std::vector<std::string> stage_keys = {"id",    "name",       "uses",
                                             "with",  "when",       "timeout",
                                             "retry", "on_failure", "rollback_timeout",
                                             "exec",  "include",    "parallel",
                                             "limits"};

std::string read_stage_name(const YamlNode& node, const std::string& where) {
  std::string name = read_text(node, where);
  if (!is_stage_name(name)) {
    refuse(node.place, found_in(node), where,
           "lower-case letters, digits, '_' and '-', a letter first");
  }
  return name;
}

Retry read_retry(const YamlNode& node) {
  const MappingReader reader(node, "'retry:'", {"times", "delay"});
  Retry retry;
  retry.times =
      read_count(reader.require("times", "times: N, the further attempts"), "'times:'", 100);
  if (const YamlNode* delay = reader.find("delay")) {
    retry.delay = read_duration(*delay, "'delay:'");
  }
  return retry;
}

std::int64_t read_memory_limit(const YamlNode& node) {
  constexpr std::int64_t least = 32 << 20;  // a worker has 9 MiB when its step begins
  const MappingReader reader(node, "'limits:'", {"memory"});
  const YamlNode& memory = reader.require("memory", "memory: SIZE");
  const auto bytes = memory.kind == YamlNode::Kind::scalar ? parse_size(memory.text) : std::nullopt;
  if (!bytes || *bytes < least) {
    refuse(memory.place, found_in(memory), "'memory:'",
           "a size such as 512M or 1GiB, at least " + format_memory(least) +
               ", which a stage needs to start");
  }
  return *bytes;
}

void read_options(const MappingReader& reader, StageSpec& stage) {
  const YamlNode* with = reader.find("with");
  if (const YamlNode* command = reader.find("exec")) {  // - exec: [/bin/true]
    if (with != nullptr || reader.find("uses") != nullptr) {
      refuse(reader.place(), "'exec:' beside 'uses:' or 'with:'", "a stage",
             "'exec:' alone, which means uses: exec, with: {command: ...}");
    }
    stage.uses = "exec";
    stage.places[""] = command->place;
    stage.with["command"] = to_json(*command, stage.places, "/command");
    return;
  }
  stage.uses = read_stage_name(reader.require("uses", "uses: STAGE_TYPE"), "'uses:'");
  stage.places[""] = stage.place;
  if (with == nullptr || with->kind == YamlNode::Kind::null) return;
  if (with->kind != YamlNode::Kind::mapping) {
    refuse(with->place, found_in(*with), "'with:'", "a mapping of options");
  }
  stage.with = to_json(*with, stage.places);
}

}  // namespace

bool is_stage_name(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
}

StageSpec read_stage(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::scalar && is_stage_name(node.text)) {
    refuse(node.place, found_in(node), "a stage", "a mapping; write 'uses: " + node.text + "'");
  }
  const MappingReader reader(node, "a stage", stage_keys);
  StageSpec stage;
  stage.place = node.place;
  read_options(reader, stage);
  stage.id = stage.uses;
  if (const YamlNode* id = reader.find("id")) {
    stage.id = read_stage_name(*id, "'id:'");
    stage.id_place = id->place;
  }
  stage.name = stage.id;
  if (const YamlNode* name = reader.find("name")) stage.name = read_text(*name, "'name:'");
  if (const YamlNode* when = reader.find("when")) {
    stage.when_place = when->place;
    if (when->kind != YamlNode::Kind::scalar || when->text.empty()) {
      refuse(when->place, found_in(*when), "'when:'", "a condition such as vars.to != '1.0'");
    }
    stage.when = when->text;
    name_uses_in_condition(stage.when, stage.when_place);
  }
  if (const YamlNode* timeout = reader.find("timeout")) {
    stage.timeout = read_duration(*timeout, "'timeout:'");
  }
  if (const YamlNode* timeout = reader.find("rollback_timeout")) {
    stage.rollback_timeout = read_duration(*timeout, "'rollback_timeout:'");
  }
  if (const YamlNode* retry = reader.find("retry")) stage.retry = read_retry(*retry);
  if (const YamlNode* limits = reader.find("limits")) {
    stage.memory_limit = read_memory_limit(*limits);
  }
  if (const YamlNode* on_failure = reader.find("on_failure")) {
    if (read_text(*on_failure, "'on_failure:'") != "continue") {
      refuse(on_failure->place, found_in(*on_failure), "'on_failure:' of a stage",
             "continue; without the key a failure ends the run");
    }
    stage.continue_on_failure = true;
  }
  return stage;
}

StageSpec read_probe(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::mapping) {
    refuse(node.place, found_in(node), "'probe:'", "a mapping such as { url: URL, every: 100ms }");
  }
  StageSpec probe;
  probe.uses = probe_type;
  probe.id = probe.name = "probe";
  probe.place = probe.places[""] = node.place;
  probe.with = to_json(node, probe.places);
  return probe;
}

void check_stage_ids(const Pipeline& pipeline) {
  std::map<std::string, Place> written;
  for (const auto* list : {&pipeline.stages, &pipeline.finally}) {
    for (const StageSpec& stage : *list) {
      if (stage.id_place.line == 0) continue;
      const auto [first, is_new] = written.try_emplace(stage.id, stage.id_place);
      if (!is_new) {
        refuse(stage.id_place, "the id '" + stage.id + "' a second time", "the pipeline",
               "once; the first is at " + first->second.text());
      }
    }
  }
}

}  // namespace drydock
