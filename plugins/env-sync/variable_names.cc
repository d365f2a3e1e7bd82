#include "variable_names.h"

#include <algorithm>
#include <cctype>

namespace drydock::env_sync {
namespace {

const std::vector<std::string> secret_names = {
    "*PASSWORD*",   "*PASSWD*",       "*_PWD",       "*_PASS",        "*SECRET*",
    "*TOKEN",       "*CREDENTIAL*",   "KEY",         "*_KEY",         "*_KEY_ID",
    "*APIKEY*",     "*_ALLOWED_KEYS", "*_KEYS",      "*_DSN",         "*CONNECTION_STRING",
    "*JSON_BASE64", "*WEBHOOK*",      "*_SECRET_ID", "*PRIVATE_KEY*", "*PASSPHRASE*",
    "SALT",         "*_SALT"};
const std::vector<std::string> not_secret_names = {
    "*_KEY_PREFIX", "*_ENABLED", "*_PATH", "*_FILE",    "*_VERSION", "*_PROVIDER",
    "*_TYPE",       "*_METHOD",  "*_MODE", "*_TIMEOUT", "*_EXPIRE*", "*_MINUTES",
    "*_SECONDS",    "*_HOURS",   "*_DAYS", "*_LENGTH",  "*_SIZE"};

// fnmatch would ask the locale about each character, and every variable is asked about 40 globs.
bool matches(std::string_view glob, std::string_view name) {
  // What follows the last star stands at the end of the name, or nowhere.
  for (; !glob.empty() && glob.back() != '*'; glob.remove_suffix(1), name.remove_suffix(1)) {
    if (name.empty() || (glob.back() != '?' && glob.back() != name.back())) return false;
  }
  if (glob.size() > 2 && glob.front() == '*') {  // most of them are *WORD*
    const std::string_view word = glob.substr(1, glob.size() - 2);
    if (word.find('*') == word.npos && word.find('?') == word.npos) {
      return name.find(word) != name.npos;
    }
  }
  std::size_t star = glob.npos, after_star = 0, at = 0;
  for (std::size_t i = 0; i < name.size();) {
    if (at < glob.size() && glob[at] == '*') {
      star = at++;
      after_star = i;
    } else if (at < glob.size() && (glob[at] == '?' || glob[at] == name[i])) {
      ++at;
      ++i;
    } else if (star != glob.npos) {  // the star takes one more
      at = star + 1;
      i = ++after_star;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', at) == glob.npos;
}

bool has_password_in_url(std::string_view value) {
  const std::size_t scheme = value.find("://");
  return scheme != value.npos && value.find('@', scheme) != value.npos;
}

// As the globs above are written: db.password and db-password are names, too.
std::string folded(std::string_view name) {
  std::string result(name);
  for (char& c : result) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == '-' || c == '.') c = '_';
  }
  return result;
}

bool is_folded(std::string_view name) {
  return std::none_of(name.begin(), name.end(),
                      [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '.'; });
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
  return std::any_of(globs.begin(), globs.end(),
                     [name](const std::string& glob) { return matches(glob, name); });
}

bool is_secret_name(std::string_view name) {
  if (!is_folded(name)) return is_secret_name(folded(name));
  return matches_any(secret_names, name) && !matches_any(not_secret_names, name);
}

bool is_secret_value(std::string_view value) {
  return has_password_in_url(value) || looks_random(value) ||
         value.find(" PRIVATE KEY-----") != value.npos;
}

bool is_secret(std::string_view name, std::string_view value) {
  return is_secret_value(value) || is_secret_name(name);
}

std::string shown(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return is_secret(name, value) ? "(secret)" : std::string(value);
}

bool names_a_host(std::string_view name) {
  static const std::vector<std::string> names = {
      "*HOST",   "*HOSTS",   "*HOSTNAME", "*_URL",    "*_URI", "*_URLS",  "*ENDPOINT*",
      "*_ADDR*", "*_SERVER", "*_SERVERS", "*_BROKER", "*_DSN", "*_NODES", "*_SENTINELS"};
  return matches_any(names, name);
}

bool names_an_image(std::string_view name) {
  static const std::vector<std::string> names = {"*IMAGE*", "*_TAG", "*_VERSION"};
  return matches_any(names, name);
}

}  // namespace drydock::env_sync
