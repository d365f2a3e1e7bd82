#include "database_copy.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

#include "mariadb_copy.h"
#include "mariadb_facts.h"
#include "postgres_copy.h"
#include "postgres_facts.h"
#include "sqlite_file.h"

namespace drydock::alembic {
namespace {

namespace fs = std::filesystem;

constexpr auto version_table = "alembic_version";
constexpr auto dump_patience = std::chrono::seconds(30);  // for a lock of an SQLite file

// What the copies of this stage have in their names, however often it runs. A server may serve
// deployments of several machines.
std::string mark(const Call& call) {
  char host[256] = {}, text[24];
  ::gethostname(host, sizeof host - 1);
  const std::string stage = host + ("\n" + call.deployment_dir()) + "\n" + call.stage_id();
  std::snprintf(text, sizeof text, "_rehearsal_%08x_",
                static_cast<unsigned>(std::hash<std::string>{}(stage)));
  return text;
}

std::string suffix(const Call& call) { return mark(call) + std::to_string(call.run_id()); }

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Of this stage, of whatever run. Also those that let nobody in: dropping them has failed once.
std::vector<std::string> all_copies(const Call& call, const MigratedDatabase& database) {
  std::vector<std::string> found;
  const std::string of_stage = mark(call);
  const auto add = [&](const std::string& name) {
    const std::size_t at = name.find(of_stage);
    if (at == std::string::npos) return;
    const std::string run = fs::path(name.substr(at + of_stage.size())).stem().string();
    if (!run.empty() && run.find_first_not_of("0123456789") == std::string::npos) {
      found.push_back(name);
    }
  };
  if (!database.sqlite.empty()) {
    std::error_code none;
    const std::string extension = fs::path(database.sqlite).extension().string();
    for (const auto& entry :
         fs::directory_iterator(fs::path(database.sqlite).parent_path(), none)) {
      if (entry.path().extension() == extension) add(entry.path().filename().string());
    }
  } else if (database.mariadb) {
    for (const MariadbRow& row : query(call, *database.mariadb, "",
                                       "SELECT schema_name FROM information_schema.schemata")) {
      add(row.at(0));
    }
  } else {
    for (const std::string& name : query(call, database.server, database.name,
                                         "SELECT datname FROM pg_database ORDER BY 1;")) {
      add(name);
    }
  }
  return found;
}

bool is_of_this_run(const Call& call, const MigratedDatabase& database, const std::string& name) {
  const std::string extension =
      database.sqlite.empty() ? "" : fs::path(database.sqlite).extension().string();
  return ends_with(name, suffix(call) + extension);
}

// What the server does not call it: a name in a grant is a pattern of the same limit.
std::size_t length_of(const MigratedDatabase& database, const std::string& name) {
  return database.mariadb ? drydock::grant_name(name).size() : name.size();
}

// Not in the middle of a UTF-8 character.
std::string shortened(std::string name, std::size_t longest) {
  while (name.size() > longest) {
    do {
      name.pop_back();
    } while (!name.empty() && (static_cast<unsigned char>(name.back()) & 0xC0) == 0x80);
  }
  return name;
}

void copy_file(const Call& call, const std::string& from, const std::string& to) {
  struct stat status {};
  if (::stat(from.c_str(), &status) != 0) {
    throw Failed(from + " cannot be copied: " + std::strerror(errno));
  }
  copy_sqlite(from, to, dump_patience);
  // For whoever migrates, as the database itself.
  if (::chown(to.c_str(), status.st_uid, status.st_gid) != 0 && errno != EPERM) {
    throw Failed(to + " cannot get the owner of " + from + ": " + std::strerror(errno));
  }
  if (::chmod(to.c_str(), status.st_mode & 07777) != 0) {
    throw Failed(to + " cannot get the mode of " + from + ": " + std::strerror(errno));
  }
  const SqliteContent wanted = sqlite_content(to, SqliteData::count);
  call.debug(to + " has " + std::to_string(wanted.rows.size()) + " tables");
}

void refuse_other_structure(const Call& call, const MigratedDatabase& database,
                            const MigratedDatabase& copy) {
  const DatabaseFacts was = database_facts(call, database.server, database.name),
                      is = database_facts(call, copy.server, copy.name);
  if (was.schema == is.schema && was.revisions == is.revisions) return;
  throw Failed(
      "the copy " + copy.name + " of database " + database.name +
      " is another than what was dumped: " +
      (was.revisions == is.revisions
           ? "its structure differs"
           : "it is at " + describe(is.revisions) + " instead of " + describe(was.revisions)) +
      "; a backup would come back the same way, unless somebody has just changed " + database.name);
}

void refuse_other_rows(const Call& call, const MigratedDatabase& database,
                       const MigratedDatabase& copy, RowCounts dumped) {
  dumped.erase(version_table);
  const std::string differs = row_differences(dumped, row_counts(call, copy));
  if (differs.empty()) return;
  throw Failed("the copy " + copy.name + " of database " + database.name +
               " is another than what was dumped (" + differs +
               "); a backup would come back the same way");
}

RowCounts postgres_rows(const Call& call, const PostgresServer& server,
                        const std::string& database) {
  RowCounts counts;
  for (const std::string& row :
       query(call, server, database,
             "SELECT format('SELECT %L, count(*) FROM %I.%I', format(CASE n.nspname WHEN 'public'"
             " THEN '%2$I' ELSE '%1$I.%2$I' END, n.nspname, c.relname), n.nspname, c.relname)"
             " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
             " WHERE c.relkind = 'r' AND n.nspname <> 'information_schema'"
             " AND n.nspname !~ '^pg_' AND c.relname <> " +
                 quoted_literal(version_table) + "\n\\gexec")) {
    const std::vector<std::string> column = fields(row);
    counts[column.at(0)] = std::stoull(column.at(1));
  }
  return counts;
}

RowCounts mariadb_rows(const Call& call, const MariadbServer& server, const std::string& database) {
  std::vector<std::string> tables, questions;
  for (const MariadbRow& row :
       query(call, server, "",
             "SELECT table_name FROM information_schema.tables WHERE table_type IN"
             " ('BASE TABLE', 'SYSTEM VERSIONED') AND table_name <> " +
                 mariadb_literal(version_table) + " AND BINARY table_schema = BINARY " +
                 mariadb_literal(database))) {
    tables.push_back(row.at(0));
    questions.push_back("SELECT count(*) FROM " + mariadb_identifier(row.at(0)));
  }
  RowCounts counts;
  if (tables.empty()) return counts;
  const std::vector<MariadbRows> answers = query_all(call, server, database, questions);
  for (std::size_t i = 0; i < tables.size(); ++i) {
    counts[tables[i]] = std::stoull(answers[i].at(0).at(0));
  }
  return counts;
}

}  // namespace

std::string copy_name(const Call& call, const MigratedDatabase& database) {
  if (!database.sqlite.empty()) {
    const fs::path file(database.sqlite);
    return file.stem().string() + suffix(call) + file.extension().string();
  }
  const std::size_t longest = database.mariadb ? 64 : 63;
  std::string name = database.name;
  while (!name.empty() && length_of(database, name + suffix(call)) > longest) {
    name = shortened(name, name.size() - 1);
  }
  return name + suffix(call);
}

MigratedDatabase copy_of(const MigratedDatabase& database, const std::string& name) {
  MigratedDatabase copy = database;
  copy.name = name;
  if (!database.sqlite.empty()) {
    copy.sqlite = (fs::path(database.sqlite).parent_path() / name).string();
  }
  return copy;
}

std::string copies_left(const Call& call, const MigratedDatabase& database) {
  std::string left;
  for (const std::string& name : all_copies(call, database)) {
    if (is_of_this_run(call, database, name)) left += (left.empty() ? "" : ", ") + name;
  }
  return left.empty() ? "none" : left;
}

void drop_older_copies(const Call& call, const MigratedDatabase& database) {
  for (const std::string& name : all_copies(call, database)) {
    if (is_of_this_run(call, database, name)) continue;
    try {
      drop_copy(call, copy_of(database, name));
      call.info("dropped the copy " + name + ", which an earlier rehearsal had left");
    } catch (const Failed& e) {
      call.warn(e.what());
    }
  }
}

std::int64_t database_bytes(const Call& call, const MigratedDatabase& database) {
  if (!database.sqlite.empty()) {
    std::error_code none;
    const auto bytes = fs::file_size(database.sqlite, none);
    return none ? 0 : static_cast<std::int64_t>(bytes);
  }
  const auto patience = call.has("/wait") ? call.duration("/wait") : std::chrono::seconds(60);
  const DatabaseSizes sizes = database.mariadb
                                  ? wait_for_databases(call, *database.mariadb, patience)
                                  : wait_for_databases(call, database.server, patience);
  const auto found = sizes.find(database.name);
  return found == sizes.end() ? 0 : found->second;
}

void make_copy(const Call& call, const MigratedDatabase& database, const MigratedDatabase& copy,
               const std::string& session) {
  if (!database.sqlite.empty()) {
    copy_file(call, database.sqlite, copy.sqlite);
    return;
  }
  if (database.mariadb) {
    RowCounts dumped = copy_database(call, *database.mariadb, database.name, copy.name, session);
    return refuse_other_rows(call, database, copy, std::move(dumped));
  }
  copy_database(call, database.server, database.name, copy.name, session, call.run_label());
  refuse_other_structure(call, database, copy);
}

void end_dump(const Call& call, const MigratedDatabase& database, const std::string& session) {
  if (database.mariadb) return drydock::end_dump(call, *database.mariadb, session);
  end_sessions(call, database, {session});
}

void drop_copy(const Call& call, const MigratedDatabase& copy) {
  for (const char* part : {"", "-wal", "-shm", "-journal"}) {
    if (copy.sqlite.empty()) break;
    if (::unlink((copy.sqlite + part).c_str()) != 0 && errno != ENOENT) {
      throw Failed("the copy " + copy.sqlite + part +
                   " of a rehearsal cannot be removed: " + std::strerror(errno));
    }
  }
  if (!copy.sqlite.empty()) return;
  try {
    if (copy.mariadb) return drydock::drop_copy(call, *copy.mariadb, copy.name);
    drop_database(call, copy.server, copy.name);
  } catch (const Failed& e) {
    throw Failed("the copy " + copy.name + " of a rehearsal is not dropped (" + e.what() +
                 "); see to what keeps it, and give " + copy.place() +
                 " the statement: DROP DATABASE " +
                 (copy.mariadb ? mariadb_identifier(copy.name) : quoted_identifier(copy.name)) +
                 "; the next rehearsal of this stage tries it as well");
  }
}

RowCounts row_counts(const Call& call, const MigratedDatabase& database) {
  if (database.mariadb) return mariadb_rows(call, *database.mariadb, database.name);
  if (database.sqlite.empty()) return postgres_rows(call, database.server, database.name);
  RowCounts counts = sqlite_content(database.sqlite, SqliteData::count).rows;
  counts.erase(version_table);
  return counts;
}

std::string row_differences(const RowCounts& before, const RowCounts& after) {
  std::string differences;
  const auto rows = [](std::uint64_t count) {
    return std::to_string(count) + (count == 1 ? " row" : " rows");
  };
  for (const auto& [table, count] : before) {
    const auto now = after.find(table);
    if (now != after.end() && now->second == count) continue;
    differences += (differences.empty() ? "" : ", ") + table + ": " +
                   (now == after.end() ? "gone, before " + rows(count)
                                       : rows(now->second) + ", before " + std::to_string(count));
  }
  return differences;
}

bool set_revisions(const Call& call, const MigratedDatabase& copy,
                   const std::vector<std::string>& revisions) {
  if (!copy.sqlite.empty()) return set_sqlite_revisions(copy.sqlite, version_table, revisions);
  if (copy.mariadb) {
    const std::string table = mariadb_identifier(version_table);
    std::string sql = "DELETE FROM " + table;
    for (const std::string& one : revisions) {
      sql += ";\nINSERT INTO " + table + " (version_num) VALUES (" + mariadb_literal(one) + ")";
    }
    execute(call, *copy.mariadb, copy.name, sql);
    return true;
  }
  const std::string table =
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
      " AND n.nspname !~ '^pg_' AND c.relname = " +
      quoted_literal(version_table);
  if (query(call, copy.server, copy.name, "SELECT 1" + table + ";").size() != 1) return false;
  std::string sql =
      "SELECT format('DELETE FROM %I.%I', n.nspname, c.relname)" + table + "\n\\gexec";
  for (const std::string& one : revisions) {
    sql += "\nSELECT format('INSERT INTO %I.%I (version_num) VALUES (%L)', n.nspname, c.relname, " +
           quoted_literal(one) + ")" + table + "\n\\gexec";
  }
  execute(call, copy.server, copy.name, sql);
  return true;
}

}  // namespace drydock::alembic
