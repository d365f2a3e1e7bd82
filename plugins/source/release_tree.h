// What is to stand where in a deployment or a checkout, and how it differs from what does. Reads
// only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace drydock::source {

// gone: a file or link that the release no longer has; gone_folder: a folder that only held such,
// which goes when nothing else is in it.
enum class Kind { file, link, folder, gone, gone_folder };

struct Entry {
  std::string path;  // relative to the release and to its place
  Kind kind = Kind::file;
  mode_t mode = 0644;       // of a file or folder, without set-id bits
  std::string target = {};  // of a link
  std::uint64_t size = 0;
};

// What stands in an entry's place.
enum class Difference { none, absent, content, mode };

class ReleaseTree {
 public:
  // A whole folder of files for the deployment, wherever it lies (kept: in Drydock's own state).
  // Throws Failed (drydock::Failed) with a sentence when the release cannot be used: missing,
  // empty, inside the deployment or around it, with a link that leaves it or a special file.
  ReleaseTree(const std::string& directory, const std::string& deployment,
              const std::vector<std::string>& exclude, bool kept = false);
  // Exactly these entries of a checkout, whose bytes are in `directory`: what is to go before what
  // comes, folders before what is in them. Modes are exact, as git has them.
  ReleaseTree(std::string directory, std::string checkout, std::vector<Entry> entries);

  // Folders before what is in them, otherwise by name.
  const std::vector<Entry>& entries() const { return entries_; }
  bool has(const std::string& path) const;
  std::string at(const Entry& entry) const { return release_ + "/" + entry.path; }
  std::string place(const Entry& entry) const { return place_ + "/" + entry.path; }
  const std::string& directory() const { return release_; }
  const std::string& root() const { return place_; }

  // Throws Failed when the place leaves the deployment through a link, or is of another kind.
  Difference compare(const Entry& entry) const;
  // The place's mode, but executable where the release's file is.
  mode_t mode_for(const Entry& entry, mode_t present) const;
  // What stands there now goes before the entry comes.
  bool is_cleared_first(const Entry& entry) const;

 private:
  void walk(const std::string& below, const std::vector<std::string>& exclude);
  void check_place(const Entry& entry) const;
  Difference compare_leaving(const Entry& entry) const;
  std::string release_, place_;
  std::vector<Entry> entries_;
  bool exact_ = false;
  std::map<std::string, Kind> leaving_, arriving_;
};

// `.drydock`, `.git` and `.env` are left out whatever the options say.
bool is_left_out(const std::string& path, const std::vector<std::string>& exclude);

std::vector<std::string> default_exclude();

}  // namespace drydock::source
