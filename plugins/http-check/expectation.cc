#include "expectation.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "http_url.h"

namespace {

std::string joined(const std::vector<int>& statuses) {
  std::string result;
  for (int status : statuses) {
    if (!result.empty()) result += " or ";
    result += std::to_string(status);
  }
  return result;
}

// A member as the options write it: texts without quotes.
std::string as_text(const nlohmann::json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A header may come several times: one of them has to be as expected.
std::optional<std::string> unmet_header(const drydock::HttpReply& reply, const std::string& name,
                                        const std::string& expected) {
  std::string lower = name, found;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  const auto [first, last] = reply.headers.equal_range(lower);
  for (auto each = first; each != last; ++each) {
    if (expected.empty() || each->second == expected) return std::nullopt;
    found = each->second;
  }
  if (first == last) return "the answer has no header " + name;
  return "the header " + name + " of the answer is \"" + found.substr(0, 200) + "\" instead of \"" +
         expected + "\"";
}

}  // namespace

std::optional<std::string> Expectation::unmet(const drydock::HttpReply& reply) const {
  if (reply.status == 0) return "no answer: " + reply.error;
  if (std::find(statuses.begin(), statuses.end(), reply.status) == statuses.end()) {
    return "the answer was status " + std::to_string(reply.status) + " instead of " +
           joined(statuses);
  }
  for (const auto& [name, expected] : headers) {
    if (const auto problem = unmet_header(reply, name, expected)) return problem;
  }
  if (!contains.empty() && reply.body.find(contains) == std::string::npos) {
    return "the answer (" + std::to_string(reply.body.size()) + " bytes) does not contain \"" +
           contains + "\"";
  }
  if (json.empty()) return std::nullopt;
  const nlohmann::json body = nlohmann::json::parse(reply.body, nullptr, false);
  if (body.is_discarded()) return "the answer is not JSON";
  for (const auto& [pointer, expected] : json) {
    const nlohmann::json::json_pointer at(pointer);
    if (!body.contains(at)) return "the answer has no member " + pointer;
    if (const std::string found = as_text(body.at(at)); found != expected) {
      return pointer + " of the answer is \"" + found.substr(0, 200) + "\" instead of \"" +
             expected + "\"";
    }
  }
  return std::nullopt;
}

std::string Expectation::describe() const {
  std::string result = joined(statuses);
  if (!contains.empty()) result += ", containing \"" + contains + "\"";
  for (const auto& [name, expected] : headers) {
    result += ", with " + name + (expected.empty() ? "" : ": " + expected);
  }
  for (const auto& [pointer, expected] : json) result += ", " + pointer + " = " + expected;
  return result;
}

drydock::HttpRequest request_of(const drydock::Call& call) {
  drydock::HttpRequest request;
  request.url = call.text("/url");
  if (!drydock::is_http_url(request.url)) {
    throw drydock::BadOptions("with.url is no http:// or https:// URL: " +
                              drydock::shown_url(request.url));
  }
  request.headers = drydock::header_options(call);
  if (call.has("/ca_file")) request.ca_file = call.deployment(call.text("/ca_file"));
  request.verify = !call.flag("/insecure");
  for (const auto& [option, file] : {std::pair("/client_certificate", &request.client_certificate),
                                     std::pair("/client_key", &request.client_key)}) {
    if (call.has(option)) *file = call.deployment(call.text(option));
  }
  request.timeout = call.duration("/request_timeout");
  return request;
}

Expectation expectation_of(const drydock::Call& call) {
  Expectation result;
  for (std::size_t i = 0; i < call.size("/status"); ++i) {
    result.statuses.push_back(static_cast<int>(call.integer("/status/" + std::to_string(i))));
  }
  if (result.statuses.empty()) result.statuses = {static_cast<int>(call.integer("/status"))};
  for (const std::string& name : call.keys("/expect_headers")) {
    result.headers.emplace_back(name, call.text(drydock::Call::member("/expect_headers", name)));
  }
  result.contains = call.text("/contains");
  for (const std::string& pointer : call.keys("/json")) {
    try {
      static_cast<void>(nlohmann::json::json_pointer(pointer));
    } catch (const nlohmann::json::exception&) {
      throw drydock::BadOptions("with.json: " + pointer +
                                " is no JSON Pointer: write it as /member or /list/0");
    }
    result.json.emplace_back(pointer, call.text(drydock::Call::member("/json", pointer)));
  }
  return result;
}
