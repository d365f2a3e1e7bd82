// A connection of this process to a database server that is reachable from here: for databases
// outside the deployment, where no container has a client.
#pragma once

#include <drydock/stage.hpp>
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

  // database: instead of the URL's; "": none (MariaDB and MySQL only). Throws Failed with the
  // server's or the client library's own words, in which no password stands.
  DirectSession(const DatabaseUrl& url, const std::string& database);
  ~DirectSession();
  DirectSession(const DirectSession&) = delete;
  DirectSession& operator=(const DirectSession&) = delete;

  // The rows of one query, all columns as text. Throws Failed with the server's own words.
  std::vector<Row> query(const std::string& sql);
  // One statement without a result.
  void execute(const std::string& sql);

 private:
  drydock_direct* connection_ = nullptr;
};

}  // namespace drydock
