#include "process_info.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "descriptor.h"

namespace drydock {

// Files of /proc have no size to ask for.
std::string read_proc(const std::string& path, std::size_t most) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return "";
  std::string result(most, '\0');
  const ssize_t got = ::read(file.get(), result.data(), result.size());
  result.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return result;
}

std::optional<ProcessInfo> read_process(pid_t pid) {
  const std::string stat = read_proc("/proc/" + std::to_string(pid) + "/stat");
  // The name is in parentheses and may hold parentheses and blanks itself.
  const std::size_t open = stat.find('(');
  const std::size_t close = stat.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return std::nullopt;
  ProcessInfo info;
  info.pid = pid;
  info.command = stat.substr(open + 1, close - open - 1);
  // No stream of the C++ library, which a worker would set up for this alone.
  const char* format =
      " %c %d %d %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64;
  const int fields = std::sscanf(stat.c_str() + close + 1, format, &info.state, &info.parent,
                                 &info.group, &info.session, &info.start_time);
  return fields == 5 ? std::optional(info) : std::nullopt;
}

std::vector<ProcessInfo> all_processes() {
  std::vector<ProcessInfo> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return result;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] < '1' || entry->d_name[0] > '9') continue;
    if (auto info = read_process(std::atoi(entry->d_name))) result.push_back(std::move(*info));
  }
  return result;
}

std::string boot_id() {
  std::string id = read_proc("/proc/sys/kernel/random/boot_id");
  while (!id.empty() && id.back() == '\n') id.pop_back();
  return id;
}

std::uint64_t process_start_time(pid_t pid) {
  const auto info = read_process(pid);
  return info ? info->start_time : 0;
}

std::string worker_mark(pid_t worker, std::uint64_t start_time) {
  return "DRYDOCK_WORKER=" + std::to_string(worker) + "." + std::to_string(start_time);
}

}  // namespace drydock
