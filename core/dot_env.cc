#include "dot_env.h"

#include <filesystem>
#include <optional>
#include <string_view>

#include "env_file.h"
#include "error.h"
#include "files.h"
#include "secrets.h"
#include "spawn.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_dot_env = 4u << 20;

// "" is what an absent one evaluates like.
std::string content_of(const std::string& file) {
  return has_dot_env(file) ? read_file(file, largest_dot_env) : "";
}

// What Compose is started with: `.env` may refer to HOME.
EnvLookup environment_of_compose() {
  return [entries = scrubbed_environment()](std::string_view name) -> std::optional<std::string> {
    for (const std::string& entry : entries) {
      if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
        return entry.substr(name.size() + 1);
      }
    }
    return std::nullopt;
  };
}

Variables evaluated(const std::string& file, const std::string& content) {
  Variables result;
  const EnvValues values = evaluate(EnvFile::parse(content), {}, environment_of_compose());
  if (values.error()) {
    throw Error(file + " cannot be read as Docker Compose reads it: " + values.error()->explain() +
                "; mend that line");
  }
  for (std::string_view key : values.keys()) {
    if (const std::string_view* value = values.find(key)) result.emplace(key, *value);
  }
  return result;
}

}  // namespace

bool has_dot_env(const std::string& file) {
  std::error_code error;
  const fs::file_type found = fs::status(file, error).type();
  return found != fs::file_type::not_found && found != fs::file_type::directory;
}

Variables evaluate_dot_env(const std::string& file) { return evaluated(file, content_of(file)); }

SharedVariables DotEnv::read(const std::string& file) {
  std::string content = content_of(file);
  if (content == content_) return variables_;
  auto variables = std::make_shared<const Variables>(evaluated(file, content));
  masker_.add_env(*variables);
  content_ = std::move(content);
  variables_ = std::move(variables);
  return variables_;
}

}  // namespace drydock
