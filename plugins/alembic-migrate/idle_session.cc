#include "idle_session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace drydock::alembic {
namespace {

// Opened for reading as well: else opening would wait for the client to open its end.
int open_fifo(const std::string& path) {
  ::unlink(path.c_str());
  if (::mkfifo(path.c_str(), 0600) != 0) return -1;
  return ::open(path.c_str(), O_RDWR | O_CLOEXEC);
}

}  // namespace

IdleSession::IdleSession(const Call& call, Process client, const std::string& statements)
    : path_(call.private_dir() + "/session") {
  input_ = open_fifo(path_);
  if (input_ < 0 || ::write(input_, statements.data(), statements.size()) !=
                        static_cast<ssize_t>(statements.size())) {
    const std::string why = std::strerror(errno);
    if (input_ >= 0) ::close(input_);
    throw Failed("cannot make the pipe " + path_ + ": " + why);
  }
  client.input_file = path_;
  running_ = std::async(std::launch::async, [&call, client] { return call.capture(client); });
}

IdleSession::~IdleSession() {
  if (input_ >= 0) ::close(input_);
  running_.wait();
  ::unlink(path_.c_str());
}

void IdleSession::has_begun() const { ::unlink(path_.c_str()); }

void IdleSession::tell(const std::string& statements) const {
  // Open for reading as well, so that a client which is gone is no SIGPIPE.
  if (::write(input_, statements.data(), statements.size()) !=
      static_cast<ssize_t>(statements.size())) {
    throw Failed("cannot write into the pipe " + path_ + ": " + std::strerror(errno));
  }
}

bool IdleSession::ended() const {
  return running_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

const Captured& IdleSession::end() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
  return running_.get();
}

}  // namespace drydock::alembic
