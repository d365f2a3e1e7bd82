#include "extended_attributes.h"

#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "file_store.h"

namespace drydock::files {
namespace {

bool is_not_for_us(int error) {
  return error == ENOTSUP || error == EPERM || error == EACCES || error == EINVAL;
}

// The kernel's own hashes of the old bytes would make the new ones unreadable.
bool is_of_the_bytes(std::string_view name) {
  return name == "security.ima" || name == "security.evm";
}

// Grown until it is large enough: somebody may add to it meanwhile. Empty: there is nothing.
template <class Get>
std::string all_of(Get&& get) {
  for (;;) {
    const ssize_t size = get(nullptr, 0);
    if (size <= 0) return "";
    std::string bytes(static_cast<std::size_t>(size), '\0');
    const ssize_t got = get(bytes.data(), bytes.size());
    if (got < 0 && errno == ERANGE) continue;
    bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
  }
}

}  // namespace

bool keep_extended_attributes(const std::string& from, int to, const std::string& name) {
  const std::string names =
      all_of([&](char* into, std::size_t size) { return ::listxattr(from.c_str(), into, size); });
  for (std::size_t at = 0; at < names.size(); at += std::strlen(names.c_str() + at) + 1) {
    const char* one = names.c_str() + at;
    if (is_of_the_bytes(one)) continue;
    const std::string value = all_of(
        [&](char* into, std::size_t size) { return ::getxattr(from.c_str(), one, into, size); });
    if (::fsetxattr(to, one, value.data(), value.size(), 0) != 0 && !is_not_for_us(errno)) {
      throw_file_error("keep " + std::string(one) + " of", name);
    }
  }
  return !names.empty();
}

}  // namespace drydock::files
