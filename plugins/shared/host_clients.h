// The database clients of this machine, for a server outside the deployment.
#pragma once

#include <memory>

#include "database_url.h"
#include "drydock/stage.hpp"
#include "mariadb_server.h"
#include "postgres_server.h"

namespace drydock {

// How they reach the server at the URL. Its password is in a file that they read, which is gone
// when this is: for as long as the servers below are used.
class HostClients {
 public:
  // Throws Failed when this machine lacks the clients.
  HostClients(const Call&, const DatabaseUrl&);
  ~HostClients();

  // The one that the URL is of.
  const PostgresServer& postgres() const { return postgres_; }
  const MariadbServer& mariadb() const { return mariadb_; }

 private:
  class ClientFile;
  void reach_postgres(const Call&, const DatabaseUrl&);
  void reach_mariadb(const Call&, const DatabaseUrl&);

  std::unique_ptr<ClientFile> file_;
  PostgresServer postgres_;
  MariadbServer mariadb_;
};

}  // namespace drydock
