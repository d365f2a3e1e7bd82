// What a PostgreSQL dump holds, read from its plain text as it streams by: proof that a database
// is still as it was when it was dumped, or is again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "content_hash.h"
#include "database_types.h"
#include "digest.h"

namespace drydock {

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
