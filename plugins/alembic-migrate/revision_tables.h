// Which tables a revision names, and what it does to them, as far as its source says so: the calls
// of Alembic's `op` with literals, and the SQL texts among them.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace drydock::alembic {

struct TableChange {
  bool created = false;  // before anything else that is done to it
  bool altered = false;  // its definition changes, which its owner alone may do
  bool retyped = false;  // a column gets another type, for which rows may be written anew
  bool checked = false;  // all rows are looked at: NOT NULL, a foreign key, a check
  bool indexed = false;  // an index is built, and not CONCURRENTLY
  bool dropped = false;
  // What MariaDB and MySQL tell apart: the privileges ALTER and INDEX.
  bool by_alter_table = false, by_index = false;
};

struct RevisionTables {
  std::map<std::string, TableChange> tables;  // by name; "schema.name" where the source says so
  bool more = false;  // statements, or names, that it computes: there may be further tables
};

// All of the source counts but its function downgrade(). Best effort: what is no Python as
// PythonSource reads it makes only `more` true.
RevisionTables revision_tables(std::string_view source);

// The same of one text of SQL statements.
void add_sql_tables(const std::string& sql, RevisionTables& found);

}  // namespace drydock::alembic
