// Why a registry did not give an image, for a person.
#pragma once

#include <string>

namespace drydock::pull {

// What the registry answered and what to do about it: "the registry 127.0.0.1:5000 answered 500
// Internal Server Error (docker: ...); ...". said: all that `docker pull` printed as its error. The
// words are those of Docker 20.10 to 28.
std::string registry_refusal(const std::string& reference, const std::string& said);

}  // namespace drydock::pull
