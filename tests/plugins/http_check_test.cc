#include <gtest/gtest.h>

#include <atomic>
#include <drydock/testing.hpp>

#include "http_check_stage.h"
#include "loopback_server.h"
#include "tls_server.h"

namespace {

using drydock::testing::FakeHost;
using std::chrono::milliseconds;

class HttpCheckTest : public testing::Test {
 protected:
  HttpCheckTest() {
    host.option("/status", drydock::testing::Option::array());
    host.option("/status/0", 200);
    host.option("/timeout", milliseconds(500));
    host.option("/interval", milliseconds(5));
    host.option("/request_timeout", milliseconds(5000));
  }
  // The failure of a check against a server that always gives this response.
  std::string failure(const std::string& response) {
    LoopbackServer server([&](const std::string&) { return response; });
    host.option("/url", server.url("/health"));
    return host.perform<HttpCheck>("run").failure;
  }
  FakeHost host;
};

TEST_F(HttpCheckTest, WaitsUntilTheAnswerIsAsExpected) {
  std::atomic<int> asked{0};
  LoopbackServer server(
      [&](const std::string&) { return LoopbackServer::response(++asked < 4 ? 503 : 200); });
  host.option("/url", server.url());
  host.option("/timeout", milliseconds(60000));
  EXPECT_TRUE(host.perform<HttpCheck>("run").ok());
  EXPECT_EQ(asked, 4);
  EXPECT_EQ(host.log_text(), "try 1: the answer was status 503 instead of 200\n");
  EXPECT_TRUE(host.perform<HttpCheck>("verify").ok());
  EXPECT_EQ(asked, 5);
}

TEST_F(HttpCheckTest, SaysTheLastReasonWhenTheTimeIsUp) {
  const std::string said = failure(LoopbackServer::response(502));
  EXPECT_NE(said.find("/health did not answer as expected within 0.5 s ("), std::string::npos)
      << said;
  EXPECT_NE(said.find("tries): the answer was status 502 instead of 200"), std::string::npos)
      << said;
}

TEST_F(HttpCheckTest, EndsBeforeTheStepsOwnDeadline) {
  host.option("/timeout", milliseconds(3600000));
  host.deadline = milliseconds(600);
  EXPECT_NE(failure(LoopbackServer::response(502)).find("status 502"), std::string::npos);
}

TEST_F(HttpCheckTest, DoesNotFollowRedirects) {
  EXPECT_NE(failure(LoopbackServer::response(302, "", "Location: /elsewhere\r\n"))
                .find("status 302 instead of 200"),
            std::string::npos);
  host.option("/status/1", 302);
  EXPECT_EQ(failure(LoopbackServer::response(302)), "");
}

TEST_F(HttpCheckTest, LooksAtTheHeaders) {
  host.option("/expect_headers/Content-Type", "text/plain");
  host.option("/expect_headers/X-Release", "");
  const std::string plain = "content-type: text/plain\r\nX-RELEASE:  2 \r\n";
  EXPECT_EQ(failure(LoopbackServer::response(200, "", plain)), "");
  EXPECT_NE(failure(LoopbackServer::response(200, "", "Content-Type: text/plain\r\n"))
                .find("the answer has no header X-Release"),
            std::string::npos);
  EXPECT_NE(
      failure(LoopbackServer::response(200, "", "Content-Type: text/html\r\nX-Release: 2\r\n"))
          .find("the header Content-Type of the answer is \"text/html\" instead of \"text/plain\""),
      std::string::npos);
}

TEST_F(HttpCheckTest, LooksIntoTheBody) {
  host.option("/contains", "ready");
  EXPECT_EQ(failure(LoopbackServer::response(200, "all ready")), "");
  EXPECT_NE(failure(LoopbackServer::response(200, "not yet"))
                .find("the answer (7 bytes) does not contain \"ready\""),
            std::string::npos);
}

TEST_F(HttpCheckTest, LooksIntoAJsonBody) {
  host.option("/json/~1version", "2");
  host.option("/json/~1db~1ok", true);
  EXPECT_EQ(failure(LoopbackServer::response(200, R"({"version": "2", "db": {"ok": true}})")), "");
  EXPECT_NE(failure(LoopbackServer::response(200, R"({"version": "1", "db": {"ok": true}})"))
                .find("/version of the answer is \"1\" instead of \"2\""),
            std::string::npos);
  EXPECT_NE(failure(LoopbackServer::response(200, "{}")).find("has no member /version"),
            std::string::npos);
  EXPECT_NE(failure(LoopbackServer::response(200, "<html>")).find("is not JSON"),
            std::string::npos);
}

TEST_F(HttpCheckTest, SendsHeadersAndCredentialsButShowsNone) {
  LoopbackServer server([](const std::string&) { return LoopbackServer::response(500); });
  host.option("/url", "http://me:hunter22@" + server.host() + "/?key=hunter22");
  host.option("/headers/X-Check", "yes");
  host.secret("/secret_headers/Authorization", "Bearer hunter22");
  ASSERT_TRUE(host.perform<HttpCheck>("plan").ok());
  const std::string planned = host.changes.at(0).name;
  const std::string said = host.perform<HttpCheck>("run").failure + host.log_text() + planned;
  EXPECT_EQ(said.find("hunter22"), std::string::npos) << said;
  EXPECT_NE(server.requests().at(0).find("X-Check: yes\r\n"), std::string::npos);
  EXPECT_NE(server.requests().at(0).find("Authorization: Bearer hunter22\r\n"), std::string::npos);
}

TEST_F(HttpCheckTest, TrustsOnlyWhatItIsTold) {
  if (!TlsServer::possible()) GTEST_SKIP() << "openssl is not installed";
  const TlsServer server(false);
  host.option("/url", server.url());
  EXPECT_NE(host.perform<HttpCheck>("run").failure.find("SSL certificate problem"),
            std::string::npos);
  host.option("/ca_file", server.certificate());
  EXPECT_TRUE(host.perform<HttpCheck>("run").ok()) << host.log_text();
  host.option("/ca_file", "/dev/null");
  EXPECT_FALSE(host.perform<HttpCheck>("run").ok());
  host.option("/insecure", true);
  EXPECT_TRUE(host.perform<HttpCheck>("run").ok()) << host.log_text();
}

TEST_F(HttpCheckTest, ShowsACertificateToWhoAsksForOne) {
  if (!TlsServer::possible()) GTEST_SKIP() << "openssl is not installed";
  const TlsServer server(true);
  host.option("/url", server.url());
  host.option("/ca_file", server.certificate());
  EXPECT_NE(host.perform<HttpCheck>("run").failure.find("certificate required"), std::string::npos);
  host.option("/client_certificate", server.certificate());
  host.option("/client_key", server.key());
  EXPECT_TRUE(host.perform<HttpCheck>("run").ok()) << host.log_text();
}

TEST_F(HttpCheckTest, ObservesWithoutFailing) {
  host.option("/url", "http://127.0.0.1:1/");
  EXPECT_TRUE(host.perform<HttpCheck>("observe").ok());
  EXPECT_NE(host.facts.at("answer").value.find("127.0.0.1 port 1"), std::string::npos);
  EXPECT_FALSE(host.facts.at("answer").must_return);
}

TEST_F(HttpCheckTest, AHangingServerIsLeftWhenTheRunIsCancelled) {
  FakeHost* cancelled = &host;
  LoopbackServer server([=](const std::string&) {
    cancelled->cancel();
    return std::string();
  });
  host.option("/timeout", milliseconds(3600000));
  host.option("/interval", milliseconds(3600000));
  host.option("/url", server.url());
  EXPECT_EQ(host.perform<HttpCheck>("run").status, DRYDOCK_CANCELLED);
}

TEST_F(HttpCheckTest, RefusesWhatIsNoUrlAndNoPointer) {
  host.option("/url", "example.org/health");
  EXPECT_EQ(host.perform<HttpCheck>("plan").status, DRYDOCK_BAD_OPTIONS);
  host.option("/url", "http://example.org/health");
  EXPECT_TRUE(host.perform<HttpCheck>("plan").ok());
  EXPECT_EQ(host.changes.at(0).after, "200");
  host.option("/json/status", "ok");
  EXPECT_EQ(host.perform<HttpCheck>("plan").failure,
            "with.json: status is no JSON Pointer: write it as /member or /list/0");
}

TEST_F(HttpCheckTest, RefusesAHeaderWithALineBreak) {
  host.option("/url", "http://example.org/");
  host.option("/headers/X", "a\r\nHost: b");
  EXPECT_EQ(host.perform<HttpCheck>("plan").status, DRYDOCK_BAD_OPTIONS);
}

}  // namespace
