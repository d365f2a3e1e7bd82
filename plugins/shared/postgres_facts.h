// What a PostgreSQL database is like, in values that can be compared before and after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "postgres_server.h"

namespace drydock {

// What alembic_version says: a row for each head that the database is at. nullopt: no such table.
using Revisions = std::optional<std::vector<std::string>>;

struct DatabaseFacts {
  // SHA-256 of the structure: columns, indexes, constraints, views, functions, triggers, enums.
  // Equal for a database and its restored dump, although PostgreSQL writes some expressions
  // differently after a restore (casts and parentheses), so that a hash of `pg_dump -s` is not.
  std::string schema;
  Revisions revisions;
  // "apps=2, users=17", exact; of a large database the server's own estimates, marked by "~".
  std::string rows;
};
// bytes: the database's size, which decides how rows are counted; -1: they are not.
DatabaseFacts database_facts(const Call&, const PostgresServer&, const std::string& database,
                             std::int64_t bytes = -1);
// The same in a session with other questions: what to ask of query_all, and what its answers mean.
std::vector<std::string> facts_queries(std::int64_t bytes = -1);
DatabaseFacts facts_of(const std::vector<Rows>& answers);

// All rows of Alembic's table, in whichever schema it stands.
Revisions alembic_revisions(const Call&, const PostgresServer&, const std::string& database,
                            const std::string& version_table = "alembic_version");

}  // namespace drydock
