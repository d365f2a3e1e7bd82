#include "postgres_dump.h"

#include "command_stream.h"
#include "file_store.h"
#include "part_file.h"
#include "postgres_facts.h"
#include "postgres_properties.h"
#include "stopwatch.h"

namespace drydock::backup {
namespace {

// Runs a client that prints a dump as text, and reads that.
DumpContent read_lines(const Call& call, Process process, const std::string& doing) {
  DumpReader reader;
  std::string errors;
  process.on_line = [&](Stream stream, std::string_view line) {
    if (stream == Stream::out)
      reader.line(line);
    else
      errors.append(line).append("\n");
  };
  const Exit exit = call.run(process);
  if (!exit.ok()) {
    throw Failed(doing + ": " + (errors.empty() ? exit.describe() : client_error(errors)));
  }
  return reader.finish();
}

}  // namespace

void describe_database(const Call& call, const PostgresServer& server, DatabaseRecord& record) {
  std::vector<std::string> queries = facts_queries();
  queries.insert(queries.end(), {"SHOW server_version;", create_with_query(), properties_query()});
  std::vector<Rows> answers = query_all(call, server, record.name, queries);
  record.properties.clear();
  for (const std::string& line : answers.back()) record.properties += line + "\n";
  answers.pop_back();
  record.create_with = answers.back().at(0);
  answers.pop_back();
  record.server = answers.back().at(0);
  answers.pop_back();
  const DatabaseFacts facts = facts_of(answers);
  record.schema = facts.schema;
  record.revisions = facts.revisions;
}

DumpContent read_dump(const Call& call, const PostgresServer& server, const std::string& file) {
  Process process = server_command(server, "pg_restore", {"--file", "-"});
  process.input_file = file;
  return read_lines(call, std::move(process), "the dump " + file + " cannot be read back");
}

DumpContent read_database(const Call& call, const PostgresServer& server,
                          const std::string& database) {
  return read_lines(call,
                    postgres_client(server, "pg_dump", database, {"--lock-wait-timeout=60000"}),
                    "database " + database + " of " + server.description + " cannot be read");
}

void dump_database(const Call& call, const PostgresServer& server, DatabaseRecord& record) {
  describe_database(call, server, record);

  const std::string file = call.private_dir() + "/" + record.dump;
  files::make_directories(file.substr(0, file.rfind('/')));
  PartFile part(file);
  // Compressed, as only that has a checksum that a full read would see broken; the fastest level
  // is as small as the others within a few percent. A dump waits a minute for each table's lock.
  Process dump = postgres_client(server, "pg_dump", record.name,
                                 {"--format=custom", "--compress=1", "--lock-wait-timeout=60000"});
  const Stopwatch watch(record.taken);
  const Streamed written = stream(call, std::move(dump), part.path(), {}, Output::piped);
  record.seconds = watch.seconds();
  if (!written.exit.ok() || written.bytes == 0) {
    const std::string reason = !written.errors.empty() ? client_error(written.errors)
                               : written.exit.ok()     ? "it is empty"
                                                       : written.exit.describe();
    throw Failed("the dump of database " + record.name + " of " + server.description +
                 " failed: " + reason);
  }
  record.bytes = written.bytes;
  record.sha256 = written.sha256;
  part.check_on_disk(record.sha256);

  const DumpContent content = read_dump(call, server, part.path());
  record.statements = content.statements;
  record.data = content.data;
  record.rows = content.rows;
  part.keep();
}

bool dump_roles(const Call& call, const PostgresServer& server, const std::string& file) {
  PartFile part(file);
  Process process = server_command(
      server, "pg_dumpall",
      {"--username", server.user, "--no-password", "--database", "template1", "--globals-only"});
  process.output_file = part.path();
  process.on_line = [](Stream, std::string_view) {};
  if (!call.run(process).ok()) return false;
  part.keep();
  return true;
}

}  // namespace drydock::backup
