// The hash of a table's rows, computed as they stream by, whatever their order.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace drydock {

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
