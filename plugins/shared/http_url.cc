#include "http_url.h"

#include <algorithm>
#include <cctype>

namespace drydock {
namespace {

struct Parts {
  std::string scheme;     // lower case, "" when there is none
  std::string authority;  // host and port, without user information
  std::string path;       // from '/' on, without query and fragment
  bool query = false;
};

Parts parts_of(const std::string& url) {
  Parts parts;
  const std::size_t colon = url.find("://");
  if (colon == std::string::npos) return parts;
  parts.scheme = url.substr(0, colon);
  std::transform(parts.scheme.begin(), parts.scheme.end(), parts.scheme.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::size_t begin = colon + 3;
  const std::size_t end = std::min(url.find_first_of("/?#\\", begin), url.size());
  parts.authority = url.substr(begin, end - begin);
  if (const std::size_t at = parts.authority.rfind('@'); at != std::string::npos) {
    parts.authority.erase(0, at + 1);
  }
  const std::size_t path_end = std::min(url.find_first_of("?#", end), url.size());
  parts.path = url.substr(end, path_end - end);
  parts.query = path_end < url.size() && url[path_end] == '?';
  return parts;
}

}  // namespace

bool is_http_url(const std::string& url) {
  const Parts parts = parts_of(url);
  const bool plain = std::none_of(
      url.begin(), url.end(), [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '\\'; });
  return plain && (parts.scheme == "http" || parts.scheme == "https") && !parts.authority.empty() &&
         parts.authority[0] != ':';
}

std::string shown_url(const std::string& url) {
  const Parts parts = parts_of(url);
  return parts.scheme + "://" + parts.authority + parts.path + (parts.query ? "?..." : "");
}

std::string host_of(const std::string& url) { return parts_of(url).authority; }

bool is_loopback(const std::string& url) {
  const std::string authority = host_of(url);
  const std::string host = authority.substr(0, authority.find(':'));
  return host == "localhost" || host.rfind("127.", 0) == 0 || authority.rfind("[::1]", 0) == 0;
}

}  // namespace drydock
