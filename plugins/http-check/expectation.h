// What the stages of this plugin ask, and what an answer must be like.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "http_request.h"

struct Expectation {
  std::vector<int> statuses;
  std::string contains;                                      // empty: anything
  std::vector<std::pair<std::string, std::string>> json;     // JSON Pointer, value as text
  std::vector<std::pair<std::string, std::string>> headers;  // name, value; "": any value

  // Why the answer is not as expected; nullopt when it is.
  std::optional<std::string> unmet(const drydock::HttpReply& reply) const;
  // "200 or 204, containing \"ok\""
  std::string describe() const;
};

// From the options that the stages share. Both throw BadOptions.
drydock::HttpRequest request_of(const drydock::Call& call);
Expectation expectation_of(const drydock::Call& call);
