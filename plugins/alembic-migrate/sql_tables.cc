#include <cctype>
#include <regex>

#include "revision_tables.h"

namespace drydock::alembic {
namespace {

// NAME, "name", `name`, each with a schema before it or not.
const std::string sql_name = R"(((?:["`]?[A-Za-z_][\w$]*["`]?\s*\.\s*)?["`]?[A-Za-z_][\w$]*["`]?))";

std::string without_quotes(const std::string& name) {
  std::string result;
  bool quoted = false;
  for (const char c : name) {
    if (c == '"' || c == '`') quoted = true;
  }
  for (const char c : name) {
    if (c == '"' || c == '`' || std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    // As PostgreSQL reads what is not quoted; MariaDB is asked without regard of case.
    result += quoted ? c : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return result;
}

struct SqlForm {
  std::regex pattern;
  void (*change)(TableChange&, const std::string& rest);
};

bool holds(const std::string& text, const char* pattern) {
  return std::regex_search(text, std::regex(pattern, std::regex::icase));
}

void altered(TableChange& change, const std::string& rest) {
  change.altered = change.by_alter_table = true;
  change.retyped = change.retyped || holds(rest, R"(\b(SET\s+DATA\s+TYPE|TYPE|MODIFY|CHANGE)\b)");
  change.checked = change.checked || holds(rest, R"(\b(SET\s+NOT\s+NULL|FOREIGN\s+KEY|CHECK)\b)");
  change.indexed = change.indexed || holds(rest, R"(\bADD\b[^,]*\b(UNIQUE|PRIMARY\s+KEY|INDEX)\b)");
}

const std::vector<SqlForm>& forms() {
  const auto form = [](const std::string& begin, void (*change)(TableChange&, const std::string&)) {
    return SqlForm{std::regex("^\\s*" + begin + sql_name, std::regex::icase), change};
  };
  static const std::vector<SqlForm> all = {
      form(R"(ALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?)", altered),
      form(R"(CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?)",
           [](TableChange& change, const std::string&) { change.created = true; }),
      form(R"(DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?)",
           [](TableChange& change, const std::string&) { change.dropped = change.altered = true; }),
      form(
          R"(CREATE\s+(?:UNIQUE\s+)?INDEX\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:["`]?[\w$.]+["`]?\s+)?ON\s+(?:ONLY\s+)?)",
          [](TableChange& change, const std::string&) {
            change.indexed = change.altered = change.by_index = true;
          }),
      form(
          R"(CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?:["`]?[\w$.]+["`]?\s+)?ON\s+(?:ONLY\s+)?)",
          [](TableChange& change, const std::string&) { change.altered = true; }),
      form(
          R"((?:UPDATE|INSERT\s+INTO|DELETE\s+FROM|TRUNCATE(?:\s+TABLE)?|LOCK\s+TABLE|COMMENT\s+ON\s+TABLE)\s+(?:ONLY\s+)?)",
          [](TableChange&, const std::string&) {})};
  return all;
}

// One statement; false: nothing is known of it.
bool add_statement(const std::string& statement, RevisionTables& found) {
  std::smatch match;
  for (const SqlForm& one : forms()) {
    if (!std::regex_search(statement, match, one.pattern)) continue;
    one.change(found.tables[without_quotes(match[1])], match.suffix());
    return true;
  }
  return holds(statement, R"(^\s*(SET|CREATE\s+(TYPE|EXTENSION|SEQUENCE))\b)");
}

}  // namespace

void add_sql_tables(const std::string& sql, RevisionTables& found) {
  std::string statement;
  bool text = false;  // within '...'
  const auto end = [&] {
    if (statement.find_first_not_of(" \t\r\n") != std::string::npos &&
        !add_statement(statement, found)) {
      found.more = true;
    }
    statement.clear();
  };
  for (const char c : sql) {
    if (c == '\'') text = !text;
    if (c == ';' && !text) {
      end();
    } else {
      statement += c;
    }
  }
  end();
}

}  // namespace drydock::alembic
