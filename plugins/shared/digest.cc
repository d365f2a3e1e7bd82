#include "digest.h"

#include <fcntl.h>
#include <nettle/hmac.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace drydock {
namespace {

using Bytes = std::array<unsigned char, SHA256_DIGEST_SIZE>;

const std::uint8_t* octets(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

std::string hexadecimal(const Bytes& bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string result;
  for (const unsigned char byte : bytes) {
    result += digits[byte >> 4];
    result += digits[byte & 15];
  }
  return result;
}

}  // namespace

void Sha256::update(std::string_view bytes) {
  sha256_update(&context_, bytes.size(), octets(bytes));
}

Bytes Sha256::finish() {
  Bytes digest;
  sha256_digest(&context_, digest.size(), digest.data());  // and is set up again
  return digest;
}

std::string Sha256::finish_hex() { return hexadecimal(finish()); }

std::string sha256(std::string_view bytes) {
  Sha256 digest;
  digest.update(bytes);
  return digest.finish_hex();
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
  Sha256 digest;
  std::array<char, 128 * 1024> buffer;
  for (;;) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw fail();
    if (got == 0) return digest.finish_hex();
    digest.update({buffer.data(), static_cast<std::size_t>(got)});
  }
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  hmac_sha256_ctx context;
  hmac_sha256_set_key(&context, key.size(), octets(key));
  hmac_sha256_update(&context, bytes.size(), octets(bytes));
  Bytes digest;
  hmac_sha256_digest(&context, digest.size(), digest.data());
  return hexadecimal(digest);
}

}  // namespace drydock
