// What a merge of env files takes: env_merge OURS THEIRS [BASE].
//
// Prints, as JSON: the milliseconds of one merge, reading and evaluating the files and writing the
// result included (the median of several while they are small), and the process's peak memory as a
// multiple of the size of OURS.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "env_sync_defaults.h"
#include "file_store.h"
#include "merge.h"

namespace {

using namespace drydock;
using namespace drydock::env_sync;

std::size_t merge_once(const std::string& ours, const std::string& theirs,
                       const std::optional<std::string>& base, const MergeOptions& options) {
  const EnvFile ours_file = EnvFile::parse(files::read(ours));
  const EnvFile theirs_file = EnvFile::parse(files::read(theirs));
  std::optional<EnvFile> base_file;
  if (base) base_file = EnvFile::parse(files::read(*base));
  return merge_env(base_file ? &*base_file : nullptr, ours_file, theirs_file, options)
      .variables.size();
}

}  // namespace

int main(int count, char** words) try {
  if (count < 3 || count > 4) {
    std::fprintf(stderr, "usage: env_merge OURS THEIRS [BASE]\n");
    return 2;
  }
  const std::optional<std::string> base =
      count > 3 ? std::optional<std::string>(words[3]) : std::nullopt;
  const MergeOptions options = default_options();
  const std::size_t size = files::read(words[1]).size();
  std::vector<double> milliseconds;
  std::size_t variables = 0;
  for (int i = 0; i < (size > 10'000'000 ? 1 : 51); ++i) {
    const auto began = std::chrono::steady_clock::now();
    variables = merge_once(words[1], words[2], base, options);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    milliseconds.push_back(took.count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"variables\": %zu, \"bytes\": %zu, \"ms\": %.3f, \"memory_in_files\": %.2f}\n",
              variables, size, milliseconds[milliseconds.size() / 2],
              static_cast<double>(usage.ru_maxrss) * 1024 / static_cast<double>(size));
  return 0;
} catch (const std::exception& e) {
  std::fprintf(stderr, "env_merge: %s\n", e.what());
  return 1;
}
