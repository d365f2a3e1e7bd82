#include "command_stream.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "descriptor.h"
#include "digest.h"

namespace drydock {
namespace {

constexpr std::size_t piece = 256 * 1024;
constexpr auto look_again = std::chrono::milliseconds(2);

// Reads what the command prints, on a thread of its own. A file is followed as it grows, out of the
// system's memory: the command writes into it as it would without us, and never waits for a hash.
// What goes into no file, or must not be written into one by the command, comes by a pipe.
class Taker {
 public:
  Taker(const Call& call, const std::string& path,
        const std::function<void(std::string_view)>& reader, Output output)
      : call_(call),
        path_(path),
        by_pipe_(path.empty() || output == Output::piped),
        reader_(reader) {
    if (by_pipe_ && !path_.empty()) {
      file_.reset(
          ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
      if (file_.get() < 0) throw Failed("cannot write " + path_ + ": " + strerror(errno));
    }
    if (by_pipe_) {
      int ends[2] = {-1, -1};
      if (::pipe2(ends, O_CLOEXEC) != 0) throw Failed(std::string("no pipe: ") + strerror(errno));
      read_.reset(ends[0]);
      write_.reset(ends[1]);
      ::fcntl(read_.get(), F_SETPIPE_SZ, 1 << 20);  // fewer turns; it works without
    }
    thread_ = std::thread([this] {
      try {
        take();
      } catch (...) {
        error_ = std::current_exception();
      }
      read_.close();  // a command that goes on writing into a pipe is told so
    });
  }
  ~Taker() { end(); }

  // Where the command writes to; the pipe by a path, as that is what a Process takes.
  std::string output() const {
    return by_pipe_ ? "/proc/self/fd/" + std::to_string(write_.get()) : path_;
  }
  // When the command has ended: takes what is still to come.
  void finish() {
    end();
    if (error_) std::rethrow_exception(error_);
  }
  std::int64_t bytes() const { return bytes_; }
  std::string sha256() { return hash_.finish_hex(); }

 private:
  void end() {
    ended_ = true;
    write_.close();
    if (thread_.joinable()) thread_.join();
  }
  void take() {
    std::vector<char> buffer(piece);
    for (;;) {
      const bool last = ended_;
      // The host makes the file when it starts the command.
      if (!by_pipe_ && read_.get() < 0) read_.reset(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
      const ssize_t got = read_.get() < 0 ? 0 : ::read(read_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Failed(std::string("its output cannot be read: ") + strerror(errno));
      if (got == 0) {
        if (by_pipe_ || last) return;
        std::this_thread::sleep_for(look_again);
        continue;
      }
      const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
      hash_.update(bytes);
      if (file_.get() >= 0) write(bytes);
      if (reader_) reader_(bytes);
      bytes_ += got;
      call_.progress(static_cast<std::uint64_t>(bytes_), 0, "bytes");
    }
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        throw Failed("cannot write " + path_ + ": " + strerror(errno) + "; make room on its disk");
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  const Call& call_;
  std::string path_;
  bool by_pipe_;
  const std::function<void(std::string_view)>& reader_;
  Descriptor read_, write_, file_;
  Sha256 hash_;
  std::int64_t bytes_ = 0;
  std::atomic<bool> ended_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

bool is_full(const std::string& path) {
  constexpr unsigned long next_to_nothing = 256 * 1024;
  struct statvfs disk {};
  return ::statvfs(path.c_str(), &disk) == 0 && disk.f_bavail * disk.f_frsize < next_to_nothing;
}

}  // namespace

Streamed stream(const Call& call, Process process, const std::string& path,
                const std::function<void(std::string_view)>& reader, Output output) {
  Streamed result;
  Taker taker(call, path, reader, output);
  process.output_file = taker.output();
  process.on_line = [&](Stream, std::string_view line) { result.errors.append(line).append("\n"); };
  result.exit = call.run(process);
  taker.finish();
  result.bytes = taker.bytes();
  result.sha256 = taker.sha256();
  if (!path.empty() && is_full(path)) {
    result.errors.append("No space left on the disk of " + path + "\n");
  }
  return result;
}

}  // namespace drydock
