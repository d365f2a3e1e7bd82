#include "migration_heads.h"

#include <sstream>

#include "migrator.h"

namespace drydock::alembic {
namespace {

// Where the scripts come from, for people.
std::string home_of_scripts(const Call& call) {
  return call.has("/service") ? "the image of service " + call.text("/service")
                              : "`" + call.texts("/command").front() + "`";
}

std::vector<std::string> find_heads(const Call& call, const Scripts& scripts) {
  if (scripts.graph) return scripts.graph->effective_heads();
  call.debug("asking Alembic for the heads, since the scripts do not tell them: " + scripts.reason);
  return ask_heads(call);
}

}  // namespace

std::optional<MigratorService> service_of(const Call& call) {
  if (!call.has("/service")) return std::nullopt;
  return migrator_service(call);
}

Scripts scripts_of(const Call& call, const std::optional<MigratorService>& service) {
  if (service && service->image_id.empty()) return {std::nullopt, "", "the image is not there yet"};
  return read_scripts(call, service);
}

void remember_heads(const Call& call, const Scripts& scripts) {
  std::string heads;
  try {
    for (const std::string& head : find_heads(call, scripts)) heads += head + "\n";
  } catch (const std::runtime_error& e) {
    call.debug(e.what());
  }
  call.remember("heads", heads);  // also over those of an attempt before this one
}

// The heads are the scripts' own: whether the migrator did anything makes no difference to them.
std::vector<std::string> known_heads(const Call& call) {
  const std::string noted = call.recall("heads").value_or("");
  if (noted.empty()) return ask_heads(call);
  std::istringstream lines(noted);
  std::vector<std::string> heads;
  for (std::string head; std::getline(lines, head);) heads.push_back(head);
  return heads;
}

std::string mismatch(const Call& call, const MigratedDatabase& database, const Revisions& found,
                     const std::vector<std::string>& heads) {
  const std::string expected = "the head of " + home_of_scripts(call) + " is " + describe(heads);
  const std::string place = "database " + database.name;
  if (!found) {
    return place + " has no table alembic_version, and " + expected +
           ": the migrator did not run on this database; look at its output above, and at the "
           "database that it is configured for";
  }
  if (found->empty()) {
    return place + " has an empty table alembic_version" +
           (has_application_tables(call, database)
                ? " beside other tables, so its revision is lost; stamp it with the revision that "
                  "its schema has"
                : ", and " + expected + ": the migrator did nothing; look at its output above");
  }
  if (found->size() > 1 && heads.size() == 1) {
    return place + " is at several revisions at once (" + describe(found) + "), and " + expected +
           ": its branches were not merged, or a stamp is wrong";
  }
  return place + " is at revision " + describe(found) + ", and " + expected +
         ": the migrator failed or did nothing, whatever its exit code; look at its output above";
}

}  // namespace drydock::alembic
