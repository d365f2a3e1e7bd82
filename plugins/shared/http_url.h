// URLs as a person may see them. A URL can carry a password (before the '@') or a token (in a
// query, or in the path of a webhook), so nothing of ours prints one as it was given.
#pragma once

#include <string>

namespace drydock {

// Absolute, of http or https, with a host.
bool is_http_url(const std::string& url);

// Scheme, host, port and path: "https://example.org:8443/health". A query becomes "?...".
std::string shown_url(const std::string& url);

// "example.org", "127.0.0.1:8080", "[::1]": the host, and the port where one is given.
std::string host_of(const std::string& url);

// localhost, 127.0.0.0/8 or ::1: never reached through a proxy.
bool is_loopback(const std::string& url);

}  // namespace drydock
