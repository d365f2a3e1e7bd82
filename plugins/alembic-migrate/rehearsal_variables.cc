#include "rehearsal_variables.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

namespace drydock::alembic {
namespace {

// What applications call it whose images are configured by variables.
constexpr std::array<std::string_view, 8> usual_names = {
    "DB_DATABASE", "DB_NAME",    "DATABASE_NAME",  "DATABASE",
    "POSTGRES_DB", "PGDATABASE", "MYSQL_DATABASE", "MARIADB_DATABASE"};
constexpr std::array<std::string_view, 5> schemes = {"postgresql", "postgres", "mysql", "mariadb",
                                                     "sqlite"};

std::string decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escaped = text[i] == '%' && i + 2 < text.size() &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 1])) != 0 &&
                         std::isxdigit(static_cast<unsigned char>(text[i + 2])) != 0;
    if (!escaped) {
      result += text[i];
      continue;
    }
    result += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
    i += 2;
  }
  return result;
}

std::string encoded(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '_' || c == '-' || c == '.' || c == '~') {
      result += c;
    } else {
      result += {'%', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return result;
}

// "postgresql+psycopg2" is one of postgresql.
bool is_of_a_database(std::string_view scheme) {
  const std::string_view product = scheme.substr(0, scheme.find('+'));
  return std::find(schemes.begin(), schemes.end(), product) != schemes.end();
}

bool is_other_host(const CopyTarget& target, std::string_view host) {
  return std::find(target.other_hosts.begin(), target.other_hosts.end(), host) !=
         target.other_hosts.end();
}

// The text with the copy in place of the database in each URL that names it. nullopt: none does.
std::optional<std::string> with_urls_of_copy(const std::string& text, const CopyTarget& target) {
  constexpr std::string_view mark = "://", ends = " \t\n\r\"'<>,;`|";
  std::string result;
  bool found = false;
  std::size_t copied = 0;
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    std::size_t begin = at;
    while (begin > 0 && (std::isalnum(static_cast<unsigned char>(text[begin - 1])) != 0 ||
                         text[begin - 1] == '+')) {
      --begin;
    }
    if (!is_of_a_database(std::string_view(text).substr(begin, at - begin))) continue;
    const std::size_t authority = at + mark.size();
    const std::size_t end = std::min(text.find_first_of(ends, authority), text.size());
    const std::size_t query = std::min(text.find_first_of("?#", authority), end);
    const std::size_t slash = std::min(text.find('/', authority), query);
    // A server's URL has the name after the first slash, a file's after the last one.
    const std::size_t last = text.rfind('/', query == 0 ? 0 : query - 1);
    const std::size_t name = target.file ? (last < authority ? authority : last + 1) : slash + 1;
    if (slash == query || name > query) continue;
    if (decoded(std::string_view(text).substr(name, query - name)) != target.database) continue;
    std::string before = text.substr(copied, name - copied);
    if (!target.file) {
      const std::size_t user = text.rfind('@', slash);
      const std::size_t host = user == std::string::npos || user < authority ? authority : user + 1;
      const std::size_t port = std::min(text.find(':', host), slash);
      if (is_other_host(target, std::string_view(text).substr(host, port - host))) {
        before = text.substr(copied, host - copied) + target.host + text.substr(port, name - port);
      }
    }
    result += before + encoded(target.copy);
    copied = query;
    found = true;
  }
  if (!found) return std::nullopt;
  return result + text.substr(copied);
}

// The same of a libpq connection string, "host=db dbname=app".
std::optional<std::string> with_keywords_of_copy(const std::string& text,
                                                 const CopyTarget& target) {
  const std::string key = "dbname=";
  const std::size_t at = text.find(key);
  if (at == std::string::npos || target.file) return std::nullopt;
  if (at > 0 && text[at - 1] != ' ') return std::nullopt;
  const std::size_t name = at + key.size();
  const std::size_t end = std::min(text.find(' ', name), text.size());
  if (text.substr(name, end - name) != target.database) return std::nullopt;
  return text.substr(0, name) + target.copy + text.substr(end);
}

bool is_path_of(const std::string& text, const CopyTarget& target) {
  return target.file && text.find("://") == std::string::npos &&
         text.substr(text.rfind('/') + 1) == target.database;
}

std::optional<Variable> for_copy(const std::string& value, const CopyTarget& target) {
  if (is_path_of(value, target)) {
    return Variable{value.substr(0, value.rfind('/') + 1) + target.copy, false};
  }
  if (auto text = with_urls_of_copy(value, target)) return Variable{*text, true};
  if (auto text = with_keywords_of_copy(value, target)) return Variable{*text, true};
  return std::nullopt;
}

}  // namespace

Variables variables_for_copy(const std::map<std::string, std::string>& environment,
                             const CopyTarget& target) {
  Variables result;
  for (const std::string& name : target.named) {
    const auto found = environment.find(name);
    if (found == environment.end() || found->second.empty()) {
      result[name] = {target.unset, false};
    } else if (found->second == target.database) {
      result[name] = {target.copy, false};
    } else if (const auto other = for_copy(found->second, target)) {
      result[name] = *other;
    } else {
      throw Failed("the variable " + name + ", of which `rehearse` says that it names the database, "
                   "does not name " + target.database + ", so that it would not lead to a copy of "
                   "it; name those that do");
    }
  }
  for (const auto& [name, value] : environment) {
    const bool usual = name == target.usual || std::find(usual_names.begin(), usual_names.end(),
                                                         name) != usual_names.end();
    if (usual && value == target.database && !target.file) result[name] = {target.copy, false};
    if (const auto other = for_copy(value, target); other && result.count(name) == 0) {
      result[name] = *other;
    }
  }
  if (result.empty()) {
    throw Failed("nothing among the variables of the migrator names database " + target.database +
                 ", so that it cannot be sent to a copy; say which one does: rehearse: {variables: "
                 "[NAME]}");
  }
  for (const auto& [name, value] : environment) {
    if (is_other_host(target, value) && result.count(name) == 0) result[name] = {target.host, false};
  }
  return result;
}

std::string names_of(const Variables& variables) {
  std::string names;
  for (const auto& [name, variable] : variables) names += (names.empty() ? "" : ", ") + name;
  return names;
}

}  // namespace drydock::alembic
