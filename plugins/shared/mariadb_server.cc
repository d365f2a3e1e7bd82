#include "mariadb_server.h"

#include <regex>
#include <sstream>

#include "compose_answers.h"
#include "wait.h"

namespace drydock {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(200);
const std::string next = "drydock-next-query";

// One line of --batch: fields between tabs, with \t \n \0 \\ where a field has such bytes.
MariadbRow fields_of(const std::string& line) {
  MariadbRow row(1);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\t') {
      row.emplace_back();
    } else if (line[i] == '\\' && i + 1 < line.size()) {
      const char escaped = line[++i];
      row.back() += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == '0' ? '\0' : escaped;
    } else {
      row.back() += line[i];
    }
  }
  return row;
}

Process session(const MariadbServer& server, const std::string& database,
                const std::vector<std::string>& sql) {
  std::vector<std::string> arguments = {"--batch", "--skip-column-names",
                                        "--default-character-set=utf8mb4"};
  if (!database.empty()) arguments.push_back("--database=" + database);
  Process process = mariadb_command(server, server.client(), arguments);
  for (const std::string& one : sql) process.input += one + ";\nSELECT '" + next + "';\n";
  return process;
}

void check(const Captured& captured, const MariadbServer& server, const std::string& database) {
  if (captured.exit.ok()) return;
  throw Failed(server.product() + " of " + server.description +
               (database.empty() ? "" : ", database " + database) + ": " +
               (captured.err.empty() ? captured.exit.describe() : mariadb_error(captured.err)));
}

}  // namespace

std::string mariadb_identifier(const std::string& name) {
  std::string result = "`";
  for (char c : name) result += c == '`' ? std::string("``") : std::string(1, c);
  return result + "`";
}

// In hexadecimal, which reads the same whatever the session's sql_mode says of backslashes.
std::string mariadb_literal(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  if (text.empty()) return "''";
  std::string result = "_utf8mb4 0x";
  for (char c : text) {
    result +=
        {digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
  }
  return result;
}

std::string mariadb_error(const std::string& text) {
  static const std::regex prefix(R"(^(mariadb|mysql)[a-z-]*: )");
  static const std::regex noise(R"(^((mariadb|mysql)[a-z-]*: )?(\[Warning\]|Deprecated|WARNING:))");
  std::string result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    // --------------  stands around the statement that failed, where the client is verbose.
    if (line.empty() || line.rfind("-----", 0) == 0 || std::regex_search(line, noise)) continue;
    result += (result.empty() ? "" : "; ") + std::regex_replace(line, prefix, "");
  }
  return result.empty() ? "no message" : result;
}

Process mariadb_command(const MariadbServer& server, const std::string& tool,
                        std::vector<std::string> arguments) {
  Process process;
  process.arguments = server.reach;
  process.arguments.push_back(tool);
  // The client takes this one in the first place only.
  if (!server.settings_file.empty()) {
    process.arguments.push_back("--defaults-extra-file=" + server.settings_file);
  }
  if (!server.user.empty()) process.arguments.push_back("--user=" + server.user);
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  process.environment = server.environment;
  return process;
}

std::vector<MariadbRows> query_all(const Call& call, const MariadbServer& server,
                                   const std::string& database,
                                   const std::vector<std::string>& sql) {
  if (server.direct) {
    std::vector<MariadbRows> answers;
    for (const std::string& one : sql) {
      answers.push_back(server.direct(database, one, MariadbServer::Result::rows));
    }
    return answers;
  }
  const Captured captured = compose::capture_once(call, session(server, database, sql));
  check(captured, server, database);
  std::vector<MariadbRows> answers(1);
  std::istringstream lines(captured.out);
  for (std::string line; std::getline(lines, line);) {
    if (line == next)
      answers.emplace_back();
    else
      answers.back().push_back(fields_of(line));
  }
  answers.resize(sql.size());
  return answers;
}

MariadbRows query(const Call& call, const MariadbServer& server, const std::string& database,
                  const std::string& sql) {
  return query_all(call, server, database, {sql}).front();
}

void execute(const Call& call, const MariadbServer& server, const std::string& database,
             const std::string& sql) {
  if (server.direct) {
    server.direct(database, sql, MariadbServer::Result::none);
    return;
  }
  check(call.capture(session(server, database, {sql})), server, database);
}

DatabaseSizes wait_for_databases(const Call& call, const MariadbServer& server,
                                 std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    try {
      DatabaseSizes sizes;
      for (const MariadbRow& row :
           query(call, server, "",
                 "SELECT s.schema_name, coalesce(sum(t.data_length + t.index_length), 0)"
                 " FROM information_schema.schemata s LEFT JOIN information_schema.tables t"
                 " ON t.table_schema = s.schema_name WHERE s.schema_name NOT IN"
                 " ('mysql', 'sys', 'information_schema', 'performance_schema')"
                 " GROUP BY s.schema_name")) {
        sizes[row.at(0)] = std::stoll(row.at(1));
      }
      return sizes;
    } catch (const Failed& e) {
      // More time does not make a password right (ER_ACCESS_DENIED_ERROR).
      const std::string said = e.what();
      const bool refused = said.find("ERROR 1045") != std::string::npos ||
                           said.find("Access denied for user") != std::string::npos;
      if (refused || std::chrono::steady_clock::now() >= until) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(patience).count();
        throw Failed(std::string(e.what()) +
                     (refused ? "; set `user` and `password` to who may read all of it"
                              : "; it does not accept connections as user " + server.user +
                                    " after " + std::to_string(seconds) +
                                    " s: look at its log, or give it more time with `wait`"));
      }
    }
    pause(call, poll_interval);
  }
}

bool database_exists(const Call& call, const MariadbServer& server, const std::string& database) {
  return !query(call, server, "",
                "SELECT 1 FROM information_schema.schemata WHERE BINARY schema_name = BINARY " +
                    mariadb_literal(database))
              .empty();
}

}  // namespace drydock
