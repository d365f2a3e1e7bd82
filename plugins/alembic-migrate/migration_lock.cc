#include "migration_lock.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <regex>

#include "migrator.h"

namespace drydock::alembic {
namespace {

// Advisory locks belong to one database; the number only has to differ from the application's own.
const std::string lock_key = "7238510471205021794";
const std::string holds_the_lock =
    " FROM pg_stat_activity JOIN pg_locks l USING (pid) WHERE l.locktype = 'advisory'"
    " AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database()) AND (l.classid::bigint << 32) | l.objid::bigint = " +
    lock_key;
const std::string session_columns =
    "SELECT pid, application_name, to_char(backend_start AT TIME ZONE 'UTC', "
    "'YYYY-MM-DD HH24:MI:SS'), coalesce(substring(query FROM '/\\* (.*?) \\*/'), '')";

// In a comment of the statement, where pg_stat_activity shows it to whoever is refused.
std::string holder(const Call& call) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string text =
      "run " + std::to_string(call.run_id()) + " of " + call.deployment_dir() + " on " + host;
  return std::regex_replace(text, std::regex(R"([*\\\n])"), "?");
}

std::string locking(const Call& call, const std::string& session) {
  return "SET application_name = " + quoted_literal(session) +
         ";\n"
         "SELECT set_config(name, '0', false) FROM pg_settings"
         " WHERE name IN ('idle_session_timeout', 'statement_timeout') \\g /dev/null\n"
         "SELECT /* " +
         holder(call) + " */ pg_try_advisory_lock(" + lock_key +
         ") AS taken \\gset\n"
         "\\if :taken\n\\else\n\\quit\n\\endif\n";
}

Process session_process(const PostgresServer& server, const std::string& database,
                        const std::string& input) {
  Process process =
      postgres_client(server, "psql", database,
                      {"--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file", "-"});
  process.input_file = input;
  return process;
}

// Opened for reading as well: else opening would wait for the session to open its end.
int open_fifo(const std::string& path) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), 0600) != 0) return -1;
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

std::string described(const std::string& row) {
  const std::vector<std::string> column = fields(row);
  const std::string& by = column.at(3);
  return (by.empty() ? "session " + column.at(1) : by) + " (pid " + column.at(0) + ", since " +
         column.at(2) + " UTC)";
}

}  // namespace

MigrationLock::MigrationLock(const Call& call, const MigratedDatabase& database)
    : call_(call), database_(database) {
  if (!database.sqlite.empty()) return;
  session_ = container_name(call, "lock");
  note_session(call, session_);
  const std::string path = call.private_dir() + "/lock";
  input_ = open_fifo(path);
  const std::string sql = locking(call, session_);
  if (input_ < 0 || ::write(input_, sql.data(), sql.size()) != static_cast<ssize_t>(sql.size())) {
    const std::string why = std::strerror(errno);
    close_input();
    throw Failed("cannot make the pipe " + path + ": " + why);
  }
  running_ = std::async(std::launch::async,
                        [&call, process = session_process(database.server, database.name, path)] {
                          return call.capture(process);
                        });
  try {
    wait_until_tried();
    ::unlink(path.c_str());
    if (session_ended()) refuse();
    refuse_other_migrators();
  } catch (...) {
    close_input();
    running_.wait();
    throw;
  }
}

MigrationLock::~MigrationLock() {
  close_input();
  if (running_.valid()) running_.wait();
}

void MigrationLock::close_input() noexcept {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

bool MigrationLock::session_ended() const {
  return running_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

// Asked of the server by another session.
void MigrationLock::wait_until_tried() {
  const std::string mine =
      "SELECT pid" + holds_the_lock + " AND application_name = " + quoted_literal(session_) + ";";
  while (!session_ended() && query(call_, database_.server, database_.name, mine).empty()) {
    pause(call_, std::chrono::milliseconds(50));
  }
}

void MigrationLock::refuse() const {
  const Captured& ended = running_.get();
  if (!ended.exit.ok()) {
    throw Failed("cannot lock database " + database_.name + " of " + database_.server.description +
                 " for the migration: " +
                 (ended.err.empty() ? ended.exit.describe() : client_error(ended.err)));
  }
  const Rows holders =
      query(call_, database_.server, database_.name, session_columns + holds_the_lock + ";");
  throw Failed("another migrator is at work on database " + database_.name +
               ": its lock is held by " +
               (holders.empty() ? "a session that has just ended" : described(holders.front())) +
               "; repeat when that has ended");
}

// A drydock that was killed has lost its lock, while its migrator may still be at work.
void MigrationLock::refuse_other_migrators() const {
  const Rows others =
      query(call_, database_.server, database_.name,
            session_columns +
                " FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name ~ '^drydock-.*-migrate[0-9]*-[0-9a-f]{8}-[0-9]+-[0-9]+$';");
  if (others.empty()) return;
  const std::vector<std::string> column = fields(others.front());
  throw Failed("the migrator " + column.at(1) +
               " of another, interrupted run is still at work on "
               "database " +
               database_.name + " (pid " + column.at(0) + ", since " + column.at(2) +
               " UTC); roll that run back, or wait until it has ended");
}

void MigrationLock::release() {
  if (!running_.valid()) return;
  const bool early = session_ended();
  close_input();
  const Captured ended = running_.get();
  if (early) {
    call_.warn("the session that kept other migrators away from database " + database_.name +
               " ended before the migration did (" +
               (ended.err.empty() ? ended.exit.describe() : client_error(ended.err)) + ")");
  }
}

}  // namespace drydock::alembic
