// Options that nobody should write, made from a schema: values of other types, at the ends of what
// is allowed, members that are missing and members that are unknown.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace drydock {

// Sets of options that a worker could be handed: each option in turn missing and of every kind of
// odd value, then several at once, by the seed. `sample` is what fits: the rest of it is kept, so
// that a step comes as far as to look at what is odd.
std::vector<nlohmann::json> odd_options(const nlohmann::json& schema, const nlohmann::json& sample,
                                        std::uint64_t seed);

}  // namespace drydock
