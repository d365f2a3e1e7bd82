#include "mariadb_grants.h"

#include <sstream>

namespace drydock::alembic {
namespace {

// As LIKE: % and _ stand for anything, unless a backslash is before them.
bool is_like(const std::string& name, std::size_t at, const std::string& pattern,
             std::size_t from) {
  for (; from < pattern.size(); ++from, ++at) {
    if (pattern[from] == '%') {
      for (std::size_t rest = at; rest <= name.size(); ++rest) {
        if (is_like(name, rest, pattern, from + 1)) return true;
      }
      return false;
    }
    if (at >= name.size()) return false;
    if (pattern[from] == '_') continue;
    if (pattern[from] == '\\' && from + 1 < pattern.size()) ++from;
    if (pattern[from] != name[at]) return false;
  }
  return at == name.size();
}

// The name between the quotes at `from`, doubled ones within; behind: the place after them. With
// the server's sql_mode ANSI_QUOTES they are double quotes.
std::string quoted_name(const std::string& text, std::size_t from, std::size_t& behind) {
  std::string name;
  const char quote = text[from];
  for (behind = from + 1; behind < text.size(); ++behind) {
    if (text[behind] == quote) {
      if (behind + 1 >= text.size() || text[behind + 1] != quote) break;
      ++behind;
    }
    name += text[behind];
  }
  ++behind;
  return name;
}

}  // namespace

std::optional<std::set<std::string>> granted_privileges(const std::vector<std::string>& lines,
                                                        const std::string& database) {
  std::set<std::string> privileges;
  for (const std::string& line : lines) {
    const std::size_t on = line.find(" ON ");
    if (line.rfind("GRANT ", 0) != 0 || on == std::string::npos) {
      if (line.rfind("SET DEFAULT ROLE", 0) == 0) continue;
      return std::nullopt;
    }
    const std::size_t object = on + 4;
    if (line.compare(object, 4, "*.* ") != 0) {
      if (line[object] != '`' && line[object] != '"') continue;  // PROXY and the like
      std::size_t behind = 0;
      const std::string pattern = quoted_name(line, object, behind);
      if (!is_like(database, 0, pattern, 0)) continue;
      if (line.compare(behind, 3, ".* ") != 0) return std::nullopt;
    }
    std::istringstream list(line.substr(6, on - 6));
    for (std::string one; std::getline(list, one, ',');) {
      const std::size_t begin = one.find_first_not_of(' ');
      if (begin != std::string::npos) privileges.insert(one.substr(begin));
    }
  }
  return privileges;
}

}  // namespace drydock::alembic
