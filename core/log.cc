// What stays of a run on disk: events.jsonl for programs, run.log for people. The only file that
// knows spdlog.
#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "error.h"
#include "event_text.h"
#include "view.h"
#include "view_closing.h"

namespace drydock {
namespace {

std::string events_file(const std::string& dir) { return dir + "/events.jsonl"; }

[[noreturn]] void fail(const std::string& path, const char* what, int error) {
  throw Error(path + ": cannot be " + what + ": " + std::strerror(error));
}

int open_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) fail(path, "opened", errno);
  return fd;
}

// The end of an events file: where its last whole line begins and ends.
struct LastLine {
  std::string text;
  off_t end = 0;  // after its line end; what follows was torn by a crash
};

LastLine last_line(int fd) {
  constexpr off_t longest = 8 << 20;  // more than any event
  struct stat status {};
  if (::fstat(fd, &status) != 0 || status.st_size == 0) return {};
  const off_t begin = status.st_size > longest ? status.st_size - longest : 0;
  std::string tail(static_cast<std::size_t>(status.st_size - begin), '\0');
  const ssize_t size = ::pread(fd, tail.data(), tail.size(), begin);
  if (size <= 0) return {};
  tail.resize(static_cast<std::size_t>(size));
  const std::size_t end = tail.rfind('\n');
  if (end == std::string::npos) return {};
  const std::size_t before = end == 0 ? std::string::npos : tail.rfind('\n', end - 1);
  const std::size_t first = before == std::string::npos ? 0 : before + 1;
  return {tail.substr(first, end - first), begin + static_cast<off_t>(end) + 1};
}

class RunLog : public EventSink {
 public:
  explicit RunLog(const std::string& dir) : events_path_(events_file(dir)) {
    events_ = open_private(events_path_);
    const LastLine last = last_line(events_);
    if (::ftruncate(events_, last.end) != 0) fail(events_path_, "repaired", errno);
    open_log(dir + "/run.log");
  }
  ~RunLog() override { ::close(events_); }

  void event(const Event& event) override {
    append(event.to_json_line() + "\n");
    closing_.add(event);
    if (event.type == "progress") return;  // events.jsonl has it; no person reads it later
    const EventText said = text_of(event);
    log(event, said.level, said.text);
    if (event.type != "run.finished") return;
    for (const std::string& line : closing_.lines(ViewStyle{})) log(event, LogLevel::info, line);
    log_->flush();
    if (::fsync(events_) != 0) fail(events_path_, "written", errno);
  }

 private:
  void open_log(const std::string& path) {
    ::close(open_private(path));  // spdlog would make it readable by others
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_st>(path);
    file->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v", spdlog::pattern_time_type::utc));
    log_ = std::make_unique<spdlog::logger>("run", file);
    log_->set_level(spdlog::level::debug);
    log_->flush_on(spdlog::level::debug);  // whoever is killed has still said why
    log_->set_error_handler([path](const std::string& problem) {
      throw Error(path + ": cannot be written: " + problem);
    });
  }

  void log(const Event& event, LogLevel level, const std::string& text) {
    constexpr spdlog::level::level_enum levels[] = {spdlog::level::debug, spdlog::level::info,
                                                    spdlog::level::warn, spdlog::level::err};
    const spdlog::log_clock::time_point time{std::chrono::milliseconds(event.milliseconds())};
    log_->log(time, spdlog::source_loc{}, levels[static_cast<std::size_t>(level)], one_line(text));
  }

  // One write a line, at the end of the file: a reader never sees half of one, and what was
  // written survives the death of this process (not a power cut).
  void append(const std::string& line) {
    for (std::size_t done = 0; done < line.size();) {
      const ssize_t size = ::write(events_, line.data() + done, line.size() - done);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) fail(events_path_, "written", errno);
      done += static_cast<std::size_t>(size);
    }
  }

  std::string events_path_;
  int events_ = -1;
  std::unique_ptr<spdlog::logger> log_;
  ClosingReport closing_;
};

}  // namespace

std::unique_ptr<EventSink> make_run_log(const std::string& dir) {
  return std::make_unique<RunLog>(dir);
}

std::optional<Event> last_event_of(const std::string& dir) {
  const int fd = ::open(events_file(dir).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return std::nullopt;
  const LastLine last = last_line(fd);
  ::close(fd);
  return Event::from_json_line(last.text);
}

std::uint64_t last_seq_of(const std::string& dir) {
  const auto last = last_event_of(dir);
  return last ? last->seq : 0;
}

}  // namespace drydock
