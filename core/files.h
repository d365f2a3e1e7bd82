// Files of the runner: read bounded, written so that a kill leaves the old or the new content.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>

#include "descriptor.h"

namespace drydock {

// Throws Error: missing, a folder, larger than `limit` bytes, unreadable.
std::string read_file(const std::string& path, std::size_t limit);

// A file beside the place where it is to be; in its place with publish(), else gone. All that can
// fail throws Error.
class NewFile {
 public:
  NewFile(const std::string& path, const std::string& bytes, mode_t mode);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  const std::string& temporary_path() const { return temporary_; }
  // fsync, rename, fsync of the folder: after a kill there is the old or the new content.
  void publish();
  // Without the last, for whoever puts several into a folder and makes that durable once.
  void take_name();

 private:
  [[noreturn]] void refuse();

  std::string path_, temporary_;
  Descriptor file_;
  bool published_ = false;
};
// The same at once.
void write_file_atomically(const std::string& path, const std::string& bytes, mode_t mode = 0600);

// What a command gets on its standard input: neither a pipe that could fill, nor a file that
// anybody could read. Not open: the system refused, and errno says why.
Descriptor file_in_memory(const std::string& text);

// The names in a folder, on disk when it returns. Throws Error.
void make_folder_durable(const std::string& folder);

// In hexadecimal. Throws Error.
std::string sha256_of_file(const std::string& path);

}  // namespace drydock
