#include "database_health.h"

#include <algorithm>

#include "compose_engine.h"
#include "wait.h"

namespace drydock::alembic {
namespace {

std::string stage_to_add(const std::string& service) {
  return "add a stage before this one that starts it and waits until it is healthy (uses: "
         "compose-up, with: {services: [" +
         service + "]})";
}

// The service of the files that is to be the database; "": nothing says it.
std::string heir(const Call& call, const MigratorService& migrator) {
  for (const std::string& one : call.texts("/database/service")) {
    if (migrator.services.count(one) != 0) return one;
  }
  return "";
}

void refuse_old_service(const Call& call, const MigratedDatabase& database,
                        const MigratorService& migrator) {
  const std::string& service = database.where.service;
  if (migrator.services.count(service) != 0) return;
  if (compose::all_service_names(call).count(service) != 0) return;  // of another profile
  const std::string next = heir(call, migrator);
  throw Failed(
      "database " + database.name + " still runs as service " + service +
      ", which the release's files do not have: the migrator would look for it elsewhere; " +
      stage_to_add(next.empty() ? "NAME" : next));
}

}  // namespace

void refuse_unready_database(const Call& call, const MigratedDatabase& database,
                             const std::optional<MigratorService>& migrator) {
  if (database.container.empty()) return;
  if (migrator) refuse_old_service(call, database, *migrator);
  const auto limit = call.has("/wait") ? call.duration("/wait") : std::chrono::seconds(60);
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto found = compose::inspect(call, {database.container});
    if (found.empty() || found.front().health.empty() || found.front().health == "healthy") return;
    if (std::chrono::steady_clock::now() >= until) {
      throw Failed("the database of service " + database.where.service + " is " +
                   found.front().health + " (container " + found.front().name + ") after " +
                   std::to_string(limit.count() / 1000) +
                   " s, and a migration begins on a healthy "
                   "one only; look at its log, or " +
                   stage_to_add(database.where.service));
    }
    pause(call, std::chrono::milliseconds(200));
  }
}

}  // namespace drydock::alembic
