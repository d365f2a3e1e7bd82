// SHA-256: of bytes, of files, under a key, and over pieces as they stream by.
#pragma once

#include <nettle/sha2.h>

#include <array>
#include <string>
#include <string_view>

namespace drydock {

// After finish() it is as new.
class Sha256 {
 public:
  Sha256() { sha256_init(&context_); }
  void update(std::string_view bytes);
  std::array<unsigned char, SHA256_DIGEST_SIZE> finish();
  std::string finish_hex();

 private:
  sha256_ctx context_;
};

// In lower-case hexadecimal. Throws std::runtime_error when the file cannot be read.
std::string sha256(std::string_view bytes);
std::string sha256_file(const std::string& path);
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace drydock
