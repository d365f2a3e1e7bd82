#include "notify_stage.h"

#include <nlohmann/json.hpp>
#include <string>

#include "http_request.h"
#include "http_url.h"

using drydock::Call;

namespace {

// The webhook; "" when there is none. Its path is a secret, so no message may contain more than its
// host.
std::string webhook_of(const Call& call) {
  const std::string url = call.secret("/webhook").value_or("");
  if (!url.empty() && !drydock::is_http_url(url)) {
    throw drydock::BadOptions(
        "with.webhook is no http:// or https:// URL (its value is a secret and not shown)");
  }
  return url;
}

std::string body_of(const Call& call) {
  nlohmann::json body = nlohmann::json::object();
  for (const std::string& key : call.keys("/fields")) {
    body[key] = call.text(Call::member("/fields", key));
  }
  const std::string message = call.text("/message");
  body[call.text("/field")] = !message.empty() ? message
                                               : "Drydock: run " + std::to_string(call.run_id()) +
                                                     " of " + call.deployment_dir() +
                                                     " has come to the stage " + call.stage_id();
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void Notify::plan(Call& call) {
  const std::string webhook = webhook_of(call);
  if (webhook.empty()) {
    call.info("no webhook is set: nobody will be notified");
    return;
  }
  call.change({"request", "run", drydock::host_of(webhook), "", call.text("/message"),
               "a message that is sent stays sent"});
}

void Notify::run(Call& call) {
  drydock::HttpRequest request;
  request.url = webhook_of(call);
  if (request.url.empty()) {
    call.info("no webhook is set: nobody is notified");
    return;
  }
  request.body = body_of(call);
  request.headers = drydock::header_options(call);
  if (call.has("/ca_file")) request.ca_file = call.deployment(call.text("/ca_file"));
  request.timeout = call.duration("/timeout");
  const drydock::HttpReply reply = drydock::send(call, request);
  const std::string host = drydock::host_of(request.url);
  if (reply.status == 0) {
    throw drydock::Failed("the webhook at " + host + " gave no answer: " + reply.error);
  }
  if (reply.status < 200 || reply.status > 299) {
    throw drydock::Failed("the webhook at " + host + " answered with status " +
                          std::to_string(reply.status) +
                          " instead of 2xx: check that its URL is still valid");
  }
}
