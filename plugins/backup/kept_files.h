// Files and folders of the deployment, kept as they are and put back byte for byte.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::backup {

struct KeptFile {
  enum class Kind { file, folder, link, absent, special };  // special: sockets, pipes, devices
  std::string path;                                         // absolute, in the deployment
  Kind kind = Kind::absent;
  std::string copy;  // below the private folder; files only
  std::string sha256;
  std::string target;  // links only
  mode_t mode = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::int64_t bytes = 0;
};

// What the patterns of the option `files` stand for, before anything is copied: paths and shell
// globs, relative to the deployment; a folder stands for all that is in it. A plain path that is
// not there is `absent`.
std::vector<KeptFile> find_files(const Call&, const std::vector<std::string>& patterns);
// The same. Throws Failed for what cannot be kept.
std::vector<KeptFile> files_to_keep(const Call&, const std::vector<std::string>& patterns);

// Copies them below the private folder, under `folder`: on disk, with their hashes, when it
// returns.
std::vector<KeptFile> keep_files(const Call&, std::vector<KeptFile> found,
                                 const std::string& folder);
// What a manifest has as its record of them. Throws Failed where a name is no UTF-8.
std::string written(const std::vector<KeptFile>& kept, const std::vector<std::string>& patterns);
struct KeptPatterns {
  std::vector<KeptFile> files;
  std::vector<std::string> patterns;
};
// The other way round. `id`: of the manifest. Throws Failed.
KeptPatterns read_kept(const Call&, const std::string& id);
// Throws Failed when a copy is not what was noted.
void check_copies(const Call&, const std::vector<KeptFile>& kept);

// Makes the deployment's files what was kept: content, mode, owner, time, links. What the patterns
// match now and did not then is moved aside, into `aside` below the private folder; nothing is
// deleted. Safe to repeat; leaves alone what is as it was. One that cannot be put back, or whose
// copy is damaged, does not keep the others from it: the first failure is thrown at the end.
void put_back(const Call&, const std::vector<KeptFile>& kept,
              const std::vector<std::string>& patterns, const std::string& aside);

// Out of the way, below `aside` in the private folder, but not gone.
void move_aside(const Call&, const std::string& path, const std::string& aside);

// The path as a person knows it: relative to the deployment where it is below it.
std::string shown(const Call&, const std::string& path);

}  // namespace drydock::backup
