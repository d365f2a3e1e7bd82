// What the images that are still to be pulled weigh, as their registries say.
#pragma once

#include <cstdint>
#include <drydock/stage.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace drydock::preflight {

// digest -> compressed bytes of the layers of one image.
using Layers = std::map<std::string, std::int64_t>;

// What `docker manifest inspect` prints: the layers of one image, or a list of which `digest` is
// the one of the platform. Neither when it is of no such shape, or has no such platform.
struct Manifest {
  Layers layers;
  std::string digest;
};
Manifest parse_manifest(std::string_view text, const std::string& platform);

// As images name platforms, from what the engine says of itself: "x86_64" is "linux/amd64".
std::string platform_of(const std::string& engine_architecture);

// Compressed bytes of all of them together; a layer that several share counts once. nullopt, with
// the reference in `unknown`, as soon as one registry does not tell.
std::optional<std::int64_t> compressed_size(const Call& call,
                                            const std::map<std::string, std::string>& platforms,
                                            std::string& unknown);

}  // namespace drydock::preflight
