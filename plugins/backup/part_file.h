// A file that has its name only once it is whole.
#pragma once

#include <string>

namespace drydock::backup {

// Gone again unless it was kept. What a killed process leaves ends in ".part".
class PartFile {
 public:
  explicit PartFile(const std::string& name) : name_(name), path_(name + ".part") {}
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::string& path() const { return path_; }
  // On disk, and read from there again: throws Failed when that does not have this SHA-256.
  void check_on_disk(const std::string& sha256) const;
  // On disk, content before name. Never over another file.
  void keep();

 private:
  void sync() const;
  std::string name_, path_;
  bool kept_ = false;
};

}  // namespace drydock::backup
