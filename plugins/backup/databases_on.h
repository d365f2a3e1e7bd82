// What the DatabaseServers have in common, whichever product: they ask the functions of its name
// for their kind of server.
#pragma once

#include <utility>

#include "database_server.h"

namespace drydock::backup {

template <class Server>
class DatabasesOn : public DatabaseServer {
 public:
  explicit DatabasesOn(Server server) : server_(std::move(server)) {}

  std::string description() const final { return server_.description; }
  std::string user() const final { return server_.user; }
  DatabaseSizes wait_for(const Call& call, std::chrono::milliseconds patience) const final {
    return wait_for_databases(call, server_, patience);
  }
  DatabaseFacts facts(const Call& call, const std::string& database,
                      std::int64_t bytes) const final {
    return database_facts(call, server_, database, bytes);
  }
  void dump(const Call& call, DatabaseRecord& record) const final {
    dump_database(call, server_, record);
  }

 protected:
  const Server server_;
};

}  // namespace drydock::backup
