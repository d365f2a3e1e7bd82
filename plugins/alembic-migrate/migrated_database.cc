#include "migrated_database.h"

#include <sys/stat.h>

#include <algorithm>

#include "mariadb_facts.h"
#include "mariadb_sessions.h"
#include "sqlite_file.h"

namespace drydock::alembic {
namespace {

constexpr auto version_table = "alembic_version";

std::chrono::milliseconds patience(const Call& call) {
  return call.has("/wait") ? call.duration("/wait") : std::chrono::seconds(60);
}

bool exists(const std::string& file) {
  struct stat status {};
  return ::stat(file.c_str(), &status) == 0;
}

std::size_t databases_named(const Call& call, const MigratedDatabase& database) {
  const auto wait = patience(call);
  return (database.mariadb ? wait_for_databases(call, *database.mariadb, wait)
                           : wait_for_databases(call, database.server, wait))
      .count(database.name);
}

}  // namespace

std::string describe(const Revisions& revisions) {
  if (!revisions) return "no table alembic_version";
  std::string result;
  for (const std::string& one : *revisions) result += (result.empty() ? "" : ", ") + one;
  return result.empty() ? "no revision" : result;
}

Revisions revisions_now(const Call& call, const MigratedDatabase& database) {
  if (database.mariadb) {
    return alembic_revisions(call, *database.mariadb, database.name, version_table);
  }
  if (database.sqlite.empty()) {
    return alembic_revisions(call, database.server, database.name, version_table);
  }
  if (!exists(database.sqlite)) return std::nullopt;
  return sqlite_revisions(database.sqlite, version_table);
}

Revisions current_revisions(const Call& call, const MigratedDatabase& database) {
  if (!database.sqlite.empty()) return revisions_now(call, database);
  try {
    return revisions_now(call, database);
  } catch (const Failed&) {
    // It starts, or the database is not there yet.
    if (databases_named(call, database) == 0) return std::nullopt;
    return revisions_now(call, database);
  }
}

bool has_application_tables(const Call& call, const MigratedDatabase& database) {
  if (!database.sqlite.empty()) {
    if (!exists(database.sqlite)) return false;
    const SqliteContent content = sqlite_content(database.sqlite, SqliteData::structure);
    return std::any_of(content.rows.begin(), content.rows.end(), [](const auto& table) {
      return table.first != version_table && table.first.rfind("sqlite_", 0) != 0;
    });
  }
  if (database.mariadb) {
    return !query(call, *database.mariadb, database.name,
                  "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE()"
                  " AND table_name <> " +
                      mariadb_literal(version_table) + " LIMIT 1")
                .empty();
  }
  return !query(call, database.server, database.name,
                "SELECT 1 FROM pg_tables WHERE schemaname <> 'information_schema'"
                " AND schemaname !~ '^pg_' AND tablename <> " +
                    quoted_literal(version_table) + " LIMIT 1;")
              .empty();
}

void end_sessions(const Call& call, const MigratedDatabase& database,
                  const std::vector<std::string>& applications) {
  if (!database.sqlite.empty() || applications.empty()) return;
  if (database.mariadb) {
    return end_mariadb_sessions(call, database, applications, patience(call));
  }
  std::string names;
  for (const std::string& one : applications) {
    names += (names.empty() ? "" : ", ") + quoted_literal(one);
  }
  const std::string sessions =
      " FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name IN (" + names +
      ");";
  const auto until = std::chrono::steady_clock::now() + patience(call);
  for (bool first = true;; first = false) {
    const Rows ended = query(call, database.server, "template1",
                             "SELECT pid, pg_terminate_backend(pid)" + sessions);
    if (ended.empty()) return;
    if (first) {
      call.info("ended " + std::to_string(ended.size()) +
                " database sessions that the migrator left in " + database.name);
    }
    if (std::chrono::steady_clock::now() >= until) {
      throw Failed("a session of the ended migrator stays in database " + database.name + " of " +
                   database.server.description + "; end it, then repeat");
    }
    pause(call, std::chrono::milliseconds(100));
  }
}

}  // namespace drydock::alembic
