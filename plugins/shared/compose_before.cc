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
#include <set>
#include <string>

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
  const std::filesystem::path of_run = std::filesystem::path(call.private_dir()).parent_path();
  const std::string path =
      (of_run / (".containers-before-" + std::to_string(call.run_id()))).string();
  std::string ids;
  for (const Container& one : existing) ids += one.id + "\n";
  const bool first = !std::filesystem::exists(path);
  if (first) leave_once(path, ids);

  std::ifstream file(path);
  if (!file) throw Failed("cannot read " + path + ": " + std::strerror(errno));
  std::set<std::string> before;
  for (std::string id; std::getline(file, id);) before.insert(id);
  std::vector<Container> result;
  std::copy_if(existing.begin(), existing.end(), std::back_inserter(result),
               [&](const Container& one) { return before.count(one.id) != 0; });
  // Later stages see what this run itself has stopped.
  return first ? as_when_the_run_began(std::move(result), begin_of_run(call)) : result;
}

}  // namespace drydock::compose
