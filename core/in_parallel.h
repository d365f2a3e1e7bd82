// The same work on many things, on as many threads as the machine has cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace drydock {

// Calls work(0) ... work(count - 1), each once, and returns when all have returned. The work must
// not throw. A process that it starts has to end before it returns: it dies with its thread.
template <class Work>
void in_parallel(std::size_t count, const Work& work) {
  // Two at least: who waits for a process leaves its core to another.
  const std::size_t cores = std::max(2u, std::thread::hardware_concurrency());
  if (count <= 1) {
    for (std::size_t i = 0; i < count; ++i) work(i);
    return;
  }
  std::atomic<std::size_t> next{0};
  const auto take_turns = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < std::min(cores, count); ++i) threads.emplace_back(take_turns);
}

}  // namespace drydock
