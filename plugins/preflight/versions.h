// Versions and release tags, as far as they can be compared.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace drydock::preflight {

// The numbers that a tag begins with: "v1.14.1-fix2" is 1, 14, 1. Empty: it begins with none
// ("latest").
std::vector<long> version_numbers(std::string_view tag);

// Negative, zero or positive, as `left` is older than, like or newer than `right`; absent numbers
// are 0. nullopt when one of them has no numbers.
std::optional<int> compare_versions(std::string_view left, std::string_view right);

}  // namespace drydock::preflight
