// A PostgreSQL server of the test's own, for tests of core. (Those of plugins have
// postgres_world.h.)
#pragma once

#include <pwd.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "capture_command.h"

namespace drydock {

// In a folder of its own, reachable by its socket and a password alone; as the user postgres when
// the test is root, which the server refuses.
class PostgresServer {
 public:
  static constexpr auto password = "hidden-word";

  static bool installed() { return ::access(program("initdb").c_str(), X_OK) == 0; }

  PostgresServer() {
    std::string pattern = "/var/tmp/drydock-pg-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = pattern;
    if (const passwd* user = ::getpwnam("postgres"); ::geteuid() == 0 && user != nullptr) {
      if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0)
        throw std::runtime_error("chown");
      before_ = {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"};
    }
    std::ofstream(folder_ + "/password") << password << "\n";
    must({program("initdb"), "--no-sync", "--no-locale", "--encoding=UTF8", "--username=app",
          "--auth=scram-sha-256", "--pwfile=" + folder_ + "/password", "--pgdata=" + data()});
    start();
  }
  ~PostgresServer() {
    if (started_) stop();
    std::filesystem::remove_all(folder_);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  void start() {
    must({program("pg_ctl"), "--pgdata=" + data(), "--wait", "--log=" + folder_ + "/log",
          "--options", "-c listen_addresses= -c fsync=off -c unix_socket_directories=" + folder_,
          "start"});
    started_ = true;
  }
  void stop() {
    must({program("pg_ctl"), "--pgdata=" + data(), "--wait", "--mode=immediate", "stop"});
    started_ = false;
  }
  std::string url(const std::string& database) const {
    return std::string("postgresql://app:") + password + "@/" + database + "?host=" + folder_;
  }

 private:
  static std::string program(const std::string& name) {
    return "/usr/lib/postgresql/15/bin/" + name;
  }
  std::string data() const { return folder_ + "/data"; }
  void must(const std::vector<std::string>& words) const {
    std::vector<std::string> command = before_;
    command.insert(command.end(), words.begin(), words.end());
    CaptureRequest request;
    request.arguments = command;
    request.directory = "/";  // which that user may enter
    const CapturedCommand done = capture_command(request);
    if (!done.ok()) throw std::runtime_error(done.describe());
  }

  std::string folder_;
  std::vector<std::string> before_;
  bool started_ = false;
};

}  // namespace drydock
