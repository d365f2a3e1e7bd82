#include "events.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "view_samples.h"

namespace drydock {
namespace {

class Recorder : public EventSink {
 public:
  void event(const Event& event) override { events.push_back(event); }
  std::vector<Event> events;
};

class FullDisk : public EventSink {
 public:
  void event(const Event&) override {
    ++calls;
    throw std::runtime_error("/srv/x: cannot be written: No space left on device");
  }
  void idle() override { throw std::runtime_error("idle"); }
  int calls = 0;
};

TEST(Event, ComesBackFromItsLine) {
  const Event event{7,
                    "2026-03-01T10:04:09.117Z",
                    "stage.finished",
                    3,
                    "migrate",
                    "run",
                    {{"status", "done"}, {"seconds", 2.5}}};
  const auto back = Event::from_json_line(event.to_json_line());
  ASSERT_TRUE(back);
  EXPECT_EQ(back->to_json_line(), event.to_json_line());
  EXPECT_EQ(back->data, event.data);
  EXPECT_EQ(back->run, 3u);
  const Event plain{1,  "2026-03-01T10:04:09.117Z", "plan.started", 0, "",
                    "", nlohmann::json::object()};
  EXPECT_EQ(Event::from_json_line(plain.to_json_line())->to_json_line(), plain.to_json_line());
  for (const char* line : {"", "{", "[]", "{\"seq\":\"x\"}", "{\"seq\":1}"}) {
    EXPECT_FALSE(Event::from_json_line(line)) << line;
  }
}

TEST(Events, NumbersWithoutGapsFromOneInEachRun) {
  const Masker masker;
  Events events(masker);
  Recorder seen;
  events.add(seen);
  events.emit("plan.started");
  events.emit("plan.finished");
  events.set_run(7);
  events.emit("run.started");
  events.emit("run.finished");
  events.set_run(8, 40);
  events.emit("rollback.started");
  std::vector<std::pair<std::uint64_t, std::uint64_t>> run_and_seq;
  for (const Event& event : seen.events) run_and_seq.emplace_back(event.run, event.seq);
  const std::vector<std::pair<std::uint64_t, std::uint64_t>> expected = {
      {0, 1}, {0, 2}, {7, 1}, {7, 2}, {8, 41}};
  EXPECT_EQ(run_and_seq, expected);
}

TEST(Events, MasksSecretsInEveryText) {
  Masker masker;
  masker.add("DB_PASSWORD", "correct-horse");
  Events events(masker);
  Recorder seen;
  events.add(seen);
  events.emit("log", {{"text", "dsn is postgresql://app:correct-horse@db/app"}});
  EXPECT_EQ(seen.events[0].to_json_line().find("correct-horse"), std::string::npos);
}

TEST(Events, ASinkThatThrowsIsDroppedAndTheOthersAreTold) {
  const Masker masker;
  Events events(masker);
  FullDisk full;
  Recorder seen;
  events.add(full);
  events.add(seen);
  events.emit("run.started");
  events.idle();
  events.emit("run.finished");
  EXPECT_EQ(full.calls, 1);
  ASSERT_EQ(seen.events.size(), 3u);
  EXPECT_EQ(seen.events[1].type, "warning");
  EXPECT_EQ(seen.events[1].data["text"],
            "/srv/x: cannot be written: No space left on device; the run goes on");
  EXPECT_EQ(seen.events[2].seq, 3u);
}

TEST(Event, IsOneFlatJsonObjectOnOneLine) {
  const Event event{3, "2026-03-01T00:00:00.250Z", "log", 7, "pull", "run", {{"text", "a\nb"}}};
  EXPECT_EQ(event.to_json_line(),
            R"({"seq":3,"time":"2026-03-01T00:00:00.250Z","type":"log","run":7,)"
            R"("stage":"pull","step":"run","text":"a\nb"})");
  const Event plain{1, "2026-03-01T00:00:00.250Z", "plan.finished", 0, "", ""};
  EXPECT_EQ(plain.to_json_line(),
            R"({"seq":1,"time":"2026-03-01T00:00:00.250Z","type":"plan.finished"})");
}

TEST(Event, ForeignBytesDoNotBreakTheLine) {
  const Event event{3, "", "log", 7, "", "", {{"text", "a\xff\nb"}}};
  const nlohmann::json parsed = nlohmann::json::parse(event.to_json_line());
  EXPECT_EQ(parsed["text"], "a\xef\xbf\xbd\nb");
}

TEST(Event, TellsItsTimeInMilliseconds) {
  EXPECT_EQ(event_at(61.25, "log").milliseconds() - event_at(0, "log").milliseconds(), 61'250);
  Event event{};
  event.time = "1970-01-02T00:00:00.007Z";
  EXPECT_EQ(event.milliseconds(), 86'400'007);
  event.time = "noon";
  EXPECT_EQ(event.milliseconds(), 0);
}

}  // namespace
}  // namespace drydock
