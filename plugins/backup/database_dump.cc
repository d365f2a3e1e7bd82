#include "database_dump.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "digest.h"
#include "file_store.h"
#include "postgres_facts.h"

namespace drydock::backup {
namespace {

// A file that is gone again unless it was kept.
class PartFile {
 public:
  explicit PartFile(std::string path) : path_(std::move(path)) {}
  ~PartFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::string& path() const { return path_; }
  // On disk, content before name. Never over another file.
  void keep_as(const std::string& name) {
    const int fd = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    // Nobody else writes into the private folder, so that the question before needs no lock.
    if (::access(name.c_str(), F_OK) == 0) throw Failed(name + " exists already");
    if (!synced || ::rename(path_.c_str(), name.c_str()) != 0) {
      throw Failed(name + " cannot be written: " + std::strerror(errno));
    }
    path_.clear();
    files::sync_directory(name.substr(0, name.rfind('/')));
  }

 private:
  std::string path_;
};

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

// Revision and structure; what CREATE DATABASE needs to make it the same again; and what belongs to
// the database itself and so is in no dump that is restored under another name.
void describe_database(const Call& call, const PostgresServer& server, DatabaseRecord& record) {
  static const std::string create = R"sql(
SELECT format('WITH TEMPLATE template0 OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L'
    ' TABLESPACE %I CONNECTION LIMIT %s', pg_get_userbyid(d.datdba),
    pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, t.spcname, d.datconnlimit)
  || CASE to_jsonb(d)->>'datlocprovider'
       WHEN 'i' THEN format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
                            coalesce(to_jsonb(d)->>'daticulocale', to_jsonb(d)->>'datlocale'))
       WHEN 'b' THEN format(' LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', to_jsonb(d)->>'datlocale')
       ELSE '' END
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
WHERE d.datname = current_database();)sql";
  // A setting that is a list is written as it is stored; any other one is one quoted value.
  static const std::string properties = R"sql(
SELECT format('ALTER %s SET %I TO %s;',
    CASE WHEN s.setrole = 0 THEN format('DATABASE %I', d.datname)
         ELSE format('ROLE %I IN DATABASE %I', pg_get_userbyid(s.setrole), d.datname) END,
    c.name, CASE WHEN c.name IN ('search_path', 'temp_tablespaces', 'local_preload_libraries',
                                 'session_preload_libraries') AND c.value <> ''
                 THEN c.value ELSE quote_literal(c.value) END)
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase,
  LATERAL (SELECT split_part(e, '=', 1) AS name, substr(e, strpos(e, '=') + 1) AS value
           FROM unnest(s.setconfig) e) c
WHERE d.datname = current_database();
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC, %I;', datname, pg_get_userbyid(datdba))
FROM pg_database WHERE datacl IS NOT NULL AND datname = current_database();
SELECT format('GRANT %s ON DATABASE %I TO %s%s;', a.privilege_type, d.datname,
    CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE format('%I', pg_get_userbyid(a.grantee)) END,
    CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM pg_database d, LATERAL aclexplode(d.datacl) a WHERE d.datname = current_database();)sql";
  std::vector<std::string> queries = facts_queries();
  queries.insert(queries.end(), {create, properties});
  std::vector<Rows> answers = query_all(call, server, record.name, queries);
  record.properties.clear();
  for (const std::string& line : answers.back()) record.properties += line + "\n";
  answers.pop_back();
  record.create_with = answers.back().at(0);
  answers.pop_back();
  const DatabaseFacts facts = facts_of(answers);
  record.schema = facts.schema;
  record.revisions = facts.revisions;
}

}  // namespace

std::string file_name(const std::string& name) {
  static const char digits[] = "0123456789ABCDEF";
  std::string result;
  for (char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == '-' || (c == '.' && !result.empty());
    if (plain)
      result += c;
    else
      result += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return result;
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
  PartFile part(file + ".part");
  // Compressed, as only that has a checksum that a full read would see broken; the fastest level
  // is as small as the others within a few percent. A dump waits a minute for each table's lock.
  Process dump = postgres_client(server, "pg_dump", record.name,
                                 {"--format=custom", "--compress=1", "--lock-wait-timeout=60000"});
  dump.output_file = part.path();
  std::string errors;
  dump.on_line = [&](Stream, std::string_view line) { errors.append(line).append("\n"); };
  const Exit exit = call.run(dump);
  struct stat status {};
  const bool written = ::stat(part.path().c_str(), &status) == 0 && status.st_size > 0;
  if (!exit.ok() || !written) {
    const std::string reason = !errors.empty() ? client_error(errors)
                               : exit.ok()     ? "it is empty"
                                               : exit.describe();
    throw Failed("the dump of database " + record.name + " of " + server.description +
                 " failed: " + reason);
  }
  record.bytes = status.st_size;
  record.sha256 = sha256_file(part.path());

  const DumpContent content = read_dump(call, server, part.path());
  record.statements = content.statements;
  record.data = content.data;
  record.rows = content.rows;
  part.keep_as(file);
}

bool dump_roles(const Call& call, const PostgresServer& server, const std::string& file) {
  PartFile part(file + ".part");
  Process process = server_command(
      server, "pg_dumpall",
      {"--username", server.user, "--no-password", "--database", "template1", "--globals-only"});
  process.output_file = part.path();
  process.on_line = [](Stream, std::string_view) {};
  if (!call.run(process).ok()) return false;
  part.keep_as(file);
  return true;
}

void check_dump(const std::string& private_dir, const DatabaseRecord& record) {
  const std::string file = private_dir + "/" + record.dump;
  const std::string found = sha256_file(file);
  if (found != record.sha256) {
    throw Failed("the dump " + file + " is not the one that was taken: its SHA-256 is " + found +
                 ", noted was " + record.sha256);
  }
}

}  // namespace drydock::backup
