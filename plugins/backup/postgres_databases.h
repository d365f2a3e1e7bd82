// PostgreSQL as a DatabaseServer.
#pragma once

#include "database_server.h"
#include "postgres_server.h"

namespace drydock::backup {

class PostgresDatabases : public DatabaseServer {
 public:
  // default_database: also when it is `postgres`, which is nobody's otherwise.
  PostgresDatabases(PostgresServer server, std::string default_database)
      : server_(std::move(server)), default_database_(std::move(default_database)) {}

  std::string kind() const override { return "postgresql"; }
  std::string product() const override { return "PostgreSQL"; }
  std::string description() const override { return server_.description; }
  std::string user() const override { return server_.user; }
  DatabaseSizes wait_for(const Call&, std::chrono::milliseconds patience) const override;
  std::vector<std::string> applications(const DatabaseSizes&) const override;
  DatabaseFacts facts(const Call&, const std::string& database, std::int64_t bytes) const override;
  void dump(const Call&, DatabaseRecord&) const override;
  bool dump_accounts(const Call&, const std::string& file) const override;
  std::string dump_suffix() const override { return ".dump"; }
  void read_back(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  void try_restore(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  bool was_restored(const Call&, const DatabaseRecord&) const override;
  bool is_unchanged(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  std::string restore(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  void drop(const Call&, const std::string& database) const override;
  void put_properties_back(const Call&, const DatabaseRecord&) const override;

 private:
  PostgresServer server_;
  std::string default_database_;
};

}  // namespace drydock::backup
