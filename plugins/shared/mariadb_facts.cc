#include "mariadb_facts.h"

#include "mariadb_content.h"

namespace drydock {
namespace {

std::string in_database(const std::string& database) {
  return " AND BINARY table_schema = BINARY " + mariadb_literal(database);
}

// SHA-256 of how the structure is written; `mariadb-dump --no-data` reads no rows.
std::string structure(const Call& call, const MariadbServer& server, const std::string& database) {
  std::vector<std::string> arguments = dump_options(server);
  arguments.insert(arguments.end(), {"--single-transaction", "--no-data", database});
  Process process = mariadb_command(server, server.dumper(), std::move(arguments));
  MariadbDumpReader reader;
  std::string errors;
  process.on_line = [&](Stream stream, std::string_view line) {
    if (stream == Stream::err) {
      errors.append(line).append("\n");
      return;
    }
    reader.feed(line);
    reader.feed("\n");
  };
  const Exit exit = call.run(process);
  const DumpContent content = reader.finish();
  if (exit.ok() && reader.completed()) return content.statements;
  throw Failed("the structure of database " + database + " of " + server.description +
               " cannot be read: " +
               (!errors.empty() ? mariadb_error(errors)
                : exit.ok()     ? "the client ended early"
                                : exit.describe()));
}

std::string rows_text(const Call& call, const MariadbServer& server, const std::string& database,
                      std::int64_t bytes) {
  std::string result;
  const auto add = [&](const std::string& table, const std::string& sign, const std::string& rows) {
    result += (result.empty() ? "" : ", ") + table + sign + rows;
  };
  const MariadbRows tables =
      query(call, server, "",
            "SELECT table_name, coalesce(table_rows, 0) FROM information_schema.tables"
            " WHERE table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')" +
                in_database(database) + " ORDER BY table_name");
  if (bytes >= count_rows_below) {
    for (const MariadbRow& row : tables) add(row.at(0), "~", row.at(1));
  } else if (!tables.empty()) {
    std::vector<std::string> counts;
    for (const MariadbRow& row : tables) {
      counts.push_back("SELECT count(*) FROM " + mariadb_identifier(row.at(0)));
    }
    const std::vector<MariadbRows> counted = query_all(call, server, database, counts);
    for (std::size_t i = 0; i < tables.size(); ++i) {
      add(tables[i].at(0), "=", counted[i].empty() ? "0" : counted[i][0].at(0));
    }
  }
  return result.empty() ? "no tables" : result;
}

}  // namespace

std::vector<std::string> dump_options(const MariadbServer& server) {
  // Bytes in hexadecimal: no character set touches them, and no client stumbles over them.
  std::vector<std::string> options = {"--quick",
                                      "--routines",
                                      "--triggers",
                                      "--events",
                                      "--hex-blob",
                                      "--max-allowed-packet=1G",
                                      "--no-tablespaces",
                                      "--default-character-set=utf8mb4"};
  // What has been replicated belongs to the server, not to one database of it.
  if (server.mysql) options.push_back("--set-gtid-purged=OFF");
  return options;
}

DatabaseFacts database_facts(const Call& call, const MariadbServer& server,
                             const std::string& database, std::int64_t bytes) {
  return {structure(call, server, database), alembic_revisions(call, server, database),
          bytes < 0 ? "" : rows_text(call, server, database, bytes),
          {}};
}

Revisions alembic_revisions(const Call& call, const MariadbServer& server,
                            const std::string& database, const std::string& version_table) {
  if (query(call, server, "",
            "SELECT 1 FROM information_schema.tables WHERE BINARY table_name = BINARY " +
                mariadb_literal(version_table) + in_database(database))
          .empty()) {
    return std::nullopt;
  }
  std::vector<std::string> revisions;
  for (const MariadbRow& row :
       query(call, server, database,
             "SELECT version_num FROM " + mariadb_identifier(version_table) + " ORDER BY 1")) {
    revisions.push_back(row.at(0));
  }
  return revisions;
}

MariadbTables mariadb_tables(const Call& call, const MariadbServer& server,
                             const std::string& database) {
  const std::vector<MariadbRows> answers = query_all(
      call, server, "",
      {"SELECT version()",
       "SELECT concat('CHARACTER SET ', default_character_set_name, ' COLLATE ',"
       " default_collation_name) FROM information_schema.schemata"
       " WHERE BINARY schema_name = BINARY " +
           mariadb_literal(database),
       "SELECT t.table_name FROM information_schema.tables t LEFT JOIN information_schema.engines e"
       " ON e.engine = t.engine WHERE t.table_type = 'BASE TABLE'"
       " AND coalesce(e.transactions, 'NO') <> 'YES'" +
           in_database(database),
       "SELECT 1 FROM information_schema.tables WHERE table_type = 'SYSTEM VERSIONED'" +
           in_database(database)});
  if (answers[1].empty()) throw Failed(server.description + " has no database " + database);
  MariadbTables tables;
  tables.version = answers[0].at(0).at(0);
  tables.create_with = answers[1][0].at(0);
  for (const MariadbRow& row : answers[2]) tables.without_transactions.push_back(row.at(0));
  tables.versioned = !answers[3].empty();
  return tables;
}

}  // namespace drydock
