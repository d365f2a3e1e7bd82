#include "postgres_restore.h"

#include "database_server.h"
#include "postgres_copy.h"
#include "postgres_dump.h"
#include "postgres_facts.h"
#include "set_aside.h"

namespace drydock::backup {
namespace {

// Sessions that come back faster than the rename follows the last one's end.
constexpr int rename_attempts = 25;
constexpr auto rename_pause = std::chrono::milliseconds(200);

void load(const Call& call, const PostgresServer& server, const std::string& file,
          const std::string& into) {
  Process restore = postgres_client(server, "pg_restore", into, {"--exit-on-error"});
  restore.input_file = file;
  std::string errors;
  restore.on_line = [&](Stream, std::string_view line) { errors.append(line).append("\n"); };
  const Exit exit = call.run(restore);
  if (!exit.ok()) {
    throw Failed("restoring " + file + " into database " + into + " of " + server.description +
                 " failed: " + (errors.empty() ? exit.describe() : client_error(errors)));
  }
}

// Throws Failed, with the first difference, when the database is not what was dumped.
void prove(const Call& call, const PostgresServer& server, const DatabaseRecord& record,
           const std::string& database) {
  const std::string differs = difference(record, database_facts(call, server, database),
                                         read_database(call, server, database));
  if (differs.empty()) return;
  throw Failed("database " + record.name + ": what was restored from " + record.dump +
               " differs from what was dumped: " + differs + "; it is kept as database " +
               database + ", and " + record.name + " was left alone");
}

// Gives `scratch` the database's name, and the database that has it now the name `failed`: both or
// neither, as renaming is transactional.
void swap_names(const Call& call, const PostgresServer& server, const std::string& name,
                const std::string& scratch, const std::string& failed) {
  std::string sql;
  for (const std::string& one : {name, scratch}) {
    sql += "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = " +
           quoted_literal(one) + ";\n";
  }
  sql += "BEGIN;\n";
  if (!failed.empty()) {
    sql += "ALTER DATABASE " + quoted_identifier(name) + " RENAME TO " + quoted_identifier(failed) +
           ";\n";
  }
  sql += "ALTER DATABASE " + quoted_identifier(scratch) + " RENAME TO " + quoted_identifier(name) +
         ";\nCOMMIT;\n";
  for (int attempt = 1;; ++attempt) {
    try {
      execute(call, server, maintenance_database(name), sql);
      return;
    } catch (const Failed&) {
      if (attempt == rename_attempts) throw;
    }
    pause(call, rename_pause);
  }
}

void drop_as_far_as_possible(const Call& call, const PostgresServer& server,
                             const std::string& database) {
  try {
    drop_database(call, server, database);
    forget_database_aside(call, database);
  } catch (const Failed& e) {
    call.warn("database " + database + " could not be dropped (" + e.what() + ")");
  }
}

// -1: whoever asks may not know.
std::int64_t database_bytes(const Call& call, const PostgresServer& server,
                            const std::string& database) {
  try {
    const Rows rows = query(call, server, "template1",
                            "SELECT pg_database_size(" + quoted_literal(database) + ");");
    return rows.empty() ? -1 : std::stoll(rows.front());
  } catch (const Failed&) {
    return -1;
  }
}

std::string unused_name(const Call& call, const PostgresServer& server, const std::string& name,
                        const std::string& suffix) {
  std::string candidate = derived_name(name, suffix);
  for (int n = 2; database_exists(call, server, candidate); ++n) {
    candidate = derived_name(name, suffix + "_" + std::to_string(n));
  }
  return candidate;
}

}  // namespace

std::string derived_name(const std::string& name, const std::string& suffix) {
  constexpr std::size_t longest_identifier = 63;
  std::string shortened = name.substr(0, longest_identifier - suffix.size());
  if (shortened.size() < name.size()) {
    // Not in the middle of a UTF-8 character.
    std::size_t end = shortened.size();
    while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
    shortened.resize(end);
  }
  return shortened + suffix;
}

bool was_restored(const Call& call, const PostgresServer& server, const DatabaseRecord& record) {
  // The swap is one transaction: what it gives the failed database is there, or it was not.
  const auto failed = call.recall("swapping/" + record.key());
  return failed && database_exists(call, server, failed->empty() ? record.name : *failed);
}

bool is_unchanged(const Call& call, const PostgresServer& server, const DatabaseRecord& record) {
  try {
    if (!database_exists(call, server, record.name)) return false;
    // The cheap questions first.
    DatabaseRecord present;
    present.name = record.name;
    describe_database(call, server, present);
    if (present.revisions != record.revisions || present.schema != record.schema) return false;
    // A database that was restored by an earlier, interrupted rollback may write the same
    // statements differently, and gets its properties once more; its schema was compared above.
    const bool restored = was_restored(call, server, record);
    if (!restored && present.invalid_indexes != record.invalid_indexes) return false;
    const bool same_properties =
        present.create_with == record.create_with && present.properties == record.properties;
    if (!restored && !same_properties) return false;
    const DumpContent now = read_database(call, server, record.name);
    return now.data == record.data && (now.statements == record.statements || restored);
  } catch (const Failed& e) {
    call.warn("database " + record.name + " cannot be compared with its dump (" + e.what() +
              "), so it is restored");
    return false;
  }
}

void try_restore(const Call& call, const PostgresServer& server, const std::string& folder,
                 const DatabaseRecord& record, const std::string& scratch) {
  check_dump(folder, record);
  drop_database(call, server, scratch);  // what an interrupted attempt left
  note_database_aside(call, record, scratch, -1);
  execute(call, server, "template1",
          "CREATE DATABASE " + quoted_identifier(scratch) + " " + record.create_with + ";");
  try {
    load(call, server, folder + "/" + record.dump, scratch);
  } catch (const Failed&) {
    // Where the server's disk is full, half of a database must not keep it so.
    drop_as_far_as_possible(call, server, scratch);
    throw;
  }
  prove(call, server, record, scratch);
}

std::string restore_database(const Call& call, const PostgresServer& server,
                             const std::string& folder, const DatabaseRecord& record) {
  const std::string run = std::to_string(call.run_id());
  const std::string scratch = derived_name(record.name, "_restore_" + run);
  call.remember("restoring/" + record.key(), scratch);
  try_restore(call, server, folder, record, scratch);

  std::string failed;
  if (database_exists(call, server, record.name)) {
    failed = unused_name(call, server, record.name, "_failed_" + run);
  }
  call.remember("swapping/" + record.key(), failed);
  if (!failed.empty()) {
    note_database_aside(call, record, failed, database_bytes(call, server, record.name));
  }
  swap_names(call, server, record.name, scratch, failed);
  forget_database_aside(call, scratch);
  put_properties_back(call, server, record);
  return failed;
}

void put_properties_back(const Call& call, const PostgresServer& server,
                         const DatabaseRecord& record) {
  if (!record.properties.empty()) {
    execute(call, server, maintenance_database(record.name), record.properties);
  }
}

}  // namespace drydock::backup
