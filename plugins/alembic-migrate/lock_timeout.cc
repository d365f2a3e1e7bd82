#include "lock_timeout.h"

#include "mariadb_lock_wait.h"

namespace drydock::alembic {
namespace {

constexpr auto setting_note = "lock_timeout";
const std::string parameter = "lock_timeout=";

// What a setting belongs to, and its value; "" where there was none.
struct RoleSetting {
  std::string database, role, value;
};

std::string statement(const RoleSetting& setting) {
  return "ALTER ROLE " + quoted_identifier(setting.role) + " IN DATABASE " +
         quoted_identifier(setting.database) +
         (setting.value.empty() ? " RESET lock_timeout;"
                                : " SET lock_timeout = " + quoted_literal(setting.value) + ";");
}

// Of the whole server: the database may not be there yet.
std::string current_value(const Call& call, const PostgresServer& server,
                          const RoleSetting& setting) {
  const Rows rows = query(
      call, server, "template1",
      "SELECT one FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase"
      " JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) one WHERE d.datname = " +
          quoted_literal(setting.database) + " AND r.rolname = " + quoted_literal(setting.role) +
          " AND one LIKE 'lock\\_timeout=%';");
  return rows.empty() ? "" : rows.front().substr(parameter.size());
}

RoleSetting current_setting(const Call& call, const MigratedDatabase& database) {
  RoleSetting setting{database.name, application_role(call, database), ""};
  setting.value = current_value(call, database.server, setting);
  return setting;
}

enum class Role { unknown, of_others, ours };

// Whose settings the user may change: AlterRoleSet() in PostgreSQL's user.c, where CREATEROLE is
// enough before 16.
Role standing(const Call& call, const PostgresServer& server, const std::string& role) {
  const Rows rows =
      query(call, server, "template1",
            "SELECT me.rolsuper OR me.oid = r.oid OR (me.rolcreaterole AND NOT r.rolsuper"
            " AND (current_setting('server_version_num')::int < 160000"
            " OR pg_has_role(me.oid, r.oid, 'MEMBER WITH ADMIN OPTION')))"
            " FROM pg_roles me, pg_roles r WHERE me.rolname = current_user AND r.rolname = " +
                quoted_literal(role) + ";");
  if (rows.empty()) return Role::unknown;
  return rows.front() == "f" ? Role::of_others : Role::ours;
}

void refuse(const Call& call, const MigratedDatabase& database, const std::string& role) {
  switch (standing(call, database.server, role)) {
    case Role::ours:
      return;
    case Role::unknown:
      throw Failed("there is no role " + role + " in PostgreSQL of " + database.place() +
                   ", whose lock_timeout the migration of database " + database.name +
                   " should have; name the role under which the application connects with "
                   "`database`, `role`");
    case Role::of_others:
      throw Failed(
          "user " + database.server.user + " of PostgreSQL of " + database.place() +
          " may not set the lock_timeout of role " + role +
          "; name a user who may (a superuser, or one with CREATEROLE and the role's ADMIN "
          "OPTION) with `database`, `user`, or set `lock_timeout: 0s`");
  }
}

// May be given twice, unlike most statements that change something: so an engine that is away for
// a moment does not fail a rollback.
void set(const Call& call, const MigratedDatabase& database, const RoleSetting& setting) {
  query(call, database.server, "template1", statement(setting));
}

std::optional<RoleSetting> noted(const Call& call) {
  const std::string text = call.recall(setting_note).value_or("");
  if (text.empty()) return std::nullopt;
  const std::vector<std::string> field = fields(text);
  return RoleSetting{field.at(0), field.at(1), field.at(2)};
}

}  // namespace

// Whoever owns alembic_version has migrated so far. (A role that cannot log in is a group, whose
// settings reach nobody.)
std::string application_role(const Call& call, const MigratedDatabase& database) {
  const std::string role = call.text("/database/role");
  if (!role.empty()) return role;
  try {
    const Rows owners =
        query(call, database.server, database.name,
              "SELECT tableowner FROM pg_tables JOIN pg_roles ON rolname = tableowner"
              " WHERE tablename = 'alembic_version' AND rolcanlogin ORDER BY 1 LIMIT 1;");
    return owners.empty() ? database.server.user : owners.front();
  } catch (const Failed&) {
    if (database_exists(call, database.server, database.name)) throw;
    return database.server.user;
  }
}

std::string lock_timeout_fact(const Call& call, const MigratedDatabase& database) {
  if (database.mariadb) return mariadb_lock_waits(call, database);
  const std::string value = current_setting(call, database).value;
  return value.empty() ? "none" : parameter + value;
}

bool limits_lock_waits(const Call& call, const MigratedDatabase& database) {
  return call.duration("/lock_timeout").count() != 0 && database.sqlite.empty();
}

void refuse_foreign_role(const Call& call, const MigratedDatabase& database) {
  if (!limits_lock_waits(call, database)) return;
  if (!database.mariadb) return refuse(call, database, application_role(call, database));
  const std::string why = why_no_lock_waits(call, database);
  if (why.empty()) return;
  call.warn(
      "a statement of the migration may wait for a lock, and everybody else behind it, for as "
      "long as the server has it (" +
      mariadb_lock_waits(call, database) + " s): `lock_timeout` cannot be set: " + why);
}

void limit_lock_waits(const Call& call, const MigratedDatabase& database) {
  if (!limits_lock_waits(call, database)) return;
  if (database.mariadb) {
    return limit_mariadb_lock_waits(call, database, call.duration("/lock_timeout"));
  }
  RoleSetting setting = current_setting(call, database);
  refuse(call, database, setting.role);
  call.remember(setting_note,
                setting.database + unit_separator + setting.role + unit_separator + setting.value);
  setting.value = std::to_string(call.duration("/lock_timeout").count()) + "ms";
  set(call, database, setting);
}

bool lock_waits_are_limited(const Call& call) { return noted(call).has_value(); }

std::string put_back_statement(const Call& call) {
  const auto setting = noted(call);
  return setting ? statement(*setting) : "";
}

void put_back_lock_timeout(const Call& call, const MigratedDatabase& database) {
  if (database.mariadb) return put_back_mariadb_lock_waits(call, database);
  const auto setting = noted(call);
  if (!setting) return;
  const PostgresServer& server = database.server;
  // Else a setting of it is gone as well; and what was never changed may not be ours to change.
  if (current_value(call, server, *setting) != setting->value &&
      database_exists(call, server, setting->database) &&
      standing(call, server, setting->role) != Role::unknown) {
    set(call, database, *setting);
  }
  call.remember(setting_note, "");
}

bool tells_of_lock_timeout(std::string_view line) {
  for (const std::string_view words : {"canceling statement due to lock timeout",
                                       "LockNotAvailable", "SQLSTATE 55P03", "'C': '55P03'"}) {
    if (line.find(words) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace drydock::alembic
