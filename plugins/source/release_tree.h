// The files of a new release, and how the deployment differs from them. Reads only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace drydock::source {

enum class Kind { file, link, folder };

struct Entry {
  std::string path;  // relative to the release and to the deployment
  Kind kind = Kind::file;
  mode_t mode = 0644;       // of a file or folder, without set-id bits
  std::string target = {};  // of a link
  std::uint64_t size = 0;
};

// What the deployment has in an entry's place.
enum class Difference { none, absent, content, mode };

class ReleaseTree {
 public:
  // Throws Failed (drydock::Failed) with a sentence when the release cannot be used: missing,
  // empty, inside the deployment or around it, with a link that leaves it or a special file.
  ReleaseTree(const std::string& directory, const std::string& deployment,
              const std::vector<std::string>& exclude);

  // Folders before what is in them, otherwise by name.
  const std::vector<Entry>& entries() const { return entries_; }
  bool has(const std::string& path) const;
  std::string at(const Entry& entry) const { return release_ + "/" + entry.path; }
  std::string place(const Entry& entry) const { return deployment_ + "/" + entry.path; }
  const std::string& directory() const { return release_; }

  // Throws Failed when the place leaves the deployment through a link, or is of another kind.
  Difference compare(const Entry& entry) const;
  // The deployment's mode, but executable where the release's file is.
  mode_t mode_for(const Entry& entry, mode_t present) const;

 private:
  void walk(const std::string& below, const std::vector<std::string>& exclude);
  void check_place(const Entry& entry) const;
  std::string release_, deployment_;
  std::vector<Entry> entries_;
};

// `.drydock`, `.git` and `.env` are left out whatever the options say.
bool is_left_out(const std::string& path, const std::vector<std::string>& exclude);

std::vector<std::string> default_exclude();

}  // namespace drydock::source
