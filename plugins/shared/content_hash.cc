#include "content_hash.h"

#include <cstring>

namespace drydock {

void RowSum::add(const std::array<unsigned char, 32>& row) {
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    std::uint64_t part = 0;
    std::memcpy(&part, row.data() + i * sizeof part, sizeof part);
    parts_[i] += part;
  }
}

std::string RowSum::bytes() const {
  return {reinterpret_cast<const char*>(parts_.data()), sizeof parts_};
}

}  // namespace drydock
