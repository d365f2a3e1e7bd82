// Frames: what goes in comes out, and no bytes do harm.
#include "wire.h"

#include <gtest/gtest.h>

#include <random>

#include "wire_messages.h"

namespace drydock {
namespace {

std::string with_length(std::uint32_t length, const std::string& body) {
  std::string bytes;
  for (unsigned i = 0; i < 4; ++i) bytes += static_cast<char>(length >> 8 * i & 255);
  return bytes + body;
}

TEST(Wire, AnyBytesSurvive) {
  std::mt19937 random(7);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random());
    EXPECT_EQ(from_wire(nlohmann::json::parse(to_wire(bytes).dump())), bytes);
  }
  EXPECT_TRUE(to_wire("Grüße\t\n").is_string());
  for (const char* not_utf8 :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_TRUE(to_wire(not_utf8).is_object()) << not_utf8;
    EXPECT_EQ(from_wire(to_wire(not_utf8)), not_utf8);
  }
}

TEST(Wire, FramesArriveInPieces) {
  const std::string bytes = *frame("log", log_body({LogLevel::error, "one"})) +
                            *frame("log", log_body({LogLevel::debug, "two"}));
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    FrameReader reader;
    std::vector<std::string> texts;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.append(bytes.data() + at, std::min(piece, bytes.size() - at));
      while (auto message = reader.next()) texts.push_back(read_log(message->body).text);
    }
    EXPECT_EQ(texts, (std::vector<std::string>{"one", "two"}));
    EXPECT_FALSE(reader.in_the_middle());
  }
}

TEST(Wire, AFrameThatIsTooLargeIsRefusedByItsLength) {
  FrameReader reader;
  const std::string begin = with_length(max_frame + 1, "");
  reader.append(begin.data(), begin.size());
  EXPECT_THROW(reader.next(), WireError);
  EXPECT_FALSE(frame("log", std::string(max_frame, 'x')));
}

TEST(Wire, GarbageIsRefused) {
  for (const std::string body :
       {"", "hello", "[]", "{}", "7", "{\"a\":1,\"b\":2}", "{\"a\":", "\xff"}) {
    FrameReader reader;
    const std::string bytes = with_length(static_cast<std::uint32_t>(body.size()), body);
    reader.append(bytes.data(), bytes.size());
    EXPECT_THROW(reader.next(), WireError) << body;
  }
}

TEST(Wire, DeepNestingDoesNotExhaustTheStack) {
  FrameReader reader;
  const std::string bytes = with_length(1000000, std::string(1000000, '['));
  reader.append(bytes.data(), bytes.size());
  EXPECT_THROW(reader.next(), WireError);
}

// Every message, damaged in every place: it is read, or it is a WireError, and nothing else.
TEST(Wire, DamagedMessagesAreRefusedOrRead) {
  PluginDescription plugin{
      "a.b",
      "1",
      0,
      1,
      {{"s", "sum", OptionsSchema(R"({"type": "object"})"), 1, {{Step::run, ""}}}}};
  const std::vector<nlohmann::json> bodies = {
      log_body({LogLevel::info, "x"}),
      fact_body({"n", "\xff", true, false}),
      change_body({"file", "add", "n", "b", "a", "d", 5, "l"}),
      output_body({"n", "v", true, false, true}),
      artifact_body({"n", "p", "d"}),
      progress_body({1, 2, "files"}),
      done_body({Step::run, {Status::failed, "why"}}),
      note_body({"k", "v"}),
      description_body(plugin)};
  std::mt19937 random(11);
  int read = 0, refused = 0;
  for (const nlohmann::json& body : bodies) {
    const std::string text = body.dump();
    for (int turn = 0; turn < 2000; ++turn) {
      std::string damaged = text;
      damaged[random() % damaged.size()] = static_cast<char>("{}[]\",:0nt\\a"[random() % 12]);
      const nlohmann::json parsed = nlohmann::json::parse(damaged, nullptr, false);
      const auto attempt = [&](auto reader) {
        try {
          reader(parsed);
          ++read;
        } catch (const WireError&) {
          ++refused;
        }
      };
      attempt([](const nlohmann::json& j) { read_log(j); });
      attempt([](const nlohmann::json& j) { read_fact(j); });
      attempt([](const nlohmann::json& j) { read_change(j); });
      attempt([](const nlohmann::json& j) { read_output(j); });
      attempt([](const nlohmann::json& j) { read_artifact(j); });
      attempt([](const nlohmann::json& j) { read_progress(j); });
      attempt([](const nlohmann::json& j) { read_done(j); });
      attempt([](const nlohmann::json& j) { read_note(j); });
      attempt([](const nlohmann::json& j) { read_description(j); });
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace drydock
