#include "outside_server.h"

#include "host_clients.h"
#include "mariadb_databases.h"
#include "postgres_databases.h"

namespace drydock::backup {
namespace {

// The server together with what its clients read.
template <class Databases>
class WithClients : public Databases {
 public:
  template <class... Arguments>
  explicit WithClients(std::unique_ptr<HostClients> clients, Arguments&&... arguments)
      : Databases(std::forward<Arguments>(arguments)...), clients_(std::move(clients)) {}

 private:
  std::unique_ptr<HostClients> clients_;
};

}  // namespace

std::unique_ptr<DatabaseServer> server_at(const Call& call, const DatabaseUrl& url) {
  auto clients = std::make_unique<HostClients>(call, url);
  if (url.kind == "postgresql") {
    PostgresServer server = clients->postgres();
    return std::make_unique<WithClients<PostgresDatabases>>(std::move(clients), std::move(server),
                                                            url.database);
  }
  MariadbServer server = clients->mariadb();
  return std::make_unique<WithClients<MariadbDatabases>>(std::move(clients), std::move(server));
}

}  // namespace drydock::backup
