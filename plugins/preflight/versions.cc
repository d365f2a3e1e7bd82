#include "versions.h"

#include <algorithm>
#include <charconv>

namespace drydock::preflight {

std::vector<long> version_numbers(std::string_view tag) {
  if (!tag.empty() && (tag.front() == 'v' || tag.front() == 'V')) tag.remove_prefix(1);
  std::vector<long> numbers;
  for (;;) {
    long number = 0;
    const auto read = std::from_chars(tag.data(), tag.data() + tag.size(), number);
    if (read.ec != std::errc() || number < 0) return numbers;
    numbers.push_back(number);
    tag.remove_prefix(static_cast<std::size_t>(read.ptr - tag.data()));
    if (tag.empty() || tag.front() != '.') return numbers;
    tag.remove_prefix(1);
  }
}

std::optional<int> compare_versions(std::string_view left, std::string_view right) {
  std::vector<long> a = version_numbers(left), b = version_numbers(right);
  if (a.empty() || b.empty()) return std::nullopt;
  const std::size_t size = std::max(a.size(), b.size());
  a.resize(size);
  b.resize(size);
  return a < b ? -1 : a == b ? 0 : 1;
}

}  // namespace drydock::preflight
