#include "variable_names.h"

#include <fnmatch.h>

#include <algorithm>
#include <cctype>

namespace drydock::env_sync {
namespace {

const std::vector<std::string> secret_names = {
    "*PASSWORD*",   "*PASSWD*",       "*_PWD",       "*_PASS",       "*SECRET*",
    "*TOKEN",       "*CREDENTIALS*",  "KEY",         "*_KEY",        "*_KEY_ID",
    "*APIKEY*",     "*_ALLOWED_KEYS", "*_KEYS",      "*_DSN",        "*CONNECTION_STRING",
    "*JSON_BASE64", "*WEBHOOK*",      "*_SECRET_ID", "*PRIVATE_KEY*"};
const std::vector<std::string> not_secret_names = {
    "*_KEY_PREFIX", "*_ENABLED", "*_PATH", "*_FILE",    "*_VERSION", "*_PROVIDER",
    "*_TYPE",       "*_METHOD",  "*_MODE", "*_TIMEOUT", "*_EXPIRE*", "*_MINUTES",
    "*_SECONDS",    "*_HOURS",   "*_DAYS", "*_LENGTH",  "*_SIZE"};

bool has_password_in_url(std::string_view value) {
  const std::size_t scheme = value.find("://");
  return scheme != value.npos && value.find('@', scheme) != value.npos;
}

// Nobody writes 24 letters and digits without a separator by hand.
bool looks_random(std::string_view value) {
  if (value.size() < 24) return false;
  bool digit = false, letter = false;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) == 0 && c != '+' && c != '/' && c != '=') return false;
    digit = digit || std::isdigit(byte) != 0;
    letter = letter || std::isalpha(byte) != 0;
  }
  return digit && letter && value[0] != '/';
}

}  // namespace

bool matches_any(const std::vector<std::string>& globs, std::string_view name) {
  const std::string text(name);
  return std::any_of(globs.begin(), globs.end(), [&text](const std::string& glob) {
    return ::fnmatch(glob.c_str(), text.c_str(), 0) == 0;
  });
}

bool is_secret(std::string_view name, std::string_view value) {
  if (has_password_in_url(value) || looks_random(value)) return true;
  return matches_any(secret_names, name) && !matches_any(not_secret_names, name);
}

std::string shown(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return is_secret(name, value) ? "(secret)" : std::string(value);
}

std::vector<std::string> default_sticky() {
  return {"SECRET_KEY",
          "*_PASSWORD",
          "*_USERNAME",
          "DB_*",
          "*_DATABASE",
          "PGDATA",
          "*_VOLUME",
          "*_PATH",
          "*_ROOT",
          "STORAGE_TYPE",
          "OPENDAL_*",
          "VECTOR_STORE",
          "VECTOR_INDEX_NAME_PREFIX",
          "REDIS_KEY_PREFIX",
          "EXPOSE_*PORT",
          "COMPOSE_PROJECT_NAME"};
}

std::vector<std::vector<std::string>> default_linked() {
  return {{"COMPOSE_PROFILES", "ENABLE_COLLABORATION_MODE"},
          {"DB_HOST", "DB_TYPE", "COMPOSE_PROFILES"},
          {"VECTOR_STORE", "COMPOSE_PROFILES"},
          {"REDIS_PASSWORD", "CELERY_BROKER_URL"},
          {"SANDBOX_API_KEY", "CODE_EXECUTION_API_KEY"},
          {"WEAVIATE_API_KEY", "WEAVIATE_AUTHENTICATION_APIKEY_ALLOWED_KEYS"}};
}

bool names_a_host(std::string_view name) {
  static const std::vector<std::string> names = {
      "*HOST",   "*HOSTS",   "*HOSTNAME", "*_URL",    "*_URI", "*_URLS",  "*ENDPOINT*",
      "*_ADDR*", "*_SERVER", "*_SERVERS", "*_BROKER", "*_DSN", "*_NODES", "*_SENTINELS"};
  return matches_any(names, name);
}

}  // namespace drydock::env_sync
