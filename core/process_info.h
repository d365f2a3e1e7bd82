// What /proc tells of processes.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace drydock {

// What can be read of a file of /proc at once. "": it is not there, or somebody else's.
std::string read_proc(const std::string& path, std::size_t most = 4096);

// A line of /proc/PID/stat.
struct ProcessInfo {
  pid_t pid = 0, parent = 0, group = 0, session = 0;
  char state = '?';
  std::uint64_t start_time = 0;  // field 22: clock ticks since boot
  std::string command;           // the command line, else the name of the program
};
std::optional<ProcessInfo> read_process(pid_t pid);
std::vector<ProcessInfo> all_processes();

// Which boot of which machine this is: start times of processes mean nothing in another one.
std::string boot_id();
// 0 when there is no such process.
std::uint64_t process_start_time(pid_t pid);

// Stands in the environment of all commands of a worker, by which they are found when they have
// left its process group and the worker is dead.
std::string worker_mark(pid_t worker, std::uint64_t start_time);

}  // namespace drydock
