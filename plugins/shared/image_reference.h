// References of images, as compose files and engines write them.
#pragma once

#include <string>

namespace drydock {

// The tag of a reference: "1.2" of "127.0.0.1:5000/sample/api:1.2@sha256:...". "" where there is
// none.
inline std::string tag_of(const std::string& reference) {
  const std::string name = reference.substr(0, reference.find('@'));
  const std::size_t colon = name.rfind(':');
  const bool is_port = colon != std::string::npos && name.find('/', colon) != std::string::npos;
  return colon == std::string::npos || is_port ? "" : name.substr(colon + 1);
}

}  // namespace drydock
