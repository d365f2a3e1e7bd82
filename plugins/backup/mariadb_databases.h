// MariaDB or MySQL as a DatabaseServer.
#pragma once

#include "databases_on.h"
#include "mariadb_dump.h"
#include "mariadb_facts.h"

namespace drydock::backup {

class MariadbDatabases : public DatabasesOn<MariadbServer> {
 public:
  using DatabasesOn::DatabasesOn;

  std::string kind() const override { return server_.mysql ? "mysql" : "mariadb"; }
  std::string product() const override { return server_.product(); }
  std::vector<std::string> applications(const DatabaseSizes&) const override;
  bool dump_accounts(const Call&, const std::string& file) const override;
  std::string dump_suffix() const override { return ".sql"; }
  void read_back(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  void try_restore(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  bool was_restored(const Call&, const DatabaseRecord&) const override;
  bool is_unchanged(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  // MariaDB cannot rename a database, so it is emptied and filled again under its own name.
  std::string restore(const Call&, const std::string& folder, const DatabaseRecord&) const override;
  void drop(const Call&, const std::string& database) const override;
  void put_properties_back(const Call&, const DatabaseRecord&) const override {}
};

}  // namespace drydock::backup
