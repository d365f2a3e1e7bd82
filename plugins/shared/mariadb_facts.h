// What a MariaDB or MySQL database is like.
#pragma once

#include <string>
#include <vector>

#include "mariadb_server.h"

namespace drydock {

// schema: of the dump of the structure alone, which is written the same way after a restore.
// bytes: the database's size, which decides how rows are counted; -1: they are not.
DatabaseFacts database_facts(const Call&, const MariadbServer&, const std::string& database,
                             std::int64_t bytes = -1);

// All rows of Alembic's table.
Revisions alembic_revisions(const Call&, const MariadbServer&, const std::string& database,
                            const std::string& version_table = "alembic_version");

// What a dump needs to know beforehand.
struct MariadbTables {
  std::string version;                            // of the server: "10.11.19-MariaDB"
  std::string create_with;                        // "CHARACTER SET utf8mb4 COLLATE ..."
  std::vector<std::string> without_transactions;  // tables that --single-transaction does not cover
  bool versioned = false;                         // a table keeps its history (SYSTEM VERSIONED)
};
MariadbTables mariadb_tables(const Call&, const MariadbServer&, const std::string& database);

// How a dump is taken: the same for data and structure, so that they can be compared.
std::vector<std::string> dump_options(const MariadbServer&);

}  // namespace drydock
