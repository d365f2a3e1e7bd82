// An operator who goes from release to release of Dify with an `.env` of her own: not one of her
// values is lost or changed on the way, and Docker Compose reads each result as it was reported.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "env_sync_defaults.h"
#include "env_sync_world.h"
#include "real_compose.h"

namespace drydock::env_sync {
namespace {

const std::vector<std::string> releases = {"0.6.16", "0.15.3", "1.0.0",  "1.3.1",  "1.7.2",
                                           "1.10.0", "1.11.2", "1.13.0", "1.14.0", "1.14.1"};

struct Rate {
  const char* name;
  unsigned percent;
};

class Operator {
 public:
  explicit Operator(unsigned seed) : random_(seed) {}

  // The template as she would have it: `percent` of its values changed, some variables deleted or
  // commented out, some of her own added.
  std::string edit(const std::string& text, unsigned percent) {
    const EnvFile file = EnvFile::parse(text);
    std::string mine;
    for (const EnvStatement& statement : file.statements()) {
      const std::string key(statement.key());
      mine += statement.lead();
      const unsigned fate = roll(1000);
      if (fate < percent * 10) {
        mine += line(key);
      } else if (fate < percent * 10 + 10 && values.count(key) == 0) {
        deleted.insert(key);
      } else if (fate < percent * 10 + 20 && values.count(key) == 0) {
        mine += "#" + std::string(statement.whole());
        commented.insert(key);
      } else {
        mine += statement.whole();
      }
      if (roll(100) == 0) mine += "# a note of mine, " + std::to_string(roll(1000)) + "\n" + own();
    }
    return mine + std::string(file.tail()) + own();
  }

  std::map<std::string, std::string> values;  // what she set, as it must stay
  std::set<std::string> deleted, commented;

 private:
  unsigned roll(unsigned below) {
    return std::uniform_int_distribution<unsigned>(0, below - 1)(random_);
  }
  std::string own() { return line("MINE_" + std::to_string(++number_)); }

  std::string line(const std::string& key) {
    const std::string n = std::to_string(roll(100000));
    const auto as = [&](const std::string& written, const std::string& value) {
      values[key] = value;
      return written;
    };
    switch (roll(12)) {
      case 0:
        return as("export " + key + "=e" + n + "\n", "e" + n);
      case 1:
        return as(key + "='single $" + n + " # \\ \"'\n", "single $" + n + " # \\ \"");
      case 2:
        return as(key + "=\"two\nlines " + n + "\"  # why\n", "two\nlines " + n);
      case 3:
        return as(key + "=\"q\\\"uoted\\t\\$" + n + "\"\n", "q\"uoted\t$" + n);
      case 4:
        return as(key + "=\n", "");
      case 5:
        return as(key + ": colon" + n + "\n", "colon" + n);
      case 6:
        return as("  " + key + " = blanks " + n + "   # a comment\n", "blanks " + n);
      case 7:
        return as(key + "=https://user:pa" + n + "@host.example:8443/x?a=b&c=d\n",
                  "https://user:pa" + n + "@host.example:8443/x?a=b&c=d");
      case 8:
        return as(key + "=${NOT_THERE:-default" + n + "}\n", "default" + n);
      case 9:
        return as(key + "=caf\xc3\xa9 \xe2\x82\xac" + n + "\r\n", "caf\xc3\xa9 \xe2\x82\xac" + n);
      case 10:
        return as(key + "='{\"json\": [" + n + "]}'\n", "{\"json\": [" + n + "]}");
      default:
        return as(key + "=" + n + "\n", n);
    }
  }

  std::mt19937 random_;
  unsigned number_ = 0;
};

class Chain : public Dify, public ::testing::WithParamInterface<Rate> {
 protected:
  // What she set is there, and nothing else changed but as it is reported.
  static void expect_nothing_lost(const Operator& mine, const EnvValues& before, const Merge& merge,
                                  const std::string& step) {
    const EnvValues after = evaluate(EnvFile::parse(*merge.text));
    ASSERT_FALSE(after.error()) << step << after.error()->describe();
    for (const auto& [key, value] : mine.values) {
      const std::string_view* found = after.find(key);
      ASSERT_NE(found, nullptr) << step << key;
      EXPECT_EQ(*found, value) << step << key;
    }
    std::map<std::string_view, const MergedVariable*> reported;
    for (const MergedVariable& variable : merge.variables) reported[variable.key] = &variable;
    for (const std::string_view key : before.keys()) {
      const std::string_view* was = before.find(key);
      const std::string_view* is = after.find(key);
      if (was == nullptr || (is != nullptr && *was == *is)) continue;
      const MergedVariable& variable = *reported.at(key);
      EXPECT_NE(variable.ours, variable.result) << step << key;
      EXPECT_EQ(variable.ours, variable.base) << step << key << ": she had changed it";
    }
    for (const std::string& key : mine.commented) {
      const auto found = reported.find(key);
      if (found == reported.end() || found->second->decision != Decision::stays_commented) continue;
      EXPECT_EQ(after.find(key), nullptr) << step << key;
    }
  }
  static void expect_compose_agrees(RealCompose& compose, const Merge& merge,
                                    const std::string& step) {
    const std::set<std::string> keys = askable(*merge.now);
    const ComposeView view = compose.read(*merge.text, keys);
    std::size_t compared = 0;
    for (const MergedVariable& variable : merge.variables) {
      if (keys.count(std::string(variable.key)) == 0 || !variable.result) continue;
      const auto found = view.values.find(variable.key);
      ASSERT_NE(found, view.values.end()) << step << variable.key;
      EXPECT_EQ(found->second, *variable.result) << step << variable.key;
      ++compared;
    }
    EXPECT_EQ(compared, view.values.size()) << step;
  }
};

TEST_P(Chain, LosesNothingFromReleaseToRelease) {
  const bool has_compose = compose_is_installed();
  std::optional<RealCompose> compose;
  if (has_compose) compose.emplace();
  MergeOptions options = default_options();
  for (const unsigned seed : {1U, 2U, 3U}) {
    Operator mine(1000 * GetParam().percent + seed);
    std::string text = mine.edit(of_release(releases[0]), GetParam().percent);
    for (std::size_t i = 1; i < releases.size(); ++i) {
      const std::string step = "seed " + std::to_string(seed) + ", to " + releases[i] + ": ";
      const EnvFile base = EnvFile::parse(of_release(releases[i - 1]));
      const EnvFile ours = EnvFile::parse(text);
      const EnvFile theirs = EnvFile::parse(of_release(releases[i]));
      const EnvValues before = evaluate(ours);
      ASSERT_FALSE(before.error()) << step << before.error()->describe();
      // Every second time nobody knows the old template.
      const bool known = (i + seed) % 2 == 0;
      const Merge merge = merge_env(known ? &base : nullptr, ours, theirs, options);
      expect_nothing_lost(mine, before, merge, step);
      if (compose && seed == 1) expect_compose_agrees(*compose, merge, step);
      const Merge again = merge_env(&theirs, EnvFile::parse(*merge.text), theirs, options);
      EXPECT_EQ(*again.text, *merge.text) << step;
      if (HasFailure()) return;
      text = *merge.text;
    }
  }
  if (!has_compose) GTEST_SKIP() << "Docker Compose is not installed: not asked";
}

INSTANTIATE_TEST_SUITE_P(Changed, Chain,
                         ::testing::Values(Rate{"1percent", 1}, Rate{"15percent", 15},
                                           Rate{"100percent", 100}),
                         [](const auto& rate) { return rate.param.name; });

}  // namespace
}  // namespace drydock::env_sync
