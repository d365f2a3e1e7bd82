#include "command_pipe.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <future>

#include "descriptor.h"

namespace drydock {
namespace {

struct NobodyReads {};

// Without the signal, which would end all of the worker.
void write_all(int fd, std::string_view bytes) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);  // of the thread that reads, which ends with that
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) throw NobodyReads();
    if (written < 0) throw Failed(std::string("cannot write into a pipe: ") + strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

Piped pipe_commands(const Call& call, Process from, Process into,
                    const std::function<void(std::string_view)>& reader) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw Failed(std::string("no pipe: ") + strerror(errno));
  ::fcntl(ends[0], F_SETPIPE_SZ, 1 << 20);  // fewer turns; it works without
  Piped result;
  into.input_file = "/proc/self/fd/" + std::to_string(ends[0]);
  into.on_line = [&](Stream, std::string_view line) { result.into_said.append(line).append("\n"); };
  std::future<Exit> taking =
      std::async(std::launch::async, [&call, &into, end = ends[0]] {
        const Descriptor read(end);  // closed when it has ended: whoever writes is told so
        return call.run(into);
      });
  // After it, so that it is closed first: the other command then finds the end of its input.
  Descriptor write(ends[1]);
  try {
    result.from = stream(call, std::move(from), "", [&](std::string_view bytes) {
      write_all(write.get(), bytes);
      if (reader) reader(bytes);
    });
  } catch (const NobodyReads&) {
    result.broken = true;
  }
  write.close();
  result.into = taking.get();
  return result;
}

}  // namespace drydock
