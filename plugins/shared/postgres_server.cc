#include "postgres_server.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "compose_answers.h"

namespace drydock {
namespace {

constexpr auto poll_interval = std::chrono::milliseconds(200);

std::string connection_value(const std::string& text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

// A database name as a connection string, so that a name with '=' or "://" stays a name.
std::string connection(const std::string& database, const std::string& session) {
  return "dbname=" + connection_value(database) +
         (session.empty() ? "" : " application_name=" + connection_value(session));
}

std::string doubled(const std::string& text, char quote) {
  std::string result(1, quote);
  for (char c : text) {
    if (c == quote) result += quote;
    result += c;
  }
  return result + quote;
}

}  // namespace

std::string quoted_identifier(const std::string& name) { return doubled(name, '"'); }
std::string quoted_literal(const std::string& text) {
  // E'' reads backslashes the same way whatever standard_conforming_strings says.
  const bool plain = text.find('\\') == std::string::npos;
  return plain ? doubled(text, '\'')
               : " E" + doubled(std::regex_replace(text, std::regex(R"(\\)"), R"(\\)"), '\'');
}

Process server_command(const PostgresServer& server, const std::string& tool,
                       std::vector<std::string> arguments) {
  Process process;
  process.arguments = server.reach;
  process.arguments.push_back(tool);
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  process.environment = server.environment;
  return process;
}

Process postgres_client(const PostgresServer& server, const std::string& tool,
                        const std::string& database, std::vector<std::string> arguments,
                        const std::string& session) {
  arguments.insert(arguments.begin(), {"--username", server.user, "--no-password", "--dbname",
                                       connection(database, session)});
  return server_command(server, tool, std::move(arguments));
}

std::string client_error(const std::string& text) {
  static const std::regex prefix(R"((psql:<stdin>:\d+: |psql: |pg_\w+: )?(error: |ERROR:  )?)");
  std::string result;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (!line.empty()) {
      if (!result.empty()) result += "; ";
      result += std::regex_replace(line, prefix, "", std::regex_constants::format_first_only);
    }
    begin = end + 1;
  }
  return result.empty() ? "no message" : result;
}

std::vector<std::string> fields(const std::string& row) {
  std::vector<std::string> result(1);
  for (char c : row) {
    if (c == unit_separator)
      result.emplace_back();
    else
      result.back() += c;
  }
  return result;
}

namespace {

const std::string next = "drydock-next-query";

Process asking(const PostgresServer& server, const std::string& database,
               const std::vector<std::string>& sql) {
  Process process = postgres_client(
      server, "psql", database,
      {"--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set", "ON_ERROR_STOP=1",
       std::string("--field-separator=") + unit_separator, "--file", "-"});
  for (const std::string& one : sql) process.input += one + "\n\\echo " + next + "\n";
  return process;
}

// More time does not make a password right. (The client tells no SQLSTATE of a connection.)
bool refuses_user(const std::string& error) {
  return error.find("password authentication failed") != std::string::npos ||
         error.find("no password supplied") != std::string::npos;
}

void check(const Captured& captured, const PostgresServer& server, const std::string& database) {
  if (captured.exit.ok()) return;
  throw Failed("PostgreSQL of " + server.description + ", database " + database + ": " +
               (captured.err.empty() ? captured.exit.describe() : client_error(captured.err)));
}

}  // namespace

std::vector<Rows> query_all(const Call& call, const PostgresServer& server,
                            const std::string& database, const std::vector<std::string>& sql) {
  if (server.direct) {
    std::vector<Rows> answers;
    for (const std::string& one : sql) answers.push_back(server.direct(database, one));
    return answers;
  }
  const Captured captured = compose::capture_once(call, asking(server, database, sql));
  check(captured, server, database);
  std::vector<Rows> answers(1);
  std::istringstream lines(captured.out);
  for (std::string line; std::getline(lines, line);) {
    if (line == next)
      answers.emplace_back();
    else if (!line.empty())
      answers.back().push_back(std::move(line));
  }
  answers.resize(sql.size());
  return answers;
}

Rows query(const Call& call, const PostgresServer& server, const std::string& database,
           const std::string& sql) {
  return query_all(call, server, database, {sql}).front();
}

void execute(const Call& call, const PostgresServer& server, const std::string& database,
             const std::string& sql) {
  if (server.direct) {
    server.direct(database, sql);
    return;
  }
  check(call.capture(asking(server, database, {sql})), server, database);
}

DatabaseSizes wait_for_databases(const Call& call, const PostgresServer& server,
                                 std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  for (;;) {
    try {
      DatabaseSizes sizes;
      for (const std::string& row : query(call, server, "template1",
                                          "SELECT datname, pg_database_size(oid) FROM pg_database"
                                          " WHERE NOT datistemplate AND datallowconn;")) {
        const std::vector<std::string> column = fields(row);
        sizes[column.at(0)] = std::stoll(column.at(1));
      }
      return sizes;
    } catch (const Failed& e) {
      const bool refused = refuses_user(e.what());
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

std::vector<std::string> application_databases(const DatabaseSizes& sizes,
                                               const std::string& keep) {
  static const std::regex ours("_(failed|restore|rehearsal_[0-9a-f]{8})_[0-9]+(_[0-9]+)?$");
  std::vector<std::string> names;
  for (const auto& [name, bytes] : sizes) {
    if ((name != "postgres" || name == keep) && !std::regex_search(name, ours)) {
      names.push_back(name);
    }
  }
  return names;
}

bool database_exists(const Call& call, const PostgresServer& server, const std::string& database) {
  return !query(call, server, "template1",
                "SELECT 1 FROM pg_database WHERE datname = " + quoted_literal(database) + ";")
              .empty();
}

std::string maintenance_database(const std::string& other) {
  return other == "postgres" ? "template1" : "postgres";
}

}  // namespace drydock
