#include "files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

#include "descriptor.h"
#include "digest.h"
#include "error.h"

namespace drydock {
namespace {

constexpr const char* cannot_write =
    "check the folder's owner and whether the disk is full or read-only";

[[noreturn]] void fail(const std::string& path, const char* verb, const char* remedy) {
  throw Error(path + " cannot be " + verb + " (" + std::strerror(errno) + "); " + remedy);
}

}  // namespace

std::string read_file(const std::string& path, std::size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0)
    fail(path, "read", "check that it exists and who may read it");
  if (S_ISDIR(status.st_mode)) throw Error(path + " is a folder, and a file is needed there");
  if (!S_ISREG(status.st_mode)) throw Error(path + " is no regular file, and one is needed there");
  std::string bytes;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::read(file.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) fail(path, "read", "check the disk");
    if (size == 0) return bytes;
    bytes.append(buffer.data(), static_cast<std::size_t>(size));
    if (bytes.size() > limit) {
      throw Error(path + " is larger than " + std::to_string(limit) +
                  " bytes; is it the right file?");
    }
  }
}

NewFile::NewFile(const std::string& path, const std::string& bytes, mode_t mode)
    : path_(path), temporary_(path + ".XXXXXX") {
  file_ = Descriptor(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (!file_) fail(path_, "written", cannot_write);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t size = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) refuse();
    done += static_cast<std::size_t>(size);
  }
  if (::fchmod(file_.get(), mode) != 0) refuse();
}

NewFile::~NewFile() {
  if (file_ && !published_) ::unlink(temporary_.c_str());
}

// The destructor does not run where the constructor throws.
void NewFile::refuse() {
  const int error = errno;
  ::unlink(temporary_.c_str());
  errno = error;
  fail(path_, "written", cannot_write);
}

void NewFile::take_name() {
  if (::fsync(file_.get()) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) {
    fail(path_, "written", cannot_write);
  }
  published_ = true;
}

void NewFile::publish() {
  take_name();
  const std::string folder = std::filesystem::path(path_).parent_path().string();
  make_folder_durable(folder.empty() ? "." : folder);
}

void make_folder_durable(const std::string& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || ::fsync(opened.get()) != 0) fail(folder, "made durable", cannot_write);
}

void write_file_atomically(const std::string& path, const std::string& bytes, mode_t mode) {
  NewFile(path, bytes, mode).publish();
}

Descriptor file_in_memory(const std::string& text) {
  Descriptor file(::memfd_create("input", MFD_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return Descriptor();
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string sha256_of_file(const std::string& path) {
  try {
    return sha256_file(path);
  } catch (const std::runtime_error& e) {
    throw Error(std::string(e.what()) + "; check that it exists and who may read it");
  }
}

}  // namespace drydock
