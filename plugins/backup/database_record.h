// What is noted of a dump: all that a rollback needs to know of the database as it was.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace drydock::backup {

struct DatabaseRecord {
  // Where it was dumped.
  std::string kind = "postgresql";  // mariadb mysql
  std::string options;  // JSON Pointer of the entry of `databases`; "": noted before there were
                        // several kinds
  bool at_url =
      false;  // by the option `url`; then service says host and port, and there is no container
  std::string service;
  std::string container;  // id
  std::string image;      // the reference that the container was created from
  std::string image_id;
  std::string user;
  std::string server;   // its version
  std::string restore;  // if-changed always never

  std::string name;
  std::string create_with;  // SQL after CREATE DATABASE name: owner, encoding, locale
  std::string properties;   // SQL statements: settings and privileges of the database itself
  std::string schema;       // see DatabaseFacts
  std::string invalid_indexes;
  std::optional<std::vector<std::string>> revisions;

  // The dump, and what is in it (see DumpContent).
  std::string dump;  // path below the private folder
  std::string sha256;
  std::int64_t bytes = 0;
  std::string taken;   // when it began, UTC, RFC 3339
  double seconds = 0;  // how long it took, without reading it back
  std::string statements;
  std::string data;  // "": of MariaDB, whose dump says it when it is asked (with_data)
  std::map<std::string, std::uint64_t> rows;
  std::map<std::string, std::uint64_t> counters;  // not noted, as `data` of MariaDB

  // Notes and files that belong to this database: "service/name".
  std::string key() const { return service + "/" + name; }
  std::uint64_t total_rows() const;
};

// JSON for a note. Throws Failed when the note is not one of ours.
std::string to_note(const DatabaseRecord&);
DatabaseRecord from_note(const std::string& note);

// A name for a file, of a name that may hold anything: "app", "a%2Fb".
std::string file_name(const std::string& name);

// "72c1f0, 98ab12", "no revision", "no table alembic_version".
std::string describe_revisions(const std::optional<std::vector<std::string>>& revisions);

}  // namespace drydock::backup
