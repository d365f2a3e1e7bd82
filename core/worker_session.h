// One live worker, as the runner holds it: its process, its connection, what it prints.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "line_splitter.h"
#include "process.h"
#include "spawn.h"
#include "wire.h"

namespace drydock {

class WorkerSession {
 public:
  enum class Stream { out, err };
  using OnLine = std::function<void(Stream, std::string_view)>;
  using OnMessage = std::function<void(Message)>;

  // Starts `stage_binary`; started() says whether that worked.
  explicit WorkerSession(const std::string& stage_binary);
  // Kills and reaps what is left of it, so that no exception leaves a worker behind.
  ~WorkerSession();
  WorkerSession(const WorkerSession&) = delete;
  WorkerSession& operator=(const WorkerSession&) = delete;

  // Before the first wait().
  void listen(OnLine on_line, OnMessage on_message);

  bool started() const { return child_.pid > 0; }
  const std::string& why_not_started() const { return child_.refused; }
  pid_t group() const { return child_.pid; }
  std::uint64_t start_time() const { return start_time_; }

  // Of it and of each process that it starts from now on. False, with errno: the kernel refused.
  bool limit_memory(std::int64_t bytes);

  // Queues a frame; false when it is larger than a frame may be.
  bool send(std::string_view kind, const nlohmann::json& body);
  // Waits until something happens, `timeout` has passed or `also` is readable, and delivers what
  // came. Throws WireError when the worker breaks the protocol.
  void wait(std::chrono::milliseconds timeout, int also);

  bool exited() const { return exited_; }
  // Asks the kernel, where exited() knows only what wait() has seen.
  bool is_alive() const;
  bool disconnected() const { return !channel_; }
  void signal_group(int signal) const;

  // After exited(): reaps it, ends what it left behind, and delivers the last lines that it
  // printed. May be called once; the status is as waitpid gives it.
  int finish(std::vector<EndedProcess>& left_behind);

 private:
  void read_channel();
  void write_channel();
  void read_lines(Descriptor& from, LineSplitter& lines, Stream stream);
  int reap(std::vector<EndedProcess>& left_behind);

  OnLine on_line_;
  OnMessage on_message_;
  Descriptor channel_, out_, err_;
  LineSplitter out_lines_, err_lines_;
  Spawned child_;
  std::uint64_t start_time_ = 0;
  FrameReader reader_;
  std::string unsent_;
  bool exited_ = false, reaped_ = false;
};

}  // namespace drydock
