#include "postgres_databases.h"

#include "postgres_copy.h"
#include "postgres_restore.h"
#include "set_aside.h"

namespace drydock::backup {

std::vector<std::string> PostgresDatabases::applications(const DatabaseSizes& sizes) const {
  return application_databases(sizes, default_database_);
}

bool PostgresDatabases::dump_accounts(const Call& call, const std::string& file) const {
  return dump_roles(call, server_, file);
}

void PostgresDatabases::read_back(const Call& call, const std::string& folder,
                                  const DatabaseRecord& record) const {
  check_dump(folder, record);
  const std::string file = folder + "/" + record.dump;
  const DumpContent content = read_dump(call, server_, file);
  if (content.data == record.data && content.statements == record.statements) return;
  throw Failed("the dump " + file + " does not hold what was noted of it");
}

void PostgresDatabases::try_restore(const Call& call, const std::string& folder,
                                    const DatabaseRecord& record) const {
  const std::string scratch = derived_name(record.name, scratch_suffix);
  backup::try_restore(call, server_, folder, record, scratch);
  drop_database(call, server_, scratch);
  forget_database_aside(call, scratch);
}

bool PostgresDatabases::was_restored(const Call& call, const DatabaseRecord& record) const {
  return backup::was_restored(call, server_, record);
}

bool PostgresDatabases::is_unchanged(const Call& call, const std::string&,
                                     const DatabaseRecord& record) const {
  return backup::is_unchanged(call, server_, record);
}

std::string PostgresDatabases::restore(const Call& call, const std::string& folder,
                                       const DatabaseRecord& record) const {
  const std::string failed = restore_database(call, server_, folder, record);
  if (failed.empty()) return "";
  std::string command;
  for (const std::string& word : server_.reach) {
    if (word != "--env" && word != "PGPASSWORD") command += word + " ";
  }
  // Of a server at a URL, whose clients find it by their environment.
  std::string place;
  for (const std::string& variable : server_.environment) {
    if (variable.rfind("PGHOST=", 0) == 0) place += "--host " + variable.substr(7) + " ";
    if (variable.rfind("PGPORT=", 0) == 0) place += "--port " + variable.substr(7) + " ";
  }
  return "what stood there is kept as database " + failed + "; drop it with: " + command +
         "dropdb " + place + "--username " + server_.user + " " + failed;
}

void PostgresDatabases::drop(const Call& call, const std::string& database) const {
  drop_database(call, server_, database);
}

void PostgresDatabases::put_properties_back(const Call& call, const DatabaseRecord& record) const {
  backup::put_properties_back(call, server_, record);
}

}  // namespace drydock::backup
