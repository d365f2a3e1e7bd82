#include "postgres_copy.h"

#include "command_pipe.h"
#include "postgres_properties.h"

namespace drydock {

void copy_database(const Call& call, const PostgresServer& server, const std::string& from,
                   const std::string& to, const std::string& session, const std::string& comment) {
  const std::vector<Rows> answers =
      query_all(call, server, from, {create_with_query(), properties_query(to)});
  const std::string name = quoted_identifier(to);
  execute(call, server, "template1", "CREATE DATABASE " + name + " " + answers[0].at(0) + ";");
  std::string properties =
      "COMMENT ON DATABASE " + name + " IS " + quoted_literal(comment) + ";\n";
  for (const std::string& one : answers[1]) properties += one + "\n";
  execute(call, server, to, properties);

  // Compressed, as a backup is: through a container's streams that is also quicker.
  Process dump = postgres_client(server, "pg_dump", from,
                                 {"--format=custom", "--compress=1", "--lock-wait-timeout=60000",
                                  "--no-publications", "--no-subscriptions"},
                                 session);
  const Piped copied = pipe_commands(call, std::move(dump),
                                     postgres_client(server, "pg_restore", to, {"--exit-on-error"}));
  // A dump that fails takes the restore along; whose end comes first has failed by itself.
  if (!copied.broken && !copied.from.exit.ok()) {
    throw Failed("the dump of database " + from + " of " + server.description + " failed: " +
                 (copied.from.errors.empty() ? copied.from.exit.describe()
                                             : client_error(copied.from.errors)));
  }
  if (copied.broken || !copied.into.ok()) {
    throw Failed("restoring the dump of database " + from + " into database " + to + " of " +
                 server.description + " failed: " +
                 (copied.into_said.empty() ? copied.into.describe()
                                           : client_error(copied.into_said)));
  }
}

void drop_database(const Call& call, const PostgresServer& server, const std::string& name) {
  const std::string of_that_name = " FROM pg_database WHERE datname = " + quoted_literal(name);
  execute(call, server, "template1",
          // Nobody comes while the last ones go.
          "SELECT format('ALTER DATABASE %I ALLOW_CONNECTIONS false', datname)" + of_that_name +
              "\n\\gexec\n"
              "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = " +
              quoted_literal(name) + ";\nDROP DATABASE IF EXISTS " + quoted_identifier(name) + ";");
}

}  // namespace drydock
