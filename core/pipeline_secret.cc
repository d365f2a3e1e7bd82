#include "pipeline_secret.h"

#include <filesystem>

#include "yaml_reader.h"

namespace drydock {

SecretSource read_secret(const std::string& name, const YamlNode& node, const std::string& folder) {
  const std::string where = "the secret '" + name + "'";
  const MappingReader reader(node, where, {"env", "file", "command", "dotenv", "optional"});
  SecretSource source;
  source.place = node.place;
  int sources = 0;
  const auto source_is = [&](std::string_view key, SecretSource::Kind kind) -> const YamlNode* {
    const YamlNode* found = reader.find(key);
    if (found == nullptr) return nullptr;
    source.kind = kind;
    ++sources;
    return found;
  };
  if (const YamlNode* env = source_is("env", SecretSource::Kind::env)) {
    source.value = {read_text(*env, "'env:'")};
  }
  if (const YamlNode* file = source_is("file", SecretSource::Kind::file)) {
    // From the folder of the file that says so, and absolute: a rollback may run without that file.
    source.value = {
        (std::filesystem::path(folder) / read_text(*file, "'file:'")).lexically_normal().string()};
  }
  if (const YamlNode* command = source_is("command", SecretSource::Kind::command)) {
    source.value = read_texts(*command, "'command:'");
    if (source.value.empty()) {
      refuse(command->place, "an empty list", "'command:'", "a program and its arguments");
    }
  }
  if (const YamlNode* key = source_is("dotenv", SecretSource::Kind::dotenv)) {
    source.value = {read_text(*key, "'dotenv:'")};
  }
  if (sources != 1) {
    refuse(node.place, std::to_string(sources) + " sources", where,
           "exactly one of env, file, command, dotenv");
  }
  if (const YamlNode* optional = reader.find("optional")) {
    source.optional = read_boolean(*optional, "'optional:'");
  }
  return source;
}

}  // namespace drydock
