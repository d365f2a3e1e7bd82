#include "mariadb_databases.h"

#include <unistd.h>

#include <algorithm>
#include <regex>

#include "mariadb_copy.h"
#include "mariadb_trial.h"
#include "part_file.h"
#include "set_aside.h"

namespace drydock::backup {
namespace {

std::string differs(const Call& call, const MariadbServer& server, const DatabaseRecord& record,
                    const std::string& database) {
  return difference(record, database_facts(call, server, database),
                    read_database(call, server, database));
}

std::string unused_file(const std::string& name, const std::string& suffix) {
  std::string candidate = name + suffix;
  for (int n = 2; ::access(candidate.c_str(), F_OK) == 0; ++n) {
    candidate = name + "." + std::to_string(n) + suffix;
  }
  return candidate;
}

// A name that only a restore of ours has.
std::string scratch_name(const std::string& database) {
  constexpr std::size_t longest_name = 64;  // characters; bytes are not fewer
  const std::string suffix = scratch_suffix;
  std::string name = database;
  while (name.size() + suffix.size() > longest_name) {
    do {
      name.pop_back();  // the bytes of a UTF-8 character together
    } while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80);
  }
  return name + suffix;
}

// Empty, as it was created. A file in the database's folder that is not the server's keeps the
// folder, and so the database, from being dropped: everything else is gone then.
void make_anew(const Call& call, const MariadbServer& server, const DatabaseRecord& record) {
  try {
    drop_database(call, server, record.name);
  } catch (const Failed& e) {
    // ER_DB_DROP_RMDIR
    if (std::string(e.what()).find("ERROR 1010") == std::string::npos) throw;
    call.warn("database " + record.name + " was emptied and could not be dropped (" + e.what() +
              "): a file that is not the server's stands in its folder there");
    execute(call, server, "",
            "ALTER DATABASE " + mariadb_identifier(record.name) + " " + record.create_with);
    return;
  }
  create_database(call, server, record.name, record.create_with);
}

// Whether no row was given a number since, of those that the dump knows: one that was reserved and
// not used the server forgets when it is restarted, as it may have been with its container.
bool counters_stand(const DumpContent& now, const DatabaseRecord& record) {
  return std::all_of(now.counters.begin(), now.counters.end(), [&](const auto& counter) {
    const auto noted = record.counters.find(counter.first);
    return counter.second <= (noted == record.counters.end() ? 1 : noted->second);
  });
}

// Before anything is dropped. A user who may create no other database cannot have that, and is not
// left without a rollback for it.
void show_that_it_loads(const Call& call, const MariadbServer& server, const std::string& folder,
                        const DatabaseRecord& record) {
  const std::string scratch = scratch_name(record.name);
  try {
    drop_database(call, server, scratch);
    create_database(call, server, scratch, record.create_with);
  } catch (const Failed& e) {
    // ER_DBACCESS_DENIED_ERROR
    if (std::string(e.what()).find("ERROR 1044") == std::string::npos) throw;
    call.warn("user " + server.user + " of " + server.description + " may not create database " +
              scratch + ", so that nothing shows beforehand that the dump of " + record.name +
              " loads");
    return;
  }
  load_on_trial(call, server, folder, record, scratch);
}

}  // namespace

std::vector<std::string> MariadbDatabases::applications(const DatabaseSizes& sizes) const {
  static const std::regex ours("_(restore|rehearsal_[0-9a-f]{8})_[0-9]+$");
  std::vector<std::string> names;
  for (const auto& [name, bytes] : sizes) {
    if (!std::regex_search(name, ours)) names.push_back(name);
  }
  return names;
}

bool MariadbDatabases::dump_accounts(const Call& call, const std::string& file) const {
  if (server_.mysql) return false;  // its clients cannot
  PartFile part(file);
  Process process = mariadb_command(server_, server_.dumper(), {"--system=users"});
  process.output_file = part.path();
  process.on_line = [](Stream, std::string_view) {};
  if (!call.run(process).ok()) return false;
  part.keep();
  return true;
}

void MariadbDatabases::read_back(const Call&, const std::string& folder,
                                 const DatabaseRecord& record) const {
  read_back_sql(folder, record);
}

void MariadbDatabases::try_restore(const Call& call, const std::string& folder,
                                   const DatabaseRecord& noted) const {
  check_dump(folder, noted);
  load_on_trial(call, server_, folder, noted, scratch_name(noted.name));
}

bool MariadbDatabases::was_restored(const Call& call, const DatabaseRecord& record) const {
  return call.recall("restored/" + record.key()).has_value();
}

bool MariadbDatabases::is_unchanged(const Call& call, const std::string& folder,
                                    const DatabaseRecord& record) const {
  try {
    if (!database_exists(call, server_, record.name)) return false;
    // The cheap questions first. InnoDB counts rows and changes only roughly, so that nothing less
    // than reading them all tells.
    const DatabaseFacts facts = database_facts(call, server_, record.name);
    if (facts.revisions != record.revisions || facts.schema != record.schema) return false;
    if (mariadb_tables(call, server_, record.name).create_with != record.create_with) return false;
    const DumpContent now = read_database(call, server_, record.name);
    const DatabaseRecord dumped = with_data(folder, record);
    return now.data == dumped.data && now.statements == dumped.statements &&
           counters_stand(now, dumped);
  } catch (const Failed& e) {
    call.warn("database " + record.name + " cannot be compared with its dump (" + e.what() +
              "), so it is restored");
    return false;
  }
}

void MariadbDatabases::drop(const Call& call, const std::string& database) const {
  drop_database(call, server_, database);
}

std::string MariadbDatabases::restore(const Call& call, const std::string& folder,
                                      const DatabaseRecord& noted) const {
  const DatabaseRecord record = with_data(folder, noted);
  show_that_it_loads(call, server_, folder, record);
  // What an attempt that died left is half of what was dumped: what stood there before it was kept
  // by that attempt. A restore that was finished since makes that old: it noted what had been kept
  // for it.
  const std::string note = "failed/" + record.key();
  std::optional<std::string> kept = call.recall(note);
  if (!kept || call.recall("restored/" + record.key()) == kept) {
    kept = "";
    if (database_exists(call, server_, record.name)) {
      const std::string name = call.private_dir() + "/databases/" + file_name(record.service) +
                               "/" + file_name(record.name) + ".failed";
      kept = unused_file(name, dump_suffix());
      note_file_aside(call, record, kept->substr(call.private_dir().size() + 1));
      dump_aside(call, server_, record.name, *kept);
      call.artifact("failed " + record.key(), *kept,
                    "dump of database " + record.name + " as it stood before it was restored");
    }
    call.remember(note, *kept);
  }
  // From here on until the load has ended the database is less than what was dumped.
  make_anew(call, server_, record);
  load_dump(call, server_, folder + "/" + record.dump, record.name);
  const std::string found = differs(call, server_, record, record.name);
  if (!found.empty()) {
    throw Failed("database " + record.name + " was restored from " + record.dump +
                 " and differs from what was dumped: " + found);
  }
  call.remember("restored/" + record.key(), *kept);
  return kept->empty() ? "" : "what stood there is kept as the dump " + *kept;
}

}  // namespace drydock::backup
