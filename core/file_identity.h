// Which file a path leads to, and in what state: what changes when it is replaced or written to. So
// what was found out about its bytes need not be found out again.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace drydock {

struct FileIdentity {
  std::string path;
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity identity_of(const std::string& path, const struct stat& status);

// All but the path, as a list. read_identity throws nlohmann::json::exception.
nlohmann::json identity_body(const FileIdentity& file);
FileIdentity read_identity(const std::string& path, const nlohmann::json& body);

}  // namespace drydock
