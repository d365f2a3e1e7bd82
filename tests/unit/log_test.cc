// What a run leaves on disk.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "view.h"
#include "view_samples.h"

namespace drydock {
namespace {

class LogTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "drydock-log-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string read(const std::string& name) const {
    std::ifstream file(dir_ + "/" + name);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  mode_t mode(const std::string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat((dir_ + "/" + name).c_str(), &status), 0);
    return status.st_mode & 0777;
  }
  std::string dir_;
};

TEST_F(LogTest, HoldsEveryEventForProgramsAndReadableLinesForPeople) {
  const auto log = make_run_log(dir_);
  const std::vector<Event> events = {
      run_started(), stage_started(2, "pull", 1), progress(3, "pull", 1, 2, "files"),
      log_line(3, "pull", "debug", "two\nlines \x1b[1m"),
      stage_finished(4, "pull", "failed", "registry answered 503", 2000)};
  std::string expected;
  for (const Event& event : events) {
    log->event(event);
    expected += event.to_json_line() + "\n";
  }
  EXPECT_EQ(read("events.jsonl"), expected);
  EXPECT_EQ(read("run.log"),
            "2026-03-01T00:00:01.000Z info    run 7 of sample (drydock.yaml) for /srv/sample\n"
            "2026-03-01T00:00:02.000Z info    pull: started (1 of 4)\n"
            "2026-03-01T00:00:03.000Z debug   pull: two lines \\x1b[1m\n"
            "2026-03-01T00:00:04.000Z error   pull: failed after 2.0 s: registry answered 503\n");
}

TEST_F(LogTest, IsReadableByItsOwnerOnly) {
  const mode_t before = ::umask(0);
  make_run_log(dir_);
  ::umask(before);
  EXPECT_EQ(mode("events.jsonl"), 0600u);
  EXPECT_EQ(mode("run.log"), 0600u);
}

TEST_F(LogTest, EndsWithTheClosingScreen) {
  const auto log = make_run_log(dir_);
  log->event(run_started());
  log->event(event_at(9, "run.finished", finished("rolled_back", 1)));
  EXPECT_NE(read("run.log").find("  now:         Nothing must be done tonight.\n"),
            std::string::npos)
      << read("run.log");
}

TEST_F(LogTest, AnotherProcessGoesOnWhereADeadOneWasTorn) {
  EXPECT_EQ(last_seq_of(dir_), 0u);
  Event first = run_started();
  first.seq = 41;
  make_run_log(dir_)->event(first);
  std::ofstream(dir_ + "/events.jsonl", std::ios::app) << R"({"seq":42,"time":"2026-)";
  EXPECT_EQ(last_seq_of(dir_), 41u);
  Event second = stage_started(2, "pull", 1);
  second.seq = 42;
  make_run_log(dir_)->event(second);
  EXPECT_EQ(read("events.jsonl"), first.to_json_line() + "\n" + second.to_json_line() + "\n");
  EXPECT_EQ(last_seq_of(dir_), 42u);
}

TEST_F(LogTest, DoesNotFollowALinkThatSomebodyPutThere) {
  std::ofstream(dir_ + "/victim") << "mine\n";
  std::filesystem::create_symlink("victim", dir_ + "/events.jsonl");
  EXPECT_THROW(make_run_log(dir_), std::exception);
  EXPECT_EQ(read("victim"), "mine\n");
}

TEST_F(LogTest, ADiskWithoutRoomDropsTheLogAndTheRunGoesOn) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const Masker masker;
  Events events(masker);
  const auto log = make_run_log(dir_);
  std::ostringstream stream;
  const auto reader = make_event_stream(stream);
  events.add(*log);
  events.add(*reader);
  rlimit small = before;
  small.rlim_cur = 1000;
  ::setrlimit(RLIMIT_FSIZE, &small);
  for (int i = 0; i < 50; ++i) events.emit("log", {{"level", "info"}, {"text", "line"}}, "pull");
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(stream.str().find("events.jsonl: cannot be written: File too large; the run goes on"),
            std::string::npos)
      << stream.str();
  EXPECT_NE(stream.str().find("\"seq\":51"), std::string::npos);
}

}  // namespace
}  // namespace drydock
