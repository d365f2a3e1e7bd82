// Options that nobody should write, made from a schema: values of other types, at the ends of what is
// allowed, members that are missing and members that are unknown.
#pragma once

#include <nlohmann/json.hpp>
#include <random>

namespace drydock {

using Random = std::mt19937_64;

// What a worker could be handed as options. `sample` is what fits: most of it is kept, so that a step
// comes as far as to look at the rest.
nlohmann::json odd_options(const nlohmann::json& schema, const nlohmann::json& sample,
                           Random& random);

}  // namespace drydock
