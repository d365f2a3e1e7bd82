// What of a deployment's files a plan shows and a run proves.
#pragma once

#include <cstdint>
#include <drydock/stage.hpp>
#include <string>
#include <vector>

namespace drydock::source {

// The planned folder mirrors the whole release up to this size: compose files may include others.
inline constexpr std::uint64_t most_planned = 64 * 1024 * 1024;

struct PlannedFile {
  std::string path;    // relative to the deployment
  std::string action;  // add, change, remove, keep
  std::string detail = {};
  std::uint64_t size = 0;
  bool by_name = false;  // shown by itself, however many there are
};

// A few files by name; of many only those that say something special, and the rest by folder.
void report(const Call& call, const std::vector<PlannedFile>& files);

// "sha256 mode uid:gid" of what stands at a path.
std::string fact_of(const std::string& path);

}  // namespace drydock::source
