// A MariaDB server of the test's own.
#pragma once

#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "database_world.h"

namespace drydock::testing {

// Runs in a folder of its own, reachable by its socket alone, as the user mysql when the test is
// root (the server refuses root). Its root has a password with all that options files trip over.
class MariadbProcess : public DatabaseProcess {
 public:
  static constexpr auto password = R"(hid"den#p\n' =;ü)";

  MariadbProcess() {
    std::string pattern = "/var/tmp/drydock-mariadb-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    dir_ = pattern;
    if (const passwd* user = ::getpwnam("mysql"); ::geteuid() == 0 && user != nullptr) {
      if (::chown(dir_.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("chown");
      as_mysql_ = {"setpriv", "--reuid=mysql", "--regid=mysql", "--init-groups"};
    }
    Process install;
    install.arguments = as_mysql_;
    for (const std::string& word : std::vector<std::string>{
             "mariadb-install-db", "--no-defaults", "--datadir=" + dir_ + "/data", own_tmpdir(),
             "--force", "--auth-root-authentication-method=normal", "--skip-test-db",
             "--skip-name-resolve"}) {
      install.arguments.push_back(word);
    }
    install.directory = "/";
    const Result installed = execute(install, -1);
    if (installed.code != 0) throw std::runtime_error(installed.out + installed.err);
    start();
    Process first;
    first.arguments = {"mariadb", "--user=root"};
    first.input = "ALTER USER root@localhost IDENTIFIED BY '" + escaped_password() + "'";
    const Result changed = client(first);
    if (changed.code != 0) throw std::runtime_error(changed.err);
  }
  ~MariadbProcess() override {
    if (started_) stop();
    std::filesystem::remove_all(dir_);
  }
  MariadbProcess(const MariadbProcess&) = delete;
  MariadbProcess& operator=(const MariadbProcess&) = delete;

  // A server that starts removes the temporary tables of all others in its folder for them.
  std::string own_tmpdir() const { return "--tmpdir=" + dir_; }

  static bool installed() { return ::access("/usr/sbin/mariadbd", X_OK) == 0; }

  // Returns when it accepts connections.
  void start() override {
    std::vector<std::string> words = as_mysql_;
    for (const std::string& word : std::vector<std::string>{
             "/usr/sbin/mariadbd", "--no-defaults", "--datadir=" + dir_ + "/data", own_tmpdir(),
             "--socket=" + socket(), "--pid-file=" + dir_ + "/pid", "--skip-networking",
             "--log-error=" + dir_ + "/log", "--innodb-flush-log-at-trx-commit=2",
             "--innodb-buffer-pool-size=16M", "--skip-name-resolve", "--open-files-limit=4096"}) {
      words.push_back(word);
    }
    std::vector<char*> arguments = detail::pointers(words);
    if (::posix_spawnp(&pid_, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
      throw std::runtime_error("mariadbd does not start");
    }
    started_ = true;
    // `mariadb-admin --wait` would look again every five seconds only.
    const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!accepts_connections()) {
      if (std::chrono::steady_clock::now() > until) {
        throw std::runtime_error("mariadbd does not answer; see " + dir_ + "/log");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // As a power cut would.
  void stop() {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    started_ = false;
  }
  bool started() const override { return started_; }
  std::string socket() const { return dir_ + "/socket"; }
  std::string data() const { return dir_ + "/data"; }  // its folder

  Result client(Process process) const override {
    process.arguments.insert(process.arguments.begin() + 1,
                             {"--no-defaults", "--socket=" + socket()});
    process.directory = "/";
    return execute(process, killing_.read.fd);
  }
  // While it is set, clients are killed.
  void kill_clients(bool kill) {
    char byte = 'x';
    if (kill ? ::write(killing_.write.fd, &byte, 1) != 1
             : ::read(killing_.read.fd, &byte, 1) != 1) {
      throw std::runtime_error("cannot tell the clients");
    }
  }
  std::string sql(const std::string& database, const std::string& statements) const {
    Process process;
    process.arguments = {"mariadb", "--batch", "--skip-column-names", "--user=root",
                         "--database=" + database};
    process.environment = {std::string("MYSQL_PWD=") + password};
    process.input = statements;
    const Result result = client(process);
    EXPECT_EQ(result.code, 0) << statements << "\n" << result.err;
    return result.out;
  }
  // Everything in the database, in a form in which equal means equal.
  std::string dump(const std::string& database) const {
    Process process;
    process.arguments = {"mariadb-dump", "--user=root", "--routines",      "--events",
                         "--triggers",   "--hex-blob",  "--skip-comments", "--skip-extended-insert",
                         database};
    process.environment = {std::string("MYSQL_PWD=") + password};
    const Result result = client(process);
    EXPECT_EQ(result.code, 0) << result.err;
    return result.out;
  }

 private:
  bool accepts_connections() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    socket().copy(address.sun_path, sizeof address.sun_path - 1);
    const detail::Descriptor end(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(end.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  static std::string escaped_password() {
    std::string result;
    for (const char* c = password; *c != '\0'; ++c) {
      if (*c == '\'' || *c == '\\') result += '\\';
      result += *c;
    }
    return result;
  }

  std::string dir_;
  detail::Pipe killing_;
  std::vector<std::string> as_mysql_;
  pid_t pid_ = 0;
  bool started_ = false;
};

}  // namespace drydock::testing
