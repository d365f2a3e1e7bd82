// One HTTP request. The only user of libcurl.
#pragma once

#include <chrono>
#include <drydock/stage.hpp>
#include <map>
#include <string>
#include <vector>

namespace drydock {

struct HttpRequest {
  std::string url;                             // http or https; redirects are not followed
  std::vector<std::string> headers;            // "Name: value"
  std::string body;                            // empty: a GET; else a POST of JSON
  std::string ca_file;                         // certificates to trust instead of the system's
  bool verify = true;                          // the server's certificate
  std::string client_certificate, client_key;  // PEM files; the key may stand in the certificate's
  std::chrono::milliseconds timeout{10'000};
};

struct HttpReply {
  int status = 0;                                   // 0: no answer, see error
  std::string body;                                 // at most largest_reply bytes of it
  std::multimap<std::string, std::string> headers;  // by name in lower case, in their order
  std::string error;                                // why there was no answer; without the URL
};

inline constexpr std::size_t largest_reply = 1024 * 1024;

// Throws Cancelled as soon as the step is cancelled.
HttpReply send(const Call& call, const HttpRequest& request);

// The options `headers` and `secret_headers` of a stage, as header lines.
std::vector<std::string> header_options(const Call& call);

}  // namespace drydock
