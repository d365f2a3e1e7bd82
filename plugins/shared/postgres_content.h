// What a PostgreSQL dump holds, read from its plain text as it streams by: proof that a database
// is still as it was when it was dumped, or is again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "content_hash.h"
#include "digest.h"

namespace drydock {

struct DumpContent {
  // SHA-256 of all statements but data, in their order, without comments and the session's
  // settings. The same for two dumps of one unchanged database; a restored one may be written
  // slightly differently.
  std::string statements;
  // "schema.table" -> its rows; exact, and of the very snapshot that was dumped.
  std::map<std::string, std::uint64_t> rows;
  // SHA-256 over all rows of all tables, the sequences' positions and the large objects, whatever
  // the order of the rows. Equal for a database and its restored dump.
  std::string data;

  std::uint64_t total_rows() const;
};

// Fed with the lines of `pg_dump` or `pg_restore -f -`, without their ends.
class DumpReader {
 public:
  void line(std::string_view text);
  DumpContent finish();

 private:
  void add_data(const std::string& table);

  Sha256 statements_;
  Sha256 row_;
  std::map<std::string, RowSum> sums_;
  std::map<std::string, std::uint64_t> rows_;
  std::string table_;       // inside its COPY block; "" outside
  bool continues_ = false;  // the last line was cut; the next one belongs to it
};

}  // namespace drydock
