// The only user of libcrypto's digests, so that nothing else of the index depends on it.
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "error.h"
#include "plugin_index.h"

namespace drydock {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw Error("SHA-256 is not available in this machine's libcrypto.");
    }
  }
  void update(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string finish_hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    EVP_DigestFinal_ex(context_.get(), digest.data(), &size);
    std::string result;
    for (unsigned i = 0; i < size; ++i) {
      constexpr char digits[] = "0123456789abcdef";
      result += digits[digest[i] >> 4];
      result += digits[digest[i] & 15];
    }
    return result;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256_of_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw Error(path + " cannot be read: " + std::strerror(errno) + ".");
  const std::unique_ptr<const int, void (*)(const int*)> closer(&fd,
                                                                [](const int* f) { ::close(*f); });
  Sha256 digest;
  std::array<unsigned char, 65536> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(path + " cannot be read: " + std::strerror(errno) + ".");
    if (got == 0) break;
    digest.update(buffer.data(), static_cast<std::size_t>(got));
  }
  return digest.finish_hex();
}

std::string sha256_of_text(std::string_view text) {
  Sha256 digest;
  digest.update(text.data(), text.size());
  return digest.finish_hex();
}

}  // namespace drydock
