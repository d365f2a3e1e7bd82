// The copy of a run's events that a rollout keeps: whole lines, each once, whatever happened
// before.
#include "rollout_run_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "error.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

std::string line_of(std::uint64_t seq) {
  Event event;
  event.seq = seq;
  event.run = 1;
  event.type = "log";
  event.data = {{"text", std::string(seq * 7, 'x')}};
  return event.to_json_line();
}

std::string lines_until(std::uint64_t last) {
  std::string text;
  for (std::uint64_t seq = 1; seq <= last; ++seq) text += line_of(seq) + "\n";
  return text;
}

class RunLogTest : public testing::Test {
 protected:
  std::string file() const { return dir_.path() + "/events.jsonl"; }
  std::string content() const {
    std::ifstream in(file(), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& text) const { std::ofstream(file(), std::ios::binary) << text; }
  // As a follower hands on what the environment says from there.
  static void take(RunLog& log, std::uint64_t from, std::uint64_t last) {
    for (std::uint64_t seq = from; seq <= last; ++seq) {
      log.take(*Event::from_json_line(line_of(seq)), line_of(seq));
    }
  }

  TemporaryDir dir_;
};

// Whatever a supervisor that died has left: the copy is exact once the rest has come.
TEST_F(RunLogTest, GoesOnAfterTheLastWholeLine) {
  constexpr std::uint64_t last = 5;
  const std::string all = lines_until(last);
  std::vector<std::string> left;
  for (std::size_t size = 0; size <= all.size(); ++size) left.push_back(all.substr(0, size));
  left.push_back(lines_until(3) + line_of(3) + "\n");                           // twice
  left.push_back(lines_until(2) + line_of(4) + "\n");                           // one is missing
  left.push_back(lines_until(2) + std::string(100, '\0') + line_of(3) + "\n");  // a power cut
  left.push_back(lines_until(2) + line_of(3).substr(0, 9) + line_of(4) +
                 "\n");  // torn, and went on
  for (const std::string& text : left) {
    write(text);
    RunLog log;
    log.open(dir_.path());
    EXPECT_EQ(content(), lines_until(log.seq()));
    take(log, std::max<std::uint64_t>(1, log.seq()), last);
    EXPECT_EQ(content(), all);
  }
}

TEST_F(RunLogTest, ADiskThatIsFullIsSaidAndLeavesNothingOut) {
  struct sigaction ignore {
  }, before{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGXFSZ, &ignore, &before);
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  rlimit full = unlimited;
  full.rlim_cur = lines_until(2).size() + 10;  // in the middle of a line
  RunLog log;
  log.open(dir_.path());
  ::setrlimit(RLIMIT_FSIZE, &full);
  take(log, 1, 2);
  std::string said;
  try {
    take(log, 3, 3);
  } catch (const Error& e) {
    said = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  ::sigaction(SIGXFSZ, &before, nullptr);
  EXPECT_NE(said.find(file() + " of the events of a run cannot be written (File too large)"),
            std::string::npos)
      << said;
  EXPECT_EQ(log.seq(), 2u) << "so it is asked for again";
  EXPECT_EQ(content(), lines_until(2) + line_of(3).substr(0, 10)) << "torn";
  // The same one, and one that comes after it.
  RunLog next;
  next.open(dir_.path());
  EXPECT_EQ(next.seq(), 2u);
  take(next, 2, 4);
  EXPECT_EQ(content(), lines_until(4));
  write(lines_until(2) + line_of(3).substr(0, 10));
  take(log, 3, 4);
  EXPECT_EQ(content(), lines_until(4));
}

TEST_F(RunLogTest, AnotherAttemptBeginsAnew) {
  RunLog log;
  log.open(dir_.path() + "/1");
  take(log, 1, 3);
  log.open(dir_.path() + "/2");
  EXPECT_EQ(log.seq(), 0u);
  take(log, 1, 1);
  std::ifstream second(dir_.path() + "/2/events.jsonl");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(second), {}), lines_until(1));
}

}  // namespace
}  // namespace drydock
