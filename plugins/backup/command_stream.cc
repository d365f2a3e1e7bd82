#include "command_stream.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "digest.h"

namespace drydock::backup {
namespace {

constexpr std::size_t piece = 256 * 1024;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void reset(int fd) {
    close();
    fd_ = fd;
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// The other end of the command's standard output, on a thread of its own.
class Taker {
 public:
  Taker(const Call& call, const std::string& path,
        const std::function<void(std::string_view)>& reader)
      : call_(call), path_(path), reader_(reader) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) throw Failed(std::string("no pipe: ") + strerror(errno));
    read_.reset(ends[0]);
    write_.reset(ends[1]);
    ::fcntl(read_.get(), F_SETPIPE_SZ, 1 << 20);  // fewer turns; it works without
    if (!path.empty()) {
      file_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (file_.get() < 0) throw unwritable(errno);
    }
    thread_ = std::thread([this] {
      try {
        take();
      } catch (...) {
        error_ = std::current_exception();
      }
      read_.close();  // a command that goes on writing is told so
    });
  }
  ~Taker() { end(); }

  // Where the command writes to: the pipe by a path, as that is what a Process takes.
  std::string output() const { return "/proc/self/fd/" + std::to_string(write_.get()); }
  // When the command has ended: takes what is still in the pipe.
  void finish() {
    end();
    if (error_) std::rethrow_exception(error_);
  }
  std::int64_t bytes() const { return bytes_; }
  std::string sha256() { return hash_.finish_hex(); }

 private:
  Failed unwritable(int error) const {
    return Failed(path_ + " cannot be written: " + std::strerror(error));
  }
  void end() {
    write_.close();
    if (thread_.joinable()) thread_.join();
  }
  void take() {
    std::vector<char> buffer(piece);
    for (;;) {
      const ssize_t got = ::read(read_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Failed(std::string("its output cannot be read: ") + strerror(errno));
      if (got == 0) return;
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      write(bytes);
      hash_.update(bytes);
      if (reader_) reader_(bytes);
      bytes_ += got;
      call_.progress(static_cast<std::uint64_t>(bytes_), 0, "bytes");
    }
  }
  void write(std::string_view bytes) {
    while (file_.get() >= 0 && !bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) throw unwritable(errno);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const Call& call_;
  std::string path_;
  const std::function<void(std::string_view)>& reader_;
  Descriptor read_, write_, file_;
  Sha256 hash_;
  std::int64_t bytes_ = 0;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace

Streamed stream(const Call& call, Process process, const std::string& path,
                const std::function<void(std::string_view)>& reader) {
  Streamed result;
  Taker taker(call, path, reader);
  process.output_file = taker.output();
  process.on_line = [&](Stream, std::string_view line) {
    result.errors.append(line).append("\n");
  };
  result.exit = call.run(process);
  taker.finish();
  result.bytes = taker.bytes();
  result.sha256 = taker.sha256();
  return result;
}

}  // namespace drydock::backup
