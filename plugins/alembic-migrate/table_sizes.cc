#include "table_sizes.h"

#include <set>

#include "mariadb_server.h"

namespace drydock::alembic {
namespace {

constexpr std::size_t tables_shown = 4;

std::string bare_name(const std::string& table) { return table.substr(table.rfind('.') + 1); }

std::set<std::string> named_tables(const PendingTables& pending) {
  std::set<std::string> names;
  for (const auto& revision : pending) {
    for (const auto& table : revision.second.tables) names.insert(table.first);
  }
  return names;
}

template <class Quote>
std::string list_of(const std::set<std::string>& tables, Quote quote) {
  std::string list;
  for (const std::string& one : tables) list += (list.empty() ? "" : ", ") + quote(bare_name(one));
  return list;
}

// Of several schemas with such a table: the largest.
void add_size(TableSizes& sizes, const std::string& table, const std::string& bytes,
              const std::string& rows) {
  const TableSize size{std::atoll(bytes.c_str()), std::atoll(rows.c_str())};
  const auto found = sizes.emplace(table, size);
  if (!found.second && found.first->second.bytes < size.bytes) found.first->second = size;
}

std::string described(const std::string& table, const TableSize& size) {
  return table + " (" + bytes_text(size.bytes) +
         (size.rows > 0 ? ", about " + std::to_string(size.rows) + " rows" : "") + ")";
}

}  // namespace

std::string bytes_text(std::int64_t bytes) {
  const char* const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::int64_t tenths = bytes * 10;
  for (; tenths >= 10240 && unit + 1 < std::size(units); ++unit) tenths /= 1024;
  const std::string fraction = unit == 0 || tenths >= 100 ? "" : "." + std::to_string(tenths % 10);
  return std::to_string(tenths / 10) + fraction + " " + units[unit];
}

TableSizes table_sizes(const Call& call, const MigratedDatabase& database,
                       const PendingTables& pending) {
  TableSizes sizes;
  const std::set<std::string> names = named_tables(pending);
  if (names.empty() || !database.sqlite.empty()) return sizes;
  if (database.mariadb) {
    for (const MariadbRow& row :
         query(call, *database.mariadb, "",
               "SELECT table_name, coalesce(data_length, 0) + coalesce(index_length, 0),"
               " coalesce(table_rows, 0) FROM information_schema.tables"
               " WHERE table_type = 'BASE TABLE' AND BINARY table_schema = BINARY " +
                   mariadb_literal(database.name) + " AND table_name IN (" +
                   list_of(names, mariadb_literal) + ")")) {
      for (const std::string& name : names) {
        if (row.size() == 3 && bare_name(name) == row[0]) add_size(sizes, name, row[1], row[2]);
      }
    }
    return sizes;
  }
  for (const std::string& line :
       query(call, database.server, database.name,
             "SELECT n.nspname, c.relname, pg_total_relation_size(c.oid),"
             " greatest(c.reltuples, 0)::bigint FROM pg_class c JOIN pg_namespace n"
             " ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p')"
             " AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND c.relname IN (" +
                 list_of(names, quoted_literal) + ");")) {
    const std::vector<std::string> row = fields(line);
    for (const std::string& name : names) {
      if (row.size() != 4 || bare_name(name) != row[1]) continue;
      const bool any_schema = name.find('.') == std::string::npos;
      if (any_schema || name == row[0] + "." + row[1]) add_size(sizes, name, row[2], row[3]);
    }
  }
  return sizes;
}

std::string tables_text(const RevisionTables& tables, const TableSizes& sizes) {
  std::string text;
  std::size_t shown = 0, left = 0;
  for (const auto& table : tables.tables) {
    const auto size = sizes.find(table.first);
    if (size == sizes.end() || table.second.created) continue;
    if (shown == tables_shown) {
      ++left;
      continue;
    }
    ++shown;
    text += (text.empty() ? "on " : ", ") + described(table.first, size->second);
  }
  if (left != 0) text += " and " + std::to_string(left) + " more";
  if (tables.more && !text.empty()) text += ", and what its source does not name";
  return text;
}

std::vector<std::string> table_warnings(const std::string& product, const PendingTables& pending,
                                        const TableSizes& sizes, std::int64_t large) {
  std::vector<std::string> warnings;
  const bool postgres = product == "PostgreSQL";
  for (const auto& [revision, tables] : pending) {
    for (const auto& [name, change] : tables.tables) {
      const auto size = sizes.find(name);
      if (size == sizes.end() || change.created || large == 0 || size->second.bytes < large) {
        continue;
      }
      const std::string table = described(name, size->second);
      if (change.retyped) {
        warnings.push_back("revision " + revision + " gives a column of " + table +
                           " another type: " + product +
                           " writes the whole table anew for most of them, and nobody " +
                           (postgres ? "reads or writes it" : "writes to it") + " meanwhile");
      } else if (postgres && (change.checked || change.indexed)) {
        warnings.push_back("revision " + revision +
                           (change.indexed ? " builds an index on " : " looks at all rows of ") +
                           table + ", and nobody writes to it meanwhile");
      }
    }
  }
  return warnings;
}

RewrittenTables rewritten_tables(const PendingTables& pending, const TableSizes& sizes) {
  std::set<std::string> names;
  for (const auto& revision : pending) {
    for (const auto& [name, change] : revision.second.tables) {
      if (change.retyped && !change.created && sizes.count(name) != 0) names.insert(name);
    }
  }
  RewrittenTables rewritten;
  for (const std::string& one : names) {
    rewritten.bytes += sizes.at(one).bytes;
    rewritten.names += (rewritten.names.empty() ? "" : ", ") + one;
  }
  return rewritten;
}

}  // namespace drydock::alembic
