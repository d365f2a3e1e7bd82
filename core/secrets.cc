#include "secrets.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "error.h"
#include "files.h"
#include "text.h"

namespace drydock {
namespace {

constexpr std::size_t largest_secret = 64 << 10;  // bytes

constexpr std::array<std::string_view, 4> kind_names = {"env", "file", "command", "dotenv"};

void strip_line_end(std::string& value) {
  if (!value.empty() && value.back() == '\n') value.pop_back();
  if (!value.empty() && value.back() == '\r') value.pop_back();
}

}  // namespace

// Measured on Dify's 721 variables: what ends in one of these is a secret, and what only has such a
// word in it (TOKEN_EXPIRE_MINUTES, KEY_PREFIX, MAX_TOKENS, PASSWORD_FILE) is not.
bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 19> words = {
      "password",    "passwd",  "pwd",          "pass",
      "passphrase",  "secret",  "token",        "credential",
      "credentials", "key",     "key_id",       "access_key_secret",
      "secret_id",   "dsn",     "allowed_keys", "connection_string",
      "json_base64", "webhook", "salt"};
  const auto folded = [](char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' || c == '.' ? '_' : c;
  };
  const auto ends_with = [&](std::string_view word) {
    return name.size() >= word.size() &&
           std::equal(word.rbegin(), word.rend(), name.rbegin(),
                      [&](char theirs, char ours) { return theirs == folded(ours); });
  };
  return std::any_of(words.begin(), words.end(), [&](std::string_view word) {
    if (!ends_with(word)) return false;
    // A whole word: MONKEY is none. PGPASSWORD, APIKEY and the like are written together.
    const bool whole =
        name.size() == word.size() || folded(name[name.size() - word.size() - 1]) == '_';
    return whole || word == "password" || word == "passwd" || word == "secret" ||
           ends_with("apikey");
  });
}

SecretStore::SecretStore(std::map<std::string, SecretSource> sources, SharedVariables dotenv,
                         Masker& masker)
    : sources_(std::move(sources)), dotenv_(std::move(dotenv)), masker_(masker) {}

void SecretStore::give(const std::string& name, const std::string& value) {
  if (sources_.count(name) == 0) {
    std::vector<std::string> names;
    for (const auto& [declared, source] : sources_) names.push_back(declared);
    throw Error("--stdin: found the secret '" + name +
                "', which the pipeline does not declare, allowed: " +
                (names.empty() ? "none" : join(names, ", ")) + did_you_mean(name, names));
  }
  masker_.add(name, value);
  read_[name] = value;
}

std::optional<std::string> SecretStore::get(const std::string& name) {
  if (const auto known = read_.find(name); known != read_.end()) return known->second;
  const auto source = sources_.find(name);
  if (source == sources_.end()) {
    throw Error("The secret '" + name + "' is not declared; add it to 'secrets:' of the pipeline.");
  }
  return accept(name, read_secret(name, source->second).value_or(""));
}

void SecretStore::take(const std::string& name, CapturedCommand command) {
  accept(name, printed_by(name, std::move(command)));
}

std::optional<std::string> SecretStore::accept(const std::string& name, const std::string& value) {
  const auto source = sources_.find(name);
  if (value.empty() && !source->second.optional) {
    throw Error("The secret '" + name + "' has no value: " + where_from(source->second) +
                " is not set or empty; set it, or declare the secret 'optional: true'.");
  }
  if (value.empty()) return read_[name] = std::nullopt;
  if (value.size() > largest_secret) {
    throw Error("The secret '" + name + "' is larger than 64 KiB; is it the right source?");
  }
  masker_.add(name, value);
  // Where it came from is the name that programs print it under.
  const SecretSource::Kind kind = source->second.kind;
  if (kind == SecretSource::Kind::env || kind == SecretSource::Kind::dotenv) {
    masker_.add(source->second.value.front(), value);
  }
  return read_[name] = value;
}

std::string SecretStore::where_from(const SecretSource& source) {
  switch (source.kind) {
    case SecretSource::Kind::env:
      return "the environment variable " + source.value.front();
    case SecretSource::Kind::file:
      return "the file " + source.value.front();
    case SecretSource::Kind::command:
      return "what the command " + source.value.front() + " prints";
    case SecretSource::Kind::dotenv:
      break;
  }
  return "the key " + source.value.front() + " of the deployment's .env";
}

std::optional<std::string> SecretStore::read_secret(const std::string& name,
                                                    const SecretSource& source) const {
  switch (source.kind) {
    case SecretSource::Kind::env: {
      const char* value = std::getenv(source.value.front().c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    }
    case SecretSource::Kind::dotenv: {
      const auto found = dotenv_->find(source.value.front());
      return found == dotenv_->end() ? std::nullopt : std::optional(found->second);
    }
    case SecretSource::Kind::file: {
      const std::string& path = source.value.front();
      if (source.optional && !std::filesystem::exists(path)) return std::nullopt;
      try {
        std::string value = read_file(path, largest_secret);
        strip_line_end(value);
        return value;
      } catch (const Error& error) {
        throw Error("The secret '" + name + "' cannot be read: " + error.what());
      }
    }
    case SecretSource::Kind::command:
      break;
  }
  return printed_by(name, capture_command(request_of(source)));
}

std::string SecretStore::printed_by(const std::string& name, CapturedCommand command) const {
  if (!command.ok()) {
    throw Error("The secret '" + name + "' cannot be had: the command " +
                sources_.at(name).value.front() + " failed (" +
                masker_.mask(make_visible(command.describe())) + "); try it by hand.");
  }
  strip_line_end(command.out);
  return std::move(command.out);
}

CaptureRequest request_of(const SecretSource& source) {
  CaptureRequest request;
  request.arguments = source.value;
  request.limit = largest_secret + 2;
  return request;
}

nlohmann::json to_json(const std::map<std::string, SecretSource>& sources) {
  nlohmann::json result = nlohmann::json::object();
  for (const auto& [name, source] : sources) {
    result[name] = {{"kind", kind_names[static_cast<std::size_t>(source.kind)]},
                    {"value", source.value},
                    {"optional", source.optional}};
  }
  return result;
}

std::map<std::string, SecretSource> secret_sources_from_json(const nlohmann::json& json) {
  std::map<std::string, SecretSource> result;
  for (const auto& [name, member] : json.items()) {
    SecretSource source;
    const std::string kind = member.at("kind");
    const auto* const known = std::find(kind_names.begin(), kind_names.end(), kind);
    if (known == kind_names.end()) {
      throw Error("The journal has a secret '" + name + "' from '" + kind +
                  "', which this Drydock does not know; use the Drydock that wrote it.");
    }
    source.kind = static_cast<SecretSource::Kind>(known - kind_names.begin());
    source.value = member.at("value").get<std::vector<std::string>>();
    source.optional = member.at("optional");
    result[name] = std::move(source);
  }
  return result;
}

}  // namespace drydock
