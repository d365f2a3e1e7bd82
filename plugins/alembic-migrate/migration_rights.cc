#include "migration_rights.h"

#include <algorithm>
#include <set>

#include "lock_timeout.h"
#include "mariadb_grants.h"
#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

struct Needs {
  std::set<std::string> altered;  // tables that others have made
  bool creates = false;
  std::set<std::string> privileges;  // of MariaDB
};

Needs needs_of(const PendingTables& pending) {
  Needs needs;
  std::set<std::string> made;
  for (const auto& revision : pending) {
    for (const auto& [table, change] : revision.second.tables) {
      if (change.created) made.insert(table);
      needs.creates = needs.creates || change.created;
      if (change.altered && made.count(table) == 0) needs.altered.insert(table);
      if (change.created) needs.privileges.insert("CREATE");
      if (change.by_alter_table) needs.privileges.insert("ALTER");
      if (change.by_index) needs.privileges.insert("INDEX");
      if (change.dropped) needs.privileges.insert("DROP");
    }
  }
  return needs;
}

std::string listed(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& one : names) text += (text.empty() ? "" : ", ") + one;
  return text;
}

bool wants_long_transactions(const Call& call) {
  const std::string option = call.text("/long_transactions");
  return !option.empty() && option != "ignore";
}

void say(const Call& call, bool certain, const std::string& what, const std::string& remedy) {
  if (certain && call.text("/rights") != "warn") throw Failed(what + "; " + remedy);
  const std::string doubt = certain ? "" : ", if that is as whom the application connects";
  call.warn(what + doubt + "; " + remedy);
}

// Where a name without a schema leads: that of Alembic's own table, which the migration makes there.
const std::string schema_of_migration =
    "(SELECT coalesce((SELECT min(schemaname) FROM pg_tables WHERE tablename = 'alembic_version'),"
    " 'public'))";

// As "table (of owner)": those that the role does not own, and neither does a role that it is in.
std::set<std::string> owned_by_others(const Call& call, const MigratedDatabase& database,
                                      const std::string& role, const Needs& needs) {
  std::string tables;
  for (const std::string& table : needs.altered) {
    const std::size_t dot = table.rfind('.');
    const std::string schema =
        dot == table.npos ? schema_of_migration : quoted_literal(table.substr(0, dot));
    tables += (tables.empty() ? "(" : ", (") + schema + ", " +
              quoted_literal(dot == table.npos ? table : table.substr(dot + 1)) + ")";
  }
  std::set<std::string> found;
  if (tables.empty()) return found;
  for (const std::string& row :
       query(call, database.server, database.name,
             "SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n"
             " ON n.oid = c.relnamespace JOIN pg_roles r ON r.rolname = " +
                 quoted_literal(role) +
                 " WHERE c.relkind IN ('r', 'p') AND (n.nspname, c.relname) IN (" +
                 tables + ") AND NOT pg_has_role(r.oid, c.relowner, 'USAGE');")) {
    const std::vector<std::string> field = fields(row);
    if (field.size() == 2) found.insert(field[0] + " (of " + field[1] + ")");
  }
  return found;
}

void check_on_postgres(const Call& call, const MigratedDatabase& database, const Needs& needs) {
  const std::string role = application_role(call, database);
  const bool certain = database.direct || !call.text("/database/role").empty();
  const std::string in = " in database " + database.name + " of " + database.place();
  const std::set<std::string> foreign = owned_by_others(call, database, role, needs);
  if (!foreign.empty()) {
    say(call, certain,
        "role " + role + " may not change the tables " + listed(foreign) +
            " that pending revisions change" + in,
        "let it own them (ALTER TABLE ... OWNER TO), or name the role that migrates with "
        "`database`, `role`");
  }
  // In the schema in which Alembic's table is, or will be.
  const Rows rows = query(
      call, database.server, database.name,
      "SELECT s.name, has_schema_privilege(r.oid, s.name, 'CREATE'),"
      " pg_has_role(current_user, r.oid, 'USAGE')"
      " OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE'),"
      " pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') FROM pg_roles r, (SELECT " +
          schema_of_migration +
          " AS name) s WHERE to_regnamespace(quote_ident(s.name)) IS NOT NULL"
      " AND r.rolname = " +
          quoted_literal(role) + ";");
  if (rows.empty()) return;
  const std::vector<std::string> field = fields(rows.front());
  if (field.size() != 4) return;
  if (needs.creates && field[1] == "f") {
    say(call, certain,
        "role " + role + " may not create the tables of pending revisions in schema " + field[0] +
            in,
        "GRANT CREATE ON SCHEMA " + quoted_identifier(field[0]) + " TO " + quoted_identifier(role));
  }
  const std::string user = "user " + database.server.user;
  if (field[2] == "f") {
    call.warn(user + in + " may not end the sessions of role " + role +
              ", which an interrupted migrator would leave: grant it pg_signal_backend");
  }
  if (field[3] == "f" && wants_long_transactions(call)) {
    call.warn(user + in +
              " does not see whose transactions are open for long, unless they are its "
              "own: grant it pg_read_all_stats");
  }
}

// Of the user who asks; of others, only an administrator may know.
void check_on_mariadb(const Call& call, const MigratedDatabase& database, Needs needs) {
  if (!database.direct) return;
  std::vector<std::string> lines;
  for (const MariadbRow& row : query(call, *database.mariadb, "", "SHOW GRANTS")) {
    lines.push_back(row.at(0));
  }
  const auto granted = granted_privileges(lines, database.name);
  if (!granted || granted->count("ALL PRIVILEGES") != 0) return;
  needs.privileges.insert({"SELECT", "INSERT", "UPDATE", "DELETE"});  // of alembic_version
  std::set<std::string> missing;
  std::set_difference(needs.privileges.begin(), needs.privileges.end(), granted->begin(),
                      granted->end(), std::inserter(missing, missing.end()));
  if (missing.empty()) return;
  say(call, true,
      "user " + database.mariadb->user + " lacks what pending revisions need in database " +
          database.name + " of " + database.place() + ": " + listed(missing),
      "GRANT " + listed(missing) + " ON " + mariadb_identifier(database.name) + ".* TO it");
}

}  // namespace

void check_rights(const Call& call, const MigratedDatabase& database,
                  const PendingTables& pending) {
  if (!database.sqlite.empty() || pending.empty() || call.text("/rights") == "ignore") return;
  const Needs needs = needs_of(pending);
  if (database.mariadb) return check_on_mariadb(call, database, needs);
  check_on_postgres(call, database, needs);
}

}  // namespace drydock::alembic
