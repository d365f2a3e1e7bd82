#include "mariadb_dump.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <vector>

#include "command_stream.h"
#include "database_server.h"
#include "file_store.h"
#include "mariadb_content.h"
#include "mariadb_facts.h"
#include "part_file.h"
#include "stopwatch.h"

namespace drydock::backup {
namespace {

// "10.11.19-MariaDB-0+deb12u1" -> 10, 11.
std::pair<int, int> numbers(const std::string& version) {
  int major = 0, minor = 0;
  std::sscanf(version.c_str(), "%d.%d", &major, &minor);
  return {major, minor};
}

Process dump_command(const Call& call, const MariadbServer& server, const std::string& database,
                     const MariadbTables& tables) {
  std::vector<std::string> arguments = dump_options(server);
  if (tables.without_transactions.empty()) {
    arguments.push_back("--single-transaction");
  } else {
    // A snapshot does not cover them; a lock on all tables of the database does.
    arguments.push_back("--lock-tables");
    call.info("database " + database + " has tables without transactions (" +
              tables.without_transactions.front() +
              "), so all of it is locked against writing while it is dumped");
  }
  if (tables.versioned) {
    if (!server.mysql && numbers(tables.version) >= std::pair(10, 11)) {
      arguments.push_back("--dump-history");
    } else {
      call.warn("database " + database + " has system-versioned tables, and a dump of MariaDB " +
                tables.version + " keeps their present rows alone, without the history");
    }
  }
  arguments.push_back(database);
  return mariadb_command(server, server.dumper(), std::move(arguments));
}

// CR_SERVER_GONE_ERROR, CR_SERVER_LOST and their kind, as the clients print them.
bool lost_server(const std::string& errors) {
  for (const char* sign :
       {"gone away", "Lost connection", "Can't connect", "shutdown in progress"}) {
    if (errors.find(sign) != std::string::npos) return true;
  }
  return false;
}

Failed failed_dump(const MariadbServer& server, const std::string& database,
                   const Streamed& written) {
  return Failed("the dump of database " + database + " of " + server.description + " failed: " +
                (!written.errors.empty() ? mariadb_error(written.errors)
                 : written.exit.ok()     ? "it ends early, without \"-- Dump completed\""
                                         : written.exit.describe()));
}

}  // namespace

void dump_database(const Call& call, const MariadbServer& server, DatabaseRecord& record) {
  const MariadbTables tables = mariadb_tables(call, server, record.name);
  const DatabaseFacts facts = database_facts(call, server, record.name);
  record.server = tables.version;
  record.create_with = tables.create_with;
  record.schema = facts.schema;
  record.revisions = facts.revisions;

  const std::string file = call.private_dir() + "/" + record.dump;
  files::make_directories(file.substr(0, file.rfind('/')));
  PartFile part(file);
  MariadbDumpReader reader(MariadbDumpReader::Rows::count);
  const Stopwatch watch(record.taken);
  const Streamed written = stream(call, dump_command(call, server, record.name, tables),
                                  part.path(), [&](std::string_view bytes) { reader.feed(bytes); });
  record.seconds = watch.seconds();
  const DumpContent content = reader.finish();
  if (!written.exit.ok() || !reader.completed()) throw failed_dump(server, record.name, written);
  record.bytes = written.bytes;
  record.sha256 = written.sha256;
  record.statements = content.statements;
  record.data.clear();
  record.rows = content.rows;
  part.check_on_disk(record.sha256);
  part.keep();
}

void dump_aside(const Call& call, const MariadbServer& server, const std::string& database,
                const std::string& file) {
  files::make_directories(file.substr(0, file.rfind('/')));
  const MariadbTables tables = mariadb_tables(call, server, database);
  std::string reason;
  for (const bool force : {false, true}) {
    PartFile part(file);
    MariadbDumpReader reader(MariadbDumpReader::Rows::count);
    Process command = dump_command(call, server, database, tables);
    if (force) command.arguments.insert(command.arguments.end() - 1, "--force");
    const Streamed written = stream(call, std::move(command), part.path(),
                                    [&](std::string_view bytes) { reader.feed(bytes); });
    reader.finish();
    const bool whole = written.exit.ok() && reader.completed();
    if (!whole && !force) {
      reason = mariadb_error(written.errors);
      continue;
    }
    // With --force the client goes on, to its last line, also when the server went away.
    if (!reader.completed() || lost_server(written.errors)) {
      throw failed_dump(server, database, written);
    }
    part.check_on_disk(written.sha256);
    part.keep();
    if (force) {
      call.warn("of what stands in database " + database + " not all could be dumped (" + reason +
                "); what could is kept as " + file);
    }
    return;
  }
}

DumpContent read_dump(const std::string& file, MariadbDumpReader::Rows rows) {
  std::ifstream input(file, std::ios::binary);
  if (!input) throw Failed("the dump " + file + " cannot be read: " + std::strerror(errno));
  MariadbDumpReader reader(rows);
  std::vector<char> buffer(256 * 1024);
  while (input) {
    input.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    reader.feed({buffer.data(), static_cast<std::size_t>(input.gcount())});
  }
  DumpContent content = reader.finish();
  if (!input.eof()) throw Failed("the dump " + file + " cannot be read to its end");
  if (!reader.completed()) {
    throw Failed("the dump " + file + " ends early, without \"-- Dump completed\"");
  }
  return content;
}

void read_back_sql(const std::string& folder, const DatabaseRecord& record) {
  check_dump(folder, record);
  const std::string file = folder + "/" + record.dump;
  const DumpContent content = read_dump(file, MariadbDumpReader::Rows::count);
  if (content.rows == record.rows && content.statements == record.statements) return;
  throw Failed("the dump " + file + " does not hold what was noted of it");
}

DatabaseRecord with_data(const std::string& folder, DatabaseRecord record) {
  check_dump(folder, record);
  const DumpContent content = read_dump(folder + "/" + record.dump, MariadbDumpReader::Rows::hash);
  record.data = content.data;
  record.counters = content.counters;
  return record;
}

DumpContent read_database(const Call& call, const MariadbServer& server,
                          const std::string& database, Events events) {
  const MariadbTables tables = mariadb_tables(call, server, database);
  MariadbDumpReader reader;
  Process command = dump_command(call, server, database, tables);
  if (events == Events::left_out) {
    std::replace(command.arguments.begin(), command.arguments.end(), std::string("--events"),
                 std::string("--skip-events"));
  }
  const Streamed read =
      stream(call, std::move(command), "", [&](std::string_view bytes) { reader.feed(bytes); });
  DumpContent content = reader.finish();
  if (!read.exit.ok() || !reader.completed()) {
    throw Failed("database " + database + " of " + server.description + " cannot be read: " +
                 (read.errors.empty() ? read.exit.describe() : mariadb_error(read.errors)));
  }
  return content;
}

}  // namespace drydock::backup
