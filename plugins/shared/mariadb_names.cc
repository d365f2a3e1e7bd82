#include <algorithm>
#include <cctype>
#include <vector>

#include "mariadb_copy.h"

namespace drydock {
namespace {

// As much of SQL's words as tells names from texts and comments.
struct Word {
  enum class Kind { name, text, sign } kind;
  std::string text;

  bool is_dot() const { return kind == Kind::sign && text == "."; }
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_name(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '$';
}

// What is between the quotes at `at`, which then is behind them. Doubled quotes stand for one;
// backslashes escape in texts alone.
std::string unquoted(const std::string& sql, std::size_t& at) {
  const char quote = sql[at++];
  std::string text;
  for (; at < sql.size(); ++at) {
    if (sql[at] == '\\' && quote != '`' && at + 1 < sql.size()) {
      text += sql[++at];
    } else if (sql[at] != quote) {
      text += sql[at];
    } else if (at + 1 < sql.size() && sql[at + 1] == quote) {
      text += sql[++at];
    } else {
      ++at;
      break;
    }
  }
  return text;
}

// Behind a comment that begins at `at`; `at` itself where none does. What stands in /*! ... */ is
// carried out, so that only its marks are left out.
std::size_t behind_comment(const std::string& sql, std::size_t at) {
  const auto begins = [&](const char* mark) { return sql.compare(at, 2, mark) == 0; };
  const bool dashes = begins("--") && (at + 2 >= sql.size() ||
                                       std::isspace(static_cast<unsigned char>(sql[at + 2])) != 0);
  if (sql[at] == '#' || dashes) return std::min(sql.find('\n', at), sql.size());
  if (begins("*/")) return at + 2;
  if (!begins("/*")) return at;
  if (at + 2 < sql.size() && (sql[at + 2] == '!' || sql.compare(at + 2, 2, "M!") == 0)) {
    return std::min(sql.find_first_not_of("!M0123456789", at + 2), sql.size());
  }
  const std::size_t end = sql.find("*/", at + 2);
  return end == std::string::npos ? sql.size() : end + 2;
}

std::vector<Word> words_of(const std::string& sql) {
  std::vector<Word> words;
  for (std::size_t at = 0; at < sql.size();) {
    if (const std::size_t behind = behind_comment(sql, at); behind != at) {
      at = behind;
    } else if (std::isspace(static_cast<unsigned char>(sql[at])) != 0) {
      ++at;
    } else if (sql[at] == '\'') {
      words.push_back({Word::Kind::text, unquoted(sql, at)});
    } else if (sql[at] == '`' || sql[at] == '"') {  // the latter as ANSI has it
      words.push_back({Word::Kind::name, unquoted(sql, at)});
    } else if (is_name(sql[at])) {
      std::size_t end = at;
      while (end < sql.size() && is_name(sql[end])) ++end;
      words.push_back({Word::Kind::name, sql.substr(at, end - at)});
      at = end;
    } else {
      words.push_back({Word::Kind::sign, std::string(1, sql[at++])});
    }
  }
  return words;
}

}  // namespace

bool names_database(const std::string& sql, const std::string& database,
                    const std::set<std::string>* objects) {
  const std::vector<Word> words = words_of(sql);
  const std::string wanted = lower(database);
  const bool carries_out = std::any_of(words.begin(), words.end(), [](const Word& one) {
    const std::string text = one.kind == Word::Kind::name ? lower(one.text) : "";
    return text == "prepare" || text == "immediate";
  });
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind == Word::Kind::text) {
      if (carries_out && names_database(words[i].text, database, objects)) return true;
      continue;
    }
    if (words[i].kind != Word::Kind::name || lower(words[i].text) != wanted) continue;
    if (i > 0 && words[i - 1].is_dot()) continue;
    const bool ends = i + 1 == words.size() || words[i + 1].text == ";";
    if (i > 0 && ends && lower(words[i - 1].text) == "use") return true;
    if (i + 2 >= words.size() || !words[i + 1].is_dot()) continue;
    if (words[i + 2].kind != Word::Kind::name) continue;
    const bool three = i + 3 < words.size() && words[i + 3].is_dot();
    if (three || objects == nullptr || objects->count(lower(words[i + 2].text)) != 0) return true;
  }
  return false;
}

}  // namespace drydock
