#include "http_url.h"

#include <gtest/gtest.h>

namespace {

using drydock::host_of;
using drydock::is_http_url;
using drydock::is_loopback;
using drydock::shown_url;

TEST(HttpUrl, ShowsNeitherUserInformationNorQuery) {
  EXPECT_EQ(shown_url("https://me:pass@example.org:8443/health?token=abc#x"),
            "https://example.org:8443/health?...");
  EXPECT_EQ(shown_url("http://a@b:c@example.org"), "http://example.org");
  EXPECT_EQ(shown_url("http://example.org/a@b"), "http://example.org/a@b");
  EXPECT_EQ(shown_url("no url at all"), "://");
}

TEST(HttpUrl, KnowsTheHost) {
  EXPECT_EQ(host_of("https://hooks.example.org/T0/B0/secret"), "hooks.example.org");
  EXPECT_EQ(host_of("https://x:y@[::1]:8080?z"), "[::1]:8080");
}

TEST(HttpUrl, AcceptsOnlyAbsoluteHttpUrls) {
  EXPECT_TRUE(is_http_url("HTTPS://example.org"));
  for (const char* bad : {"", "example.org", "file:///etc/passwd", "http://", "http:///x",
                          "http://:80/", "http://a b/", "http://a/\r\nX: y", "http://a\\@b/"}) {
    EXPECT_FALSE(is_http_url(bad)) << bad;
  }
}

TEST(HttpUrl, KnowsTheLoopback) {
  EXPECT_TRUE(is_loopback("http://localhost:1/"));
  EXPECT_TRUE(is_loopback("http://127.0.0.9/"));
  EXPECT_TRUE(is_loopback("http://[::1]:80/"));
  EXPECT_FALSE(is_loopback("http://localhost.example.org/"));
}

}  // namespace
