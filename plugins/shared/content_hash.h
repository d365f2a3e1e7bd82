// Hashes of what a database holds, computed as it streams by: of lines in their order, and of rows
// whatever their order.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace drydock {

// SHA-256 over pieces. After finish() it is as new.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void update(std::string_view bytes);
  std::array<unsigned char, 32> finish();
  std::string finish_hex();

 private:
  void* context_;  // libcrypto's, set up once: there is one hash for each row
};

// The sum of the SHA-256 of rows: it does not depend on their order, and each row weighs in, twice
// when it is there twice.
class RowSum {
 public:
  void add(const std::array<unsigned char, 32>& row);
  std::string bytes() const;

 private:
  std::array<std::uint64_t, 4> parts_{};
};

}  // namespace drydock
