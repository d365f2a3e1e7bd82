#include "host_clients.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace drydock {
namespace {

bool installed(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void require(const std::string& program, const std::string& package) {
  if (installed(program)) return;
  throw Failed("a database with `url` is dumped by this machine's own " + program +
               ", and there is none in PATH; install it (Debian: " + package + ")");
}

// A value of an option file, as its own reader takes it.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

}  // namespace

// A file for a client alone (0600), gone when this is. Its name ends in .part, so that one which a
// killed process left is removed with what it was writing. A step without a folder of its own
// (facts are also looked at after a rollback) gets one for it, 0700, where the user's sessions keep
// such.
class HostClients::ClientFile {
 public:
  ClientFile(const Call& call, const std::string& text) {
    std::string folder = call.private_dir();
    if (folder.empty()) folder = call.planning_dir();
    if (folder.empty()) folder = call.planned_dir();
    if (folder.empty()) folder = own_folder_ = make_folder();
    path_ = folder + "/client-XXXXXX.part";
    const int fd = ::mkstemps(path_.data(), 5);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (written) return;
    if (fd >= 0) ::unlink(path_.c_str());
    if (!own_folder_.empty()) ::rmdir(own_folder_.c_str());
    throw Failed("the settings of a database client cannot be written into " + folder + ": " +
                 std::strerror(error));
  }
  ~ClientFile() {
    ::unlink(path_.c_str());
    if (!own_folder_.empty()) ::rmdir(own_folder_.c_str());
  }
  ClientFile(const ClientFile&) = delete;
  ClientFile& operator=(const ClientFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  static std::string make_folder() {
    const char* runtime = std::getenv("XDG_RUNTIME_DIR");
    const bool usable = runtime != nullptr && runtime[0] == '/' && ::access(runtime, W_OK) == 0;
    std::string folder = std::string(usable ? runtime : "/var/tmp") + "/drydock-client-XXXXXX";
    if (::mkdtemp(folder.data()) != nullptr) return folder;
    throw Failed("no folder for the settings of a database client can be made as " + folder + ": " +
                 std::strerror(errno));
  }

  std::string path_, own_folder_;
};

HostClients::HostClients(const Call& call, const DatabaseUrl& url) {
  url.kind == "postgresql" ? reach_postgres(call, url) : reach_mariadb(call, url);
}

HostClients::~HostClients() = default;

void HostClients::reach_postgres(const Call& call, const DatabaseUrl& url) {
  require("pg_dump", "postgresql-client");
  std::string password;
  for (char c : url.password) {
    if (c == ':' || c == '\\') password += '\\';
    password += c;
  }
  file_ = std::make_unique<ClientFile>(call, "*:*:*:*:" + password + "\n");
  PostgresServer& server = postgres_;
  server.user = url.user.empty() ? "postgres" : url.user;
  server.description = url.place();
  server.environment = {"PGPASSFILE=" + file_->path(),
                        "PGHOST=" + (url.socket.empty() ? url.host : url.socket)};
  if (!url.port.empty()) server.environment.push_back("PGPORT=" + url.port);
  if (!url.ssl_mode.empty()) server.environment.push_back("PGSSLMODE=" + url.ssl_mode);
}

void HostClients::reach_mariadb(const Call& call, const DatabaseUrl& url) {
  MariadbServer& server = mariadb_;
  server.mysql = url.kind == "mysql" && installed("mysqldump") && !installed("mariadb-dump");
  require(server.dumper(), "mariadb-client");
  std::string settings = "[client]\n";
  if (!url.socket.empty()) {
    settings += "protocol=socket\nsocket=" + quoted(url.socket) + "\n";
  } else {
    settings += "protocol=tcp\nhost=" + quoted(url.host) + "\n";
    if (!url.port.empty()) settings += "port=" + url.port + "\n";
  }
  if (!url.password.empty()) settings += "password=" + quoted(url.password) + "\n";
  file_ = std::make_unique<ClientFile>(call, settings);
  server.user = url.user.empty() ? "root" : url.user;
  server.settings_file = file_->path();
  server.description = url.place();
}

}  // namespace drydock
