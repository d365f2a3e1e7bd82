// A PostgreSQL server of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "database_world.h"

namespace drydock::testing {

inline const std::string postgres_programs = "/usr/lib/postgresql/15/bin/";

// Runs in a folder of its own, reachable by its socket alone, as the user postgres when the test is
// root (the server refuses root).
class PostgresProcess : public DatabaseProcess {
 public:
  static constexpr auto password = "hidden";
  enum class Access { trusted, by_password };

  explicit PostgresProcess(Access access = Access::trusted) {
    std::string pattern = "/var/tmp/drydock-pg-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    dir_ = pattern;
    if (const passwd* user = ::getpwnam("postgres"); ::geteuid() == 0 && user != nullptr) {
      if (::chown(dir_.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown");
      as_postgres_ = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"};
    }
    std::ofstream(dir_ + "/password") << password << "\n";
    must({"initdb", "--no-sync", "--no-locale", "--encoding=UTF8", "--username=app",
          access == Access::trusted ? "--auth=trust" : "--auth=scram-sha-256",
          "--pwfile=" + dir_ + "/password", "--pgdata", dir_ + "/data"});
    start();
    sql("template1", "CREATE DATABASE app");
  }
  ~PostgresProcess() override {
    if (started_) stop();
    std::filesystem::remove_all(dir_);
  }
  PostgresProcess(const PostgresProcess&) = delete;
  PostgresProcess& operator=(const PostgresProcess&) = delete;

  static bool installed() { return ::access((postgres_programs + "initdb").c_str(), X_OK) == 0; }

  void start() override {
    must({"pg_ctl", "--pgdata", dir_ + "/data", "--wait", "--log", dir_ + "/log", "--options",
          "-c listen_addresses= -c fsync=off -c unix_socket_directories=" + dir_, "start"});
    started_ = true;
  }
  void stop() {
    must({"pg_ctl", "--pgdata", dir_ + "/data", "--wait", "--mode", "immediate", "stop"});
    started_ = false;
  }
  bool started() const override { return started_; }
  // All its processes, as when the machine under it hangs.
  void stand_still(bool still) const {
    pid_t server = 0;
    std::ifstream(dir_ + "/data/postmaster.pid") >> server;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / "stat");
      pid_t pid = 0, parent = 0;
      std::string name, state;
      const bool read = static_cast<bool>(file >> pid >> name >> state >> parent);
      if (read && (pid == server || parent == server)) ::kill(pid, still ? SIGSTOP : SIGCONT);
    }
  }

  // A client as it is called inside the container.
  Result client(Process process) const override {
    std::vector<std::string> arguments = as_postgres_;
    process.arguments[0] = postgres_programs + process.arguments[0];
    arguments.insert(arguments.end(), process.arguments.begin(), process.arguments.end());
    process.arguments = arguments;
    process.environment.push_back("PGHOST=" + dir_);
    process.directory = "/";
    return execute(process, killing_.read.fd);
  }
  // As when their parent dies, for those that run now; until the next call, also for later ones.
  void kill_clients(bool kill) {
    char byte = 'x';
    if (kill ? ::write(killing_.write.fd, &byte, 1) != 1
             : ::read(killing_.read.fd, &byte, 1) != 1) {
      throw std::runtime_error("cannot tell the clients");
    }
  }
  const std::string& folder() const { return dir_; }  // of its socket
  std::string sql(const std::string& database, const std::string& statements) const {
    Process process;
    process.arguments = {"psql", "-X",  "-q", "-A",    "-t", "-v", "ON_ERROR_STOP=1",
                         "-U",   "app", "-d", database};
    process.environment = {std::string("PGPASSWORD=") + password};
    process.input = statements;
    const Result result = client(process);
    EXPECT_EQ(result.code, 0) << statements << "\n" << result.err;
    return result.out;
  }
  // All rows of the database, and its large objects, in a form in which equal means equal.
  std::string dump(const std::string& database) const {
    Process process;
    process.arguments = {"pg_dump", "--data-only", "--username=app", database};
    process.environment = {std::string("PGPASSWORD=") + password};
    const Result result = client(process);
    EXPECT_EQ(result.code, 0) << result.err;
    std::string rows;
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) {
      const bool changes = line.rfind("--", 0) == 0 || line.rfind("\\restrict", 0) == 0 ||
                           line.rfind("\\unrestrict", 0) == 0;
      if (!changes) rows += line + "\n";
    }
    return rows;
  }

 private:
  void must(std::vector<std::string> arguments) const {
    Process process;
    process.arguments = std::move(arguments);
    const Result result = client(process);
    if (result.code != 0) throw std::runtime_error(result.out + result.err);
  }

  std::string dir_;
  std::vector<std::string> as_postgres_;
  detail::Pipe killing_;
  bool started_ = false;
};

}  // namespace drydock::testing
