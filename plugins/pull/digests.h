// The option `digests`, and what this stage hands on as outputs. Both are JSON.
#pragma once

#include <map>
#include <string>

#include "compose_images.h"
#include "compose_types.h"
#include "drydock/stage.hpp"
#include "image_choice.h"

namespace drydock::pull {

// service or reference -> "sha256:...", as it was given: a mapping, or the text of one, which is
// what the output `digests` of an earlier pull is. Throws BadOptions.
std::map<std::string, std::string> given_digests(const Call& call);

// reference -> the only digest that is accepted. A text that was handed on may name services that
// are not active here; in a mapping an unknown name is a mistake. Throws BadOptions.
std::map<std::string, std::string> accepted_digests(const Call& call,
                                                    const std::map<std::string, std::string>& given,
                                                    const compose::Model& model,
                                                    const std::map<std::string, Wanted>& wanted);

// What a service runs, or is to run.
struct ServiceImage {
  std::string reference;
  std::string id;
  std::string digest;  // Image::digest()
};
using ServiceImages = std::map<std::string, ServiceImage>;

// {"api": "sha256:..."}
std::string digests_json(const ServiceImages& images);
// {"api": {"before": {"reference", "id", "digest"} or null, "after": ...}}
std::string images_json(const ServiceImages& before, const ServiceImages& after);

}  // namespace drydock::pull
