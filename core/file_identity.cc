#include "file_identity.h"

namespace drydock {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1000000000 + time.tv_nsec;
}

}  // namespace

FileIdentity identity_of(const std::string& path, const struct stat& status) {
  return {path,
          status.st_dev,
          status.st_ino,
          static_cast<std::uint64_t>(status.st_size),
          nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

nlohmann::json identity_body(const FileIdentity& file) {
  return {file.device, file.inode, file.size, file.modified_ns, file.changed_ns};
}

FileIdentity read_identity(const std::string& path, const nlohmann::json& body) {
  return {path,
          body.at(0).get<std::uint64_t>(),
          body.at(1).get<std::uint64_t>(),
          body.at(2).get<std::uint64_t>(),
          body.at(3).get<std::int64_t>(),
          body.at(4).get<std::int64_t>()};
}

}  // namespace drydock
