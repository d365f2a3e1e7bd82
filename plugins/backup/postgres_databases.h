// PostgreSQL as a DatabaseServer.
#pragma once

#include "databases_on.h"
#include "postgres_dump.h"
#include "postgres_facts.h"

namespace drydock::backup {

class PostgresDatabases : public DatabasesOn<PostgresServer> {
 public:
  // default_database: also when it is `postgres`, which is nobody's otherwise.
  PostgresDatabases(PostgresServer server, std::string default_database)
      : DatabasesOn(std::move(server)), default_database_(std::move(default_database)) {}

  std::string kind() const override { return "postgresql"; }
  std::string product() const override { return "PostgreSQL"; }
  std::vector<std::string> applications(const DatabaseSizes&) const override;
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
  std::string default_database_;
};

}  // namespace drydock::backup
