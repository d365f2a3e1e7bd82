#include "rollout_commands.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "secrets.h"

namespace drydock {
namespace {

const std::string here = std::filesystem::current_path().string();

Arguments arguments(const std::string& state_dir, const std::string& state) {
  Arguments result;
  result.state_dir = state_dir;
  result.state = state;
  return result;
}

TEST(RolloutCommands, NameTheRolloutAndItsState) {
  const RolloutCommands by_file("/srv/my app/r.yaml", "r", "", " --state-dir /st",
                                " --plugin-dir /p");
  EXPECT_EQ(by_file.of("status"), "drydock rollout status '/srv/my app/r.yaml' --state-dir /st");
  EXPECT_EQ(by_file.of("approve", "--wave w"),
            "drydock rollout approve '/srv/my app/r.yaml' --wave w --state-dir /st");
  EXPECT_EQ(by_file.of("resume"),
            "drydock rollout resume '/srv/my app/r.yaml' --state-dir /st --plugin-dir /p");
  const RolloutCommands by_name("/srv/r.yaml", "r", "/srv/it's", "", " --plugin-dir /p");
  EXPECT_EQ(by_name.of("resume"), "drydock -C '/srv/it'\\''s' rollout resume r --plugin-dir /p");
  EXPECT_EQ(by_name.of("run", "--abandon"),
            "drydock rollout run /srv/r.yaml --abandon --plugin-dir /p")
      << "which no name begins";
}

TEST(RolloutCommands, StateMeansTheSameInEveryFolder) {
  EXPECT_EQ(state_words(arguments("", "")), "");
  EXPECT_EQ(state_words(arguments("a b/../$c", "")), " --state-dir '" + here + "/$c'");
  EXPECT_EQ(state_words(arguments("", "of/state")), " --state " + here + "/of/state");
  EXPECT_EQ(state_words(arguments("/st", "env:STATE")), " --state-dir /st --state env:STATE");
  EXPECT_EQ(plugin_words({"/p", "q"}), " --plugin-dir /p --plugin-dir " + here + "/q");
}

// Wherever Drydock writes, what stands before an '@' is taken for a password.
TEST(RolloutCommands, AUrlIsWrittenSoThatNothingOfItIsMasked) {
  const std::vector<std::pair<std::string, std::string>> urls = {
      {"postgresql://db/rollouts", "postgresql://db/rollouts"},
      {"postgresql://me@db:5432/rollouts", "postgresql://db:5432/rollouts?user=me"},
      {"postgresql://me@/rollouts?host=/run/pg", "postgresql:///rollouts?host=/run/pg&user=me"},
      {"postgresql://me%40corp@db", "postgresql://db?user=me%40corp"},
      {"postgresql://a&b=c@db", "postgresql://db?user=a%26b%3Dc"},
      {"postgresql://@db/x", "postgresql://db/x"},
      {"postgresql:///x?host=/at@home", "postgresql:///x?host=/at@home"},
  };
  const Masker masker;
  for (const auto& [given, written] : urls) {
    EXPECT_EQ(with_user_as_parameter(given), written);
    EXPECT_EQ(masker.mask(written), written);
  }
}

}  // namespace
}  // namespace drydock
