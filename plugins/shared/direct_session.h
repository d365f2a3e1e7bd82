// A connection of this process to a database server that is reachable from here: for databases
// outside the deployment, where no container has a client.
#pragma once

#include <chrono>
#include <drydock/stage.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "database_url.h"

struct drydock_direct;

namespace drydock {

// Ends with the process, whatever that dies of. For one thread at a time.
class DirectSession {
 public:
  using Row = std::vector<std::optional<std::string>>;  // nullopt: NULL

  // database: instead of the URL's; "": none (MariaDB and MySQL only). patience: for the
  // connection, and for each statement: a server that was stopped takes both and never answers.
  // Throws Failed with the server's or the client library's own words, in which no password stands.
  DirectSession(const DatabaseUrl& url, const std::string& database,
                std::chrono::milliseconds patience);

  // The rows of one query, all columns as text. Throws Failed with the server's own words.
  std::vector<Row> query(const std::string& sql);
  // One statement without a result.
  void execute(const std::string& sql);

 private:
  std::vector<Row> run(const std::string& sql, bool has_rows);

  std::shared_ptr<drydock_direct> connection_;  // shared with a statement that never ends
  std::chrono::milliseconds patience_;
};

}  // namespace drydock
