// What a PostgreSQL database is like, in values that can be compared before and after.
#pragma once

#include <string>
#include <vector>

#include "database_types.h"
#include "postgres_server.h"

namespace drydock {

// The schema leaves out how PostgreSQL writes some expressions differently after a restore (casts
// and parentheses); a hash of `pg_dump -s` would not be equal then. bytes: the database's size,
// which decides how rows are counted; -1: they are not.
DatabaseFacts database_facts(const Call&, const PostgresServer&, const std::string& database,
                             std::int64_t bytes = -1);
// The same in a session with other questions: what to ask of query_all, and what its answers mean.
std::vector<std::string> facts_queries(std::int64_t bytes = -1);
DatabaseFacts facts_of(const std::vector<Rows>& answers);

// All rows of Alembic's table, in whichever schema it stands.
Revisions alembic_revisions(const Call&, const PostgresServer&, const std::string& database,
                            const std::string& version_table = "alembic_version");

}  // namespace drydock
