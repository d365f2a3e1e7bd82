#include "offline_sql.h"

#include <algorithm>

#include "migrator.h"

namespace drydock::alembic {
namespace {

constexpr std::string_view begins_revision = "-- Running upgrade ";

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

bool is_bookkeeping(const std::string& statement) {
  return statement == "BEGIN;" || statement == "COMMIT;" ||
         statement.find("alembic_version") != std::string::npos;
}

// In a network of its own, and by the image's id: the tag may move.
Process isolated(const Call& call, const MigratorService& service,
                 const std::vector<std::string>& command) {
  Process process;
  process.arguments = {"docker",
                       "run",
                       "--rm",
                       "--network",
                       "none",
                       "--label",
                       "drydock.plan=" + call.deployment_dir()};
  for (const auto& [name, value] : service.environment) {
    process.arguments.insert(process.arguments.end(), {"--env", name});
    process.environment.push_back(name + "=" + value);  // never an argument: it may be secret
  }
  process.arguments.insert(process.arguments.end(), {"--workdir", service.folder, "--entrypoint",
                                                     command.front(), service.image_id});
  process.arguments.insert(process.arguments.end(), command.begin() + 1, command.end());
  return process;
}

std::string last_words(const std::string& said) {
  LastLines last;
  for (std::string_view rest = said; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    last.add(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return last.text();
}

}  // namespace

OfflineSql parse_offline_sql(std::string_view printed) {
  OfflineSql result;
  std::string revision, statement;
  while (!printed.empty()) {
    const std::size_t end = std::min(printed.find('\n'), printed.size());
    const std::string_view line = without_blanks(printed.substr(0, end));
    printed.remove_prefix(std::min(end + 1, printed.size()));
    if (line.substr(0, begins_revision.size()) == begins_revision) {
      // "-- Running upgrade one, two -> three"
      const std::size_t arrow = line.rfind("-> ");
      revision = arrow == std::string_view::npos ? "" : line.substr(arrow + 3);
      statement.clear();
      continue;
    }
    // Before the first revision: the table alembic_version, and what the application says.
    if (revision.empty() || line.empty() || line.substr(0, 2) == "--") continue;
    statement += (statement.empty() ? "" : " ") + std::string(line);
    if (line.back() != ';') continue;
    std::string& all = result[revision];
    if (!is_bookkeeping(statement)) all += (all.empty() ? "" : " ") + statement;
    statement.clear();
  }
  return result;
}

OfflineSql offline_sql(const Call& call, const std::optional<MigratorService>& service,
                       const Revisions& from, const std::string& target) {
  if (from && from->size() > 1) {
    call.warn("the SQL of a migration from several revisions at once cannot be printed");
    return {};
  }
  const std::string begin = from && !from->empty() ? from->front() + ":" : "";
  const std::vector<std::string> words = {"upgrade", begin + (target.empty() ? "head" : target),
                                          "--sql"};
  std::vector<std::string> command = in_place_of_upgrade(call, words);
  if (command.empty()) {
    command = {"flask", "db"};
    command.insert(command.end(), words.begin(), words.end());
  }
  const Captured captured = call.capture(service ? isolated(call, *service, command)
                                                 : script_process(call, "drydock-sql", command));
  if (captured.exit.ok()) return parse_offline_sql(captured.out);
  const std::string said = last_words(captured.err);
  call.warn("the SQL of the migration cannot be printed: the migrator with `--sql` gave " +
            captured.exit.describe() + (said.empty() ? "" : ": " + said));
  return {};
}

}  // namespace drydock::alembic
