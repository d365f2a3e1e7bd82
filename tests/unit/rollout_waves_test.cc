#include "rollout_waves.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "files.h"
#include "frontend.h"
#include "rollout_plan.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

using Names = std::vector<std::string>;

const std::string ten = R"(drydock: 1
rollout: sample
pipeline: sample.yaml
defaults: { sudo: true }
environments:
  s: { dir: s, labels: { tier: staging } }
  a: { dir: a, labels: { tier: prod, region: eu } }
  c: { dir: c, labels: { tier: prod, region: us } }
  b: { dir: b, labels: { tier: prod, region: [eu, dr] } }
waves:
)";

Rollout loaded(const std::string& text) {
  const TemporaryDir folder;
  const std::string file = folder.path() + "/r.yaml";
  write_file_atomically(file, text);
  std::string sentence;
  try {
    return load_rollout(file);
  } catch (const Error& e) {
    sentence = e.what();
  }
  // The folder's name is another one each time.
  for (std::size_t at; (at = sentence.find(folder.path() + "/")) != std::string::npos;) {
    sentence.erase(at, folder.path().size() + 1);
  }
  throw Error(sentence);
}

std::vector<Names> waves_of(const std::string& waves) {
  const Rollout rollout = loaded(ten + waves);
  std::vector<Names> result;
  for (const WaveMembers& members : members_of_waves(rollout)) {
    Names& names = result.emplace_back();
    for (const std::size_t at : members.environments) {
      names.push_back(rollout.environments[at].name);
    }
  }
  return result;
}

std::string refusal(const std::string& waves) {
  std::string sentence = error_of([&] { members_of_waves(loaded(ten + waves)); });
  const std::size_t at = sentence.find("r.yaml:");
  return at == std::string::npos ? sentence : sentence.substr(at);
}

TEST(RolloutWaves, ByNamesByLabelsAndAll) {
  EXPECT_EQ(waves_of("  - { name: one, environments: [c, a] }\n"
                     "  - { name: two, environments: { tier: staging } }\n"),
            (std::vector<Names>{{"c", "a"}, {"s"}}));
  EXPECT_EQ(waves_of("  - { name: one, environments: { tier: prod, region: [dr, us] } }\n"),
            (std::vector<Names>{{"c", "b"}}));
  EXPECT_EQ(waves_of("  - { name: one, environments: all }\n"),
            (std::vector<Names>{{"s", "a", "c", "b"}}));
}

TEST(RolloutWaves, InTheirOrder) {
  EXPECT_EQ(waves_of("  - { name: one, environments: { tier: prod }, order: name }\n"),
            (std::vector<Names>{{"a", "b", "c"}}));
  EXPECT_EQ(waves_of("  - { name: one, environments: all, order: reversed, take: 2 }\n"),
            (std::vector<Names>{{"b", "c"}}));
}

TEST(RolloutWaves, AWaveThatTakesAPartLeavesTheRest) {
  EXPECT_EQ(waves_of("  - { name: one, environments: { tier: prod }, take: 1 }\n"
                     "  - { name: two, environments: { tier: prod }, take: 50% }\n"
                     "  - { name: rest, environments: { tier: prod } }\n"),
            (std::vector<Names>{{"a"}, {"c"}, {"b"}}));
  EXPECT_EQ(waves_of("  - { name: one, environments: { tier: prod }, take: 9 }\n"
                     "  - { name: rest, environments: { tier: prod }, parallel: 5% }\n")[1],
            Names())
      << "nothing is left for it, and that is no mistake";
}

TEST(RolloutWaves, SharesOfAWave) {
  const Rollout rollout = loaded(
      ten + "  - { name: one, environments: { tier: prod }, parallel: 70%, max_failures: 34% }\n");
  const WaveMembers wave = members_of_waves(rollout)[0];
  EXPECT_EQ(wave.parallel, 2u);
  EXPECT_EQ(wave.max_failures, 1u);
  EXPECT_EQ(outside_of_waves(rollout, members_of_waves(rollout)), (Names{"s"}));
}

TEST(RolloutWaves, RefusesWhatFitsNothing) {
  EXPECT_EQ(refusal("  - { name: one, environments: [stagin, a] }\n"),
            "r.yaml:11:33: found the unknown environment 'stagin' in 'environments:' of a wave, "
            "allowed: s, a, c, b.");
  EXPECT_EQ(refusal("  - { name: one, environments: { teir: prod } }\n"),
            "r.yaml:11:34: found the label 'teir', which no environment has in 'environments:' of "
            "a wave, allowed: region, tier; did you mean 'tier'?");
  EXPECT_EQ(refusal("  - { name: one, environments: { tier: prd } }\n"),
            "r.yaml:11:34: found the value 'prd' of 'tier', which no environment has in "
            "'environments:' of a wave, allowed: prod, staging; did you mean 'prod'?");
  EXPECT_EQ(refusal("  - { name: one, environments: { tier: staging, region: eu } }\n"),
            "r.yaml:11:32: found labels that no environment has all of in 'environments:' of a "
            "wave, allowed: labels that at least one environment has together.");
}

TEST(RolloutWaves, RefusesAnEnvironmentInTwoWaves) {
  const std::string twice =
      "found the environment 'a', which is in the wave 'one' already, in the wave 'two', allowed: "
      "each environment in one wave; with 'take:' an earlier one leaves the rest.";
  EXPECT_EQ(refusal("  - { name: one, environments: { tier: prod } }\n"
                    "  - { name: two, environments: { region: eu } }\n"),
            "r.yaml:12:32: " + twice);
  EXPECT_EQ(refusal("  - { name: one, environments: [a, b], take: 1 }\n"
                    "  - { name: two, environments: [a] }\n"),
            "r.yaml:12:32: " + twice)
      << "a name means this one, and no rest";
  EXPECT_EQ(refusal("  - { name: one, environments: [a, a] }\n"),
            "r.yaml:11:36: found the environment 'a' a second time in 'environments:' of a wave, "
            "allowed: once.");
}

TEST(RolloutWaves, RefusesAPercentageOfLessThanOne) {
  EXPECT_EQ(refusal("  - { name: one, environments: { tier: prod }, parallel: 33% }\n"),
            "r.yaml:11:58: found 33% of 3 environments, which is less than one in 'parallel:', "
            "allowed: a number, or at least 34%.");
  EXPECT_EQ(refusal("  - { name: one, environments: { tier: prod }, max_failures: 5% }\n"),
            "r.yaml:11:62: found 5% of 3 environments, which is less than one in "
            "'max_failures:', allowed: 0 if none may fail, a number, or at least 34%.");
  EXPECT_EQ(refusal("  - { name: one, environments: [s], take: 99% }\n"),
            "r.yaml:11:43: found 99% of 1 environment, which is less than one in 'take:', "
            "allowed: a number, or at least 100%.");
}

TEST(RolloutWaves, RefusesSharesThatAreNone) {
  for (const char* share : {"0", "-1", "0%", "101%", "many", "1.5", "'%'", "1 %", "[1]"}) {
    const std::string text =
        "  - { name: one, environments: all, parallel: " + std::string(share) + " }\n";
    EXPECT_NE(refusal(text).find("in 'parallel:', allowed: a whole number from 1, or 1% to 100%."),
              std::string::npos)
        << share << ": " << refusal(text);
  }
}

// What a supervisor finds again is what was planned.
TEST(RolloutPlan, IsTheSameAfterItWasText) {
  const Rollout rollout = loaded(
      "drydock: 1\nrollout: sample\npipeline: p.yaml\n"
      "defaults: { dir: app, vars: { to: '1.10' } }\n"
      "environments:\n"
      "  a: { sudo: true, secrets: { hook: { file: hook } }, labels: { tier: [x, y] } }\n"
      "  b: { host: 'ssh://u@h:22', dir: /srv, vars: { list: [1, { two: 2 }] } }\n"
      "waves:\n"
      "  - { name: w, environments: all, parallel: 2, max_failures: 1, soak: 90s, approve: true,\n"
      "      gate: { exec: [/bin/true] } }\n"
      "notify: { uses: notify, with: { webhook: x } }\n"
      "on_budget: cancel\n");
  const Pipeline pipeline = parse_pipeline(
      "drydock: 1\nvars: { to: {required: true}, list: null }\nsecrets: { hook: { env: H } }\n"
      "stages: [{ exec: [/bin/true] }]\n",
      "p.yaml");
  const RolloutPlan plan = plan_rollout(rollout, pipeline, {});
  EXPECT_EQ(plan.targets.at(0).vars, nlohmann::json({{"to", "1.10"}}));
  EXPECT_EQ(plan.targets.at(0).dir, rollout.folder + "/app");
  EXPECT_EQ(plan.targets.at(0).secrets.at("hook").value.at(0), rollout.folder + "/hook");
  EXPECT_EQ(plan.waves.at(0).gate->with.dump(), R"({"command":["/bin/true"]})");
  EXPECT_TRUE(plan.cancel_on_budget);
  const nlohmann::json text = to_json(plan);
  EXPECT_EQ(to_json(rollout_plan_from_json(nlohmann::json::parse(text.dump()))), text);
}

TEST(RolloutPlan, AFolderIsOneEnvironments) {
  const Pipeline pipeline =
      parse_pipeline("drydock: 1\nstages: [{ exec: [/bin/true] }]\n", "p.yaml");
  const auto planned = [&](const std::string& environments, const std::string& wave) {
    return error_of([&] {
      plan_rollout(loaded("drydock: 1\nrollout: sample\npipeline: p.yaml\nenvironments:\n" +
                          environments + "waves: [{ name: w, environments: " + wave + " }]\n"),
                   pipeline, {});
    });
  };
  const std::string same =
      "  a: { host: web, dir: /srv/app }\n  b: { like: a, dir: /srv/x/../app/ }\n";
  const std::string refusal = planned(same, "all");
  EXPECT_NE(refusal.find("r.yaml:6:3: found the folder /srv/app a second time in the environment "
                         "'b', allowed: one of its own; 'a' at "),
            std::string::npos)
      << refusal;
  EXPECT_NE(refusal.find("r.yaml:5:3 has this one"), std::string::npos) << refusal;
  EXPECT_EQ(planned(same, "[b]"), "no error") << "the other one is only what this one is like";
  EXPECT_EQ(planned("  a: { host: web, dir: /srv }\n  b: { dir: /srv }\n", "all"), "no error");
}

TEST(RolloutPlan, TheCommandLineHasTheLastWord) {
  const Rollout rollout = loaded(ten + "  - { name: one, environments: all }\n");
  const Pipeline pipeline = parse_pipeline(
      "drydock: 1\nvars: { to: {required: true} }\nstages: [{ exec: [/bin/true] }]\n", "p.yaml");
  EXPECT_EQ(plan_rollout(rollout, pipeline, read_vars({}, {"to=2"})).targets[3].vars,
            nlohmann::json({{"to", 2}}));
  const std::string missing = error_of([&] { plan_rollout(rollout, pipeline, {}); });
  EXPECT_NE(
      missing.find("the variable 'to' is required and has no value for the environment 's' ("),
      std::string::npos)
      << missing;
}

}  // namespace
}  // namespace drydock
