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
  std::string service;
  std::string container;  // id
  std::string image;      // the reference that the container was created from
  std::string image_id;
  std::string user;
  std::string restore;  // if-changed always never

  std::string name;
  std::string create_with;  // SQL after CREATE DATABASE "name": owner, encoding, locale
  std::string properties;   // SQL statements: settings and privileges of the database itself
  std::string schema;       // see schema_hash()
  std::optional<std::vector<std::string>> revisions;

  // The dump, and what is in it (see DumpContent).
  std::string dump;  // path below the private folder
  std::string sha256;
  std::int64_t bytes = 0;
  std::string statements;
  std::string data;
  std::map<std::string, std::uint64_t> rows;

  // Notes and files that belong to this database: "service/name".
  std::string key() const { return service + "/" + name; }
  std::uint64_t total_rows() const;
};

// JSON for a note. Throws Failed when the note is not one of ours.
std::string to_note(const DatabaseRecord&);
DatabaseRecord from_note(const std::string& note);

// "72c1f0, 98ab12", "no revision", "no table alembic_version".
std::string describe_revisions(const std::optional<std::vector<std::string>>& revisions);

}  // namespace drydock::backup
