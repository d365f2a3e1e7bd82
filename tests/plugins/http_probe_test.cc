// The probe of a pipeline, against a server on the loopback.
#include <gtest/gtest.h>

#include <atomic>
#include <drydock/testing.hpp>

#include "http_probe_stage.h"
#include "loopback_server.h"

namespace {

using drydock::testing::FakeHost;
using std::chrono::milliseconds;

class HttpProbeTest : public testing::Test {
 protected:
  HttpProbeTest() {
    host.option("/status", drydock::testing::Option::array());
    host.option("/status/0", 200);
    host.option("/every", milliseconds(1));
    host.option("/slow", milliseconds(60000));
    host.option("/request_timeout", milliseconds(60000));
  }
  // Answers with these statuses in turn, then cancels the probe.
  void probe(const std::vector<int>& statuses) {
    std::atomic<std::size_t> asked{0};
    FakeHost* probed = &host;
    LoopbackServer server([&, probed](const std::string&) {
      const std::size_t n = asked++;
      if (n < statuses.size()) return LoopbackServer::response(statuses[n]);
      probed->cancel();
      return std::string();
    });
    host.option("/url", server.url());
    EXPECT_EQ(host.perform<HttpProbe>("run").status, DRYDOCK_CANCELLED);
  }
  std::string put_out(const std::string& name) const {
    const auto found = host.outputs.find(name);
    return found == host.outputs.end() ? "nothing" : found->second.value;
  }
  FakeHost host;
};

TEST_F(HttpProbeTest, CountsRequestsUntilItIsCancelled) {
  probe({200, 200, 200});
  EXPECT_EQ(put_out("outage"), "nothing");
  EXPECT_EQ(put_out("requests"), "3 0 0");
}

TEST_F(HttpProbeTest, ReportsAnOutageWhenItIsOver) {
  probe({200, 503, 503, 200, 200});
  long long from = 0, until = 0;
  char more = 0;
  ASSERT_EQ(std::sscanf(put_out("outage").c_str(), "%lld %lld %c", &from, &until, &more), 2)
      << put_out("outage");
  EXPECT_GE(until - from, 2);  // three pauses of a millisecond, rounded down
  EXPECT_EQ(put_out("requests"), "5 2 0");
  EXPECT_EQ(host.log_text(), "the answer was status 503 instead of 200\n");
}

TEST_F(HttpProbeTest, ReportsAnOutageThatIsNotOver) {
  probe({503});
  EXPECT_NE(put_out("outage").find(" open"), std::string::npos) << put_out("outage");
  EXPECT_EQ(put_out("requests"), "1 1 0");
}

TEST_F(HttpProbeTest, CountsSlowAnswers) {
  host.option("/slow", milliseconds(0));
  probe({200, 200});
  EXPECT_EQ(put_out("requests"), "2 0 2");
}

TEST_F(HttpProbeTest, RefusesWhatIsNoUrlWhenItIsPlanned) {
  host.option("/url", "127.0.0.1:8080/health");
  EXPECT_EQ(host.perform<HttpProbe>("plan").status, DRYDOCK_BAD_OPTIONS);
  host.option("/url", "http://me:hunter22@127.0.0.1:8080/health");
  EXPECT_TRUE(host.perform<HttpProbe>("plan").ok());
  EXPECT_EQ(host.changes.at(0).name, "http://127.0.0.1:8080/health");
}

}  // namespace
