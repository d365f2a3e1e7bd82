#include "mariadb_lock_wait.h"

#include <algorithm>
#include <vector>

#include "mariadb_server.h"
#include "migrator.h"
#include "wait.h"

namespace drydock::alembic {
namespace {

constexpr auto lock_waits_note = "lock_waits";
// For the locks of tables, which every ALTER needs, and for those of rows.
const char* const wait_variables[] = {"lock_wait_timeout", "innodb_lock_wait_timeout"};

struct GlobalValue {
  std::string variable, before, ours;
};

MariadbRow global_values(const Call& call, const MariadbServer& server) {
  return query(call, server, "",
               "SELECT @@GLOBAL.lock_wait_timeout, @@GLOBAL.innodb_lock_wait_timeout")
      .at(0);
}

void set_global(const Call& call, const MariadbServer& server, const std::string& variable,
                const std::string& value) {
  execute(call, server, "", "SET GLOBAL " + variable + " = " + value);
}

std::vector<GlobalValue> noted_values(const Call& call) {
  std::vector<GlobalValue> values;
  const std::string note = call.recall(lock_waits_note).value_or("");
  for (std::size_t begin = 0; begin < note.size();) {
    const std::size_t end = note.find('\n', begin);
    const std::string line = note.substr(begin, end - begin);
    const std::size_t first = line.find(' '), second = line.rfind(' ');
    values.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1),
                      line.substr(second + 1)});
    begin = end + 1;
  }
  return values;
}

// Who may change the variables: "NULL" nobody in particular, else a connection.
std::string holder(const Call& call, const MariadbServer& server) {
  return query(call, server, "", "SELECT IS_USED_LOCK(" + mariadb_literal(lock_waits_lock) + ")")
      .at(0)
      .at(0);
}

bool is_ours(const Call& call, const MariadbServer& server, const std::string& connection) {
  const std::string session = container_name(call, "lock");
  return connection ==
         query(call, server, "", "SELECT IS_USED_LOCK(" + mariadb_literal(session) + ")")
             .at(0)
             .at(0);
}

void wait_for_others(const Call& call, const MariadbServer& server) {
  const auto limit = call.has("/wait") ? call.duration("/wait") : std::chrono::seconds(60);
  const auto until = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const std::string other = holder(call, server);
    if (other == "NULL" || is_ours(call, server, other)) return;
    if (std::chrono::steady_clock::now() >= until) {
      throw Failed("the lock_wait_timeout of " + server.description +
                   " cannot be put back while another migration is at work there (connection " +
                   other + "); repeat when that has ended");
    }
    pause(call, std::chrono::milliseconds(200));
  }
}

}  // namespace

std::string mariadb_lock_waits(const Call& call, const MigratedDatabase& database) {
  const MariadbRow values = global_values(call, *database.mariadb);
  return std::string(wait_variables[0]) + "=" + values.at(0) + ", " + wait_variables[1] + "=" +
         values.at(1);
}

std::string why_no_lock_waits(const Call& call, const MigratedDatabase& database) {
  try {
    set_global(call, *database.mariadb, wait_variables[0],
               std::string("@@GLOBAL.") + wait_variables[0]);
  } catch (const Failed& e) {
    return e.what();
  }
  return "";
}

void limit_mariadb_lock_waits(const Call& call, const MigratedDatabase& database,
                              std::chrono::milliseconds limit) {
  const MariadbServer& server = *database.mariadb;
  if (!why_no_lock_waits(call, database).empty()) return;  // which `plan` has said
  if (const std::string other = holder(call, server); !is_ours(call, server, other)) {
    return call.info("another migration on " + server.description +
                     " has set how long a statement waits for a lock (connection " + other +
                     "); this one goes by that");
  }
  const std::string ours = std::to_string(std::max<std::int64_t>(1, (limit.count() + 999) / 1000));
  const MariadbRow before = global_values(call, server);
  std::string note;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (std::stoll(before[i]) <= std::stoll(ours)) continue;
    note += wait_variables[i] + (" " + before[i]) + " " + ours + "\n";
  }
  if (note.empty()) return;
  call.remember(lock_waits_note, note);
  for (const GlobalValue& one : noted_values(call)) {
    set_global(call, server, one.variable, one.ours);
  }
}

void put_back_mariadb_lock_waits(const Call& call, const MigratedDatabase& database) {
  const std::vector<GlobalValue> noted = noted_values(call);
  if (noted.empty()) return;
  wait_for_others(call, *database.mariadb);
  for (const GlobalValue& one : noted) {
    const MariadbRows now = query(call, *database.mariadb, "", "SELECT @@GLOBAL." + one.variable);
    if (now.at(0).at(0) == one.ours) set_global(call, *database.mariadb, one.variable, one.before);
  }
  call.remember(lock_waits_note, "");
}

bool tells_of_mariadb_lock_wait(std::string_view line) {
  return line.find("Lock wait timeout exceeded") != std::string_view::npos;
}

}  // namespace drydock::alembic
