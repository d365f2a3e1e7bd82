#include <gtest/gtest.h>

#include <drydock/testing.hpp>
#include <nlohmann/json.hpp>

#include "loopback_server.h"
#include "notify_stage.h"

namespace {

using drydock::testing::FakeHost;

class NotifyTest : public testing::Test {
 protected:
  NotifyTest() {
    host.option("/field", "text");
    host.option("/timeout", std::chrono::milliseconds(10000));
  }
  FakeHost host;
};

TEST_F(NotifyTest, PostsTheMessageAsJson) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::response(204); });
  host.secret("/webhook", server.url("/T0/token"));
  host.option("/message", "it's \"done\"\n");
  host.option("/field", "content");
  host.option("/fields/username", "drydock");
  ASSERT_TRUE(host.perform<Notify>("run").ok());
  const std::string request = server.requests().at(0);
  EXPECT_EQ(request.rfind("POST /T0/token HTTP/1.1\r\n", 0), 0u) << request;
  EXPECT_NE(request.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(request.substr(request.find("\r\n\r\n") + 4)),
            nlohmann::json({{"content", "it's \"done\"\n"}, {"username", "drydock"}}));
}

TEST_F(NotifyTest, HasAMessageOfItsOwn) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::response(200, "ok"); });
  host.secret("/webhook", server.url());
  ASSERT_TRUE(host.perform<Notify>("run").ok());
  EXPECT_NE(server.requests().at(0).find("Drydock: run 1 of " + host.deployment_dir()),
            std::string::npos);
}

TEST_F(NotifyTest, AFailureNamesTheHostAndNothingElseOfTheWebhook) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::response(404); });
  host.secret("/webhook", "http://user22:word22@" + server.host() + "/path22?query22");
  EXPECT_EQ(host.perform<Notify>("run").failure,
            "the webhook at " + server.host() +
                " answered with status 404 instead of 2xx: check that its URL is still valid");
  host.secret("/webhook", "https://user22:word22@" + server.host() + "/path22?query22");
  const auto plain_server = host.perform<Notify>("run");
  EXPECT_NE(plain_server.failure.find("gave no answer: "), std::string::npos);
  for (const char* secret : {"user22", "word22", "path22", "query22"}) {
    EXPECT_EQ(plain_server.failure.find(secret), std::string::npos) << plain_server.failure;
  }
  host.secret("/webhook", "path22");
  EXPECT_EQ(host.perform<Notify>("run").failure,
            "with.webhook is no http:// or https:// URL (its value is a secret and not shown)");
}

TEST_F(NotifyTest, WithoutAWebhookItOnlySaysSo) {
  host.option("/webhook", nullptr);
  EXPECT_TRUE(host.perform<Notify>("plan").ok());
  EXPECT_TRUE(host.changes.empty());
  EXPECT_TRUE(host.perform<Notify>("run").ok());
  EXPECT_EQ(host.log_text(), "no webhook is set: nobody is notified\n");
}

TEST_F(NotifyTest, PlansTheRequestByItsHost) {
  host.secret("/webhook", "https://hooks.example.org/T0/token");
  ASSERT_TRUE(host.perform<Notify>("plan").ok());
  EXPECT_EQ(host.changes.at(0).name, "hooks.example.org");
}

}  // namespace
