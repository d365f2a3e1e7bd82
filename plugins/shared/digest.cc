#include "digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace drydock {
namespace {

class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) refused();
  }
  void add(const char* data, std::size_t size) {
    if (EVP_DigestUpdate(context_.get(), data, size) != 1) refused();
  }
  std::string hexadecimal() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned size = 0;
    if (EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) != 1) refused();
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (unsigned i = 0; i < size; ++i) {
      result += digits[bytes[i] >> 4];
      result += digits[bytes[i] & 15];
    }
    return result;
  }

 private:
  [[noreturn]] static void refused() {
    throw std::runtime_error("OpenSSL's libcrypto offers no SHA-256; is its configuration broken?");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(std::string_view bytes) {
  Digest digest;
  digest.add(bytes.data(), bytes.size());
  return digest.hexadecimal();
}

std::string sha256_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  const auto fail = [&path] {
    return std::runtime_error("cannot read " + path + ": " + std::strerror(errno));
  };
  if (fd < 0) throw fail();
  struct Close {
    int fd;
    ~Close() { ::close(fd); }
  } const close_at_end{fd};
  Digest digest;
  std::array<char, 128 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fail();
    if (got == 0) return digest.hexadecimal();
    digest.add(buffer.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace drydock
