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

// Without tag and digest: "127.0.0.1:5000/sample/api".
inline std::string repository_of(const std::string& reference) {
  std::string name = reference.substr(0, reference.find('@'));
  const std::string tag = tag_of(reference);
  if (!tag.empty()) name.erase(name.size() - tag.size() - 1);
  return name;
}

// The host that a reference is pulled from; "docker.io" where it names none. The rule is Docker's:
// only a first part with a dot or a port, or "localhost", is a host.
inline std::string registry_of(const std::string& reference) {
  const std::string name = repository_of(reference);
  const std::size_t slash = name.find('/');
  const std::string first = slash == std::string::npos ? "" : name.substr(0, slash);
  const bool is_host = first.find_first_of(".:") != std::string::npos || first == "localhost";
  return is_host ? first : "docker.io";
}

// The one way in which engines list a name: "postgres:15" of "docker.io/library/postgres:15",
// "redis:latest" of "redis". What is an id stays as it is.
inline std::string listed_name(const std::string& reference) {
  if (reference.compare(0, 7, "sha256:") == 0) return reference;
  std::string name = reference;
  for (const char* left_out : {"index.docker.io/", "docker.io/", "library/"}) {
    const std::string prefix = left_out;
    if (name.compare(0, prefix.size(), prefix) == 0) name.erase(0, prefix.size());
  }
  const bool complete = name.find('@') != std::string::npos || !tag_of(name).empty();
  return complete ? name : name + ":latest";
}

// A digest or an id always names the same image; only a tag can be moved.
inline bool can_be_moved(const std::string& reference) {
  return !reference.empty() && reference.find('@') == std::string::npos &&
         reference.compare(0, 7, "sha256:") != 0;
}

}  // namespace drydock
