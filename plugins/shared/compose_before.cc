#include "compose_before.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace drydock::compose {
namespace {

[[noreturn]] void cannot_write(const std::string& path) {
  throw Failed("cannot write " + path + ": " + std::strerror(errno));
}

// Whole or not at all, and only when no stage has left it yet: a link, not a rename.
void leave_once(const std::string& path, const std::string& text) {
  std::string temporary = path + "-XXXXXX";
  const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0) cannot_write(temporary);
  const bool written = ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const bool synced = written && ::fsync(file) == 0;
  ::close(file);
  const bool linked = synced && (::link(temporary.c_str(), path.c_str()) == 0 || errno == EEXIST);
  const int why = errno;
  ::unlink(temporary.c_str());
  errno = why;
  if (!linked) cannot_write(path);
  const int folder =
      ::open(std::filesystem::path(path).parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) cannot_write(path);
  ::fsync(folder);
  ::close(folder);
}

// A line for each container: its id, and for one that ran " ran " and when it had started.
constexpr std::string_view ran = " ran ";
using List = std::map<std::string, std::optional<std::string>>;

std::string list_of(const Call& call) {
  const std::filesystem::path of_run = std::filesystem::path(call.private_dir()).parent_path();
  return (of_run / (".containers-before-" + std::to_string(call.run_id()))).string();
}

std::string lines_of(const std::vector<Container>& containers) {
  std::string result;
  for (const Container& one : containers) {
    result += one.id + (one.runs() ? std::string(ran) + one.started_at : "") + "\n";
  }
  return result;
}

List read_list(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw Failed("cannot read " + path + ": " + std::strerror(errno));
  List result;
  for (std::string line; std::getline(file, line);) {
    const std::size_t end = line.find(ran);
    std::optional<std::string>& started_at = result[line.substr(0, end)];
    if (end != std::string::npos) started_at = line.substr(end + ran.size());
  }
  return result;
}

// The model of before is kept as the first thing of a run. "": there is none.
std::string begin_of_run(const Call& call) {
  struct stat status {};
  if (::stat(call.model_before().c_str(), &status) != 0) return "";
  char seconds[32], text[48];
  std::tm utc{};
  ::gmtime_r(&status.st_mtim.tv_sec, &utc);
  std::strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof text, "%s.%09ldZ", seconds, status.st_mtim.tv_nsec);
  return text;
}

// Not the end of a job that has done its work, which nobody wants to be done twice.
bool ended_with_the_engine(const Container& one) {
  const bool starts_again =
      one.restart_policy == "always" || one.restart_policy == "unless-stopped";
  return one.state == "exited" && (one.exit_code != 0 || starts_again);
}

}  // namespace

std::vector<Container> as_when_the_run_began(std::vector<Container> existing,
                                             const std::string& begin) {
  if (begin.empty()) return existing;
  for (Container& one : existing) {
    if (!one.serves()) continue;
    const bool ended = ended_with_the_engine(one) && one.finished_at > begin;
    // One that ends again and again has just begun at any time.
    const bool began = one.runs() && one.started_at > begin && one.restarts == 0;
    if (ended) one.state = "running";
    if ((ended && !one.health.empty()) || (began && one.health == "starting")) {
      one.health = "healthy";
    }
  }
  return existing;
}

std::vector<Container> from_before_the_run(const Call& call,
                                           const std::vector<Container>& existing) {
  const std::string path = list_of(call);
  const bool first = !std::filesystem::exists(path);
  // Later stages see what this run itself has stopped.
  std::vector<Container> result =
      first ? as_when_the_run_began(existing, begin_of_run(call)) : existing;
  if (first) leave_once(path, lines_of(result));

  const List before = read_list(path);
  result.erase(std::remove_if(result.begin(), result.end(),
                              [&](const Container& one) { return before.count(one.id) == 0; }),
               result.end());
  return result;
}

Starts ran_before_the_run(const Call& call) {
  Starts result;
  const std::string path = list_of(call);
  if (!std::filesystem::exists(path)) return result;
  for (const auto& [id, started_at] : read_list(path)) {
    if (started_at) result[id] = *started_at;
  }
  return result;
}

bool left_stopped(const Container& container, const Starts& ran_before) {
  const auto ran = ran_before.find(container.id);
  return !container.runs() && ran != ran_before.end() && ran->second == container.started_at;
}

}  // namespace drydock::compose
