#include "mariadb_copy.h"

#include <algorithm>

#include "command_pipe.h"
#include "mariadb_content.h"
#include "mariadb_facts.h"

namespace drydock {
namespace {

// How long a statement waits for what other sessions hold; the server's own limit is a day.
const std::string impatient = "SET SESSION lock_wait_timeout = 60;\n";

// Ends the sessions that use the database: what they hold would keep it from being dropped.
void end_sessions(const Call& call, const MariadbServer& server, const std::string& database) {
  std::string kill;
  for (const MariadbRow& session : query(call, server, "", "SHOW FULL PROCESSLIST")) {
    if (session.size() > 3 && session[3] == database) kill += "KILL " + session[0] + ";\n";
  }
  if (kill.empty()) return;
  Process process = mariadb_command(server, server.client(), {"--batch", "--force"});
  process.input = kill;
  call.capture(std::move(process));  // one that ended by itself meanwhile is an error, and fine
}

// Columns: who, as SQL names them; what; whether they may hand it on.
MariadbRows privileges(const Call& call, const MariadbServer& server, const std::string& database) {
  return query(call, server, "",
               "SELECT grantee, privilege_type, is_grantable"
               " FROM information_schema.schema_privileges WHERE table_schema IN (" +
                   mariadb_literal(database) + ", " + mariadb_literal(grant_name(database)) + ")");
}

void copy_privileges(const Call& call, const MariadbServer& server, const std::string& from,
                     const std::string& to) {
  const std::string on = " ON " + mariadb_identifier(grant_name(to)) + ".* TO ";
  std::string grants;
  for (const MariadbRow& row : privileges(call, server, from)) {
    if (row.at(1) == "USAGE") continue;
    grants += "GRANT " + row.at(1) + on + row.at(0) +
              (row.at(2) == "YES" ? " WITH GRANT OPTION;\n" : ";\n");
  }
  if (!grants.empty()) execute(call, server, "", grants + "DO 0");
}

void take_back_privileges(const Call& call, const MariadbServer& server,
                          const std::string& database) {
  const std::string on = " ON " + mariadb_identifier(grant_name(database)) + ".* FROM ";
  std::string revokes, last;
  for (const MariadbRow& row : query(call, server, "",
                                     "SELECT DISTINCT grantee, is_grantable"
                                     " FROM information_schema.schema_privileges"
                                     " WHERE table_schema = " +
                                         mariadb_literal(grant_name(database)))) {
    if (row.at(1) == "YES") revokes += "REVOKE GRANT OPTION" + on + row.at(0) + ";\n";
    if (row.at(0) != last) revokes += "REVOKE ALL PRIVILEGES" + on + row.at(0) + ";\n";
    last = row.at(0);
  }
  if (!revokes.empty()) execute(call, server, "", revokes + "DO 0");
}

void refuse_what_acts_on(const Call& call, const MariadbServer& server, const std::string& from,
                         const std::string& to) {
  const std::set<std::string> objects = object_names(call, server, to);
  const std::string in = " = " + mariadb_literal(to);
  for (const MariadbRow& row :
       query(call, server, "",
             "SELECT 'trigger', trigger_name, action_statement FROM information_schema.triggers"
             " WHERE trigger_schema" +
                 in +
                 " UNION ALL SELECT lower(routine_type), routine_name, routine_definition"
                 " FROM information_schema.routines WHERE routine_schema" +
                 in)) {
    if (!names_database(row.at(2), from, &objects)) continue;
    throw Failed("the " + row.at(0) + " " + row.at(1) + " of database " + from +
                 " names that database itself, so that what is done in a copy could change it; "
                 "leave the name out of the " +
                 row.at(0));
  }
}

}  // namespace

std::string grant_name(const std::string& database) {
  std::string name;
  for (const char c : database) {
    if (c == '_' || c == '%' || c == '\\') name += '\\';
    name += c;
  }
  return name;
}

std::set<std::string> object_names(const Call& call, const MariadbServer& server,
                                   const std::string& database) {
  const std::string in = " = " + mariadb_literal(database);
  std::set<std::string> names;
  for (const MariadbRow& row :
       query(call, server, "",
             "SELECT LOWER(table_name) FROM information_schema.tables WHERE table_schema" + in +
                 " UNION SELECT LOWER(routine_name) FROM information_schema.routines"
                 " WHERE routine_schema" +
                 in)) {
    names.insert(row.at(0));
  }
  return names;
}

void create_database(const Call& call, const MariadbServer& server, const std::string& database,
                     const std::string& create_with) {
  execute(call, server, "", "CREATE DATABASE " + mariadb_identifier(database) + " " + create_with);
}

void drop_database(const Call& call, const MariadbServer& server, const std::string& database) {
  end_sessions(call, server, database);
  // Keys of other databases that refer to a table here would leave it, and all that follows,
  // behind.
  execute(call, server, "",
          impatient + "SET SESSION foreign_key_checks = 0;\nDROP DATABASE IF EXISTS " +
              mariadb_identifier(database));
}

void end_dump(const Call& call, const MariadbServer& server, const std::string& session) {
  for (const MariadbRow& row :
       query(call, server, "",
             "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID()"
             " AND LOCATE(" +
                 mariadb_literal("/* " + session + " */") + ", info) > 0")) {
    execute(call, server, "", "KILL " + row.at(0));
  }
}

void drop_copy(const Call& call, const MariadbServer& server, const std::string& copy) {
  drop_database(call, server, copy);
  take_back_privileges(call, server, copy);
}

std::map<std::string, std::uint64_t> copy_database(const Call& call, const MariadbServer& server,
                                                   const std::string& from, const std::string& to,
                                                   const std::string& session) {
  create_database(call, server, to, mariadb_tables(call, server, from).create_with);
  copy_privileges(call, server, from, to);
  std::vector<std::string> arguments = dump_options(server);
  std::replace(arguments.begin(), arguments.end(), std::string("--events"),
               std::string("--skip-events"));
  arguments.insert(arguments.end(),
                   {"--single-transaction", "--where=1 /* " + session + " */", from});
  MariadbDumpReader reader(MariadbDumpReader::Rows::count);
  const Piped copied =
      pipe_commands(call, mariadb_command(server, server.dumper(), std::move(arguments)),
                    mariadb_command(server, server.client(),
                                    {"--batch", "--binary-mode", "--max-allowed-packet=1G",
                                     "--default-character-set=utf8mb4", "--database=" + to}),
                    [&](std::string_view bytes) { reader.feed(bytes); });
  const DumpContent content = reader.finish();
  // A dump that fails takes the restore along; whose end comes first has failed by itself.
  if (!copied.broken && (!copied.from.exit.ok() || !reader.completed())) {
    throw Failed("the dump of database " + from + " of " + server.description + " failed: " +
                 (!copied.from.errors.empty() ? mariadb_error(copied.from.errors)
                  : copied.from.exit.ok()     ? "it ends early, without \"-- Dump completed\""
                                              : copied.from.exit.describe()));
  }
  if (copied.broken || !copied.into.ok()) {
    throw Failed(
        "restoring the dump of database " + from + " into database " + to + " of " +
        server.description + " failed: " +
        (copied.into_said.empty() ? copied.into.describe() : mariadb_error(copied.into_said)));
  }
  refuse_what_acts_on(call, server, from, to);
  return content.rows;
}

}  // namespace drydock
