// One statement by SOCI: values go in as text, rows come out as text, whatever the types of their
// columns. So one text of SQL serves SQLite and PostgreSQL.
#pragma once

#include <soci/soci.h>

#include <string>
#include <vector>

namespace drydock {

// `sql` names a placeholder (`:1`, `:2`, ...) for each of `values`, and yields `columns` of them.
// on_row(const std::vector<std::string>&), an SQL NULL as "". Throws soci_error.
template <class OnRow>
void soci_rows(soci::session& session, const std::string& sql,
               const std::vector<std::string>& values, std::size_t columns, OnRow on_row) {
  std::vector<std::string> row(columns);
  std::vector<soci::indicator> nulls(columns, soci::i_ok);
  soci::statement statement(session);
  for (const std::string& value : values) statement.exchange(soci::use(value));
  for (std::size_t i = 0; i < columns; ++i) statement.exchange(soci::into(row[i], nulls[i]));
  statement.alloc();
  statement.prepare(sql, soci::details::st_one_time_query);
  statement.define_and_bind();
  bool there = statement.execute(true);
  while (there && columns != 0) {
    for (std::size_t i = 0; i < columns; ++i) {
      if (nulls[i] == soci::i_null) row[i].clear();
    }
    on_row(row);
    there = statement.fetch();
  }
}

}  // namespace drydock
