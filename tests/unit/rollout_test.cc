#include "rollout.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "files.h"
#include "frontend.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

class RolloutFile : public ::testing::Test {
 protected:
  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(folder_.path() + "/" + name).parent_path());
    write_file_atomically(folder_.path() + "/" + name, text);
  }
  // `text` follows the first three lines of a rollout.
  Rollout load(const std::string& text) {
    write("r.yaml", "drydock: 1\nrollout: sample\npipeline: sample.yaml\n" + text);
    return load_rollout(folder_.path() + "/r.yaml");
  }
  std::string refusal(const std::string& text) {
    std::string sentence = error_of([&] { load(text); });
    const std::string place = folder_.path() + "/";
    for (std::size_t at; (at = sentence.find(place)) != std::string::npos;) {
      sentence.erase(at, place.size());
    }
    return sentence;
  }
  TemporaryDir folder_;
};

const std::string one_wave = "waves: [{ name: w, environments: all }]\n";

const nlohmann::json& var(const Environment& environment, const std::string& name) {
  static const nlohmann::json none;
  const nlohmann::json* last = &none;
  for (const GivenVar& each : environment.vars) {
    if (each.name == name) last = &each.value;
  }
  return *last;
}

TEST_F(RolloutFile, WhatEveryEnvironmentHasAndWhatIsItsOwn) {
  write("common.yaml", "to: '1'\nsize: small\nonly: file\n");
  write("b.yaml", "size: large\n");
  const Rollout rollout = load(
      "defaults: { dir: /srv/app, sudo: true, vars_files: [common.yaml], vars: { to: '2' },\n"
      "            labels: { tier: prod } }\n"
      "environments:\n"
      "  a: { host: web-1 }\n"
      "  b: { dir: b, sudo: false, vars_files: [b.yaml], vars: { to: '3' },\n"
      "       labels: { tier: test, region: [eu, dr] } }\n"
      "  c:\n" +
      one_wave);
  ASSERT_EQ(rollout.environments.size(), 3u);
  const Environment &a = rollout.environments[0], &b = rollout.environments[1];
  EXPECT_EQ(a.host, "web-1");
  EXPECT_TRUE(a.sudo);
  EXPECT_EQ(var(a, "to"), "2") << "beside the file that says 1";
  EXPECT_EQ(var(a, "size"), "small");
  EXPECT_EQ(b.dir, "b");
  EXPECT_FALSE(b.sudo);
  EXPECT_EQ(var(b, "to"), "3");
  EXPECT_EQ(var(b, "size"), "large");
  EXPECT_EQ(var(b, "only"), "file");
  EXPECT_EQ(b.labels.at("tier"), (std::set<std::string>{"test"}));
  EXPECT_EQ(b.labels.at("region"), (std::set<std::string>{"dr", "eu"}));
  EXPECT_EQ(rollout.environments[2].dir, "/srv/app") << "the defaults say all of it";
}

TEST_F(RolloutFile, AnEnvironmentLikeAnother) {
  const Rollout rollout = load(
      "environments:\n"
      "  b: { like: a, dir: /srv/b }\n"
      "  a: { like: base, vars: { to: '2' } }\n"
      "  base: { dir: /srv, vars: { to: '1', size: small } }\n" +
      one_wave);
  EXPECT_EQ(rollout.environments[0].dir, "/srv/b");
  EXPECT_EQ(var(rollout.environments[0], "to"), "2");
  EXPECT_EQ(var(rollout.environments[0], "size"), "small");
}

TEST_F(RolloutFile, RefusesDefaultsThatLeadBack) {
  EXPECT_EQ(
      refusal("environments:\n  a: { like: b, dir: x }\n  b: { like: c }\n  c: { like: a }\n" +
              one_wave),
      "r.yaml:7:14: found 'a', which leads back to itself (a -> b -> c -> a) in 'like:', "
      "allowed: an environment that is not like this one.");
  EXPECT_EQ(refusal("environments:\n  prod: { like: stagin }\n  staging: { dir: x }\n" + one_wave),
            "r.yaml:5:17: found the unknown environment 'stagin' in 'like:', allowed: the name of "
            "another environment; did you mean 'staging'?");
  EXPECT_EQ(refusal("defaults: { like: a }\nenvironments: { a: { dir: x } }\n" + one_wave),
            "r.yaml:4:19: found 'like:' in 'defaults:', allowed: in an environment only.");
}

TEST_F(RolloutFile, EnvironmentsOfFiles) {
  write("hosts/one.yaml", "dir: /srv/one\nvars_files: [own.vars]\n");
  write("hosts/two.yaml", "dir: /srv/two\nlike: one\n");
  write("hosts/own.vars", "to: '7'\n");
  const Rollout rollout = load("inventory: { files: hosts/*.yaml }\n" + one_wave);
  ASSERT_EQ(rollout.environments.size(), 2u);
  EXPECT_EQ(rollout.environments[0].name, "one");
  EXPECT_EQ(var(rollout.environments[0], "to"), "7") << "named from the folder of its file";
  EXPECT_EQ(var(rollout.environments[1], "to"), "7");
  EXPECT_EQ(refusal("inventory: { files: host/*.yaml }\n" + one_wave),
            "r.yaml:4:21: found no file that fits 'host/*.yaml' in 'files:', allowed: a pattern "
            "such as hosts/*.yaml, from the rollout file's folder.");
  EXPECT_EQ(
      refusal("inventory: { files: hosts/*.yaml }\nenvironments: { one: { dir: x } }\n" + one_wave),
      "hosts/one.yaml:1:1: found the environment 'one' a second time in the rollout, "
      "allowed: once; the first is at r.yaml:5:17.");
}

TEST_F(RolloutFile, EnvironmentsOfACommand) {
  const Rollout rollout = load(
      "defaults: { dir: /srv }\n"
      "inventory: { command: [/bin/echo, '{\"prod\": {\"hosts\": [\"web-1\", \"web-2\"]}}'] }\n" +
      one_wave);
  ASSERT_EQ(rollout.environments.size(), 2u);
  EXPECT_EQ(rollout.environments[1].labels.at("group"), (std::set<std::string>{"prod"}));
}

TEST_F(RolloutFile, RefusesACommandThatFailsHangsOrIsNotThere) {
  const auto inventory = [](const std::string& command) {
    return "inventory: { command: " + command + " }\n" + one_wave;
  };
  EXPECT_EQ(refusal(inventory("[/bin/sh, -c, 'echo gone >&2; exit 3']")),
            "r.yaml:4:23: the inventory's command '/bin/sh' failed (exit code 3: gone); run it by "
            "hand to see why.");
  EXPECT_NE(refusal(inventory("[no-such-program]")).find("'no-such-program' is not in PATH"),
            std::string::npos);
  EXPECT_EQ(refusal(inventory("[/bin/sleep, '1000'], timeout: 100ms")),
            "r.yaml:4:23: the inventory's command '/bin/sleep' did not end within 0.1 s; raise "
            "'timeout:', or see why it hangs.");
  EXPECT_NE(refusal(inventory("[/bin/echo, garbage]")).find("printed no JSON ('garbage')"),
            std::string::npos);
  EXPECT_EQ(refusal("inventory: { timeout: 3s }\n" + one_wave),
            "r.yaml:4:12: found neither 'files:' nor 'command:' in 'inventory:', allowed: one of "
            "files: GLOB and command: [PROGRAM, ARGUMENT].");
}

TEST_F(RolloutFile, RefusesWithThePlaceAndWhatIsAllowed) {
  const std::string a = "environments: { a: { dir: x } }\n";
  EXPECT_EQ(refusal(one_wave),
            "r.yaml:1:1: found no environment in the rollout, allowed: 'environments:' or "
            "'inventory:'.");
  EXPECT_EQ(refusal(a),
            "r.yaml:1:1: found no 'waves:' in the rollout, allowed: 'waves:' with a "
            "list of waves.");
  EXPECT_EQ(refusal("environments: { a: { dirr: x } }\n" + one_wave),
            "r.yaml:4:22: found the unknown key 'dirr' in the environment 'a', allowed: host, dir, "
            "sudo, binary, vars, vars_files, like, labels, secrets; did you mean 'dir'?");
  EXPECT_EQ(refusal("environments: { a: { sudo: true } }\n" + one_wave),
            "r.yaml:4:17: found no 'dir:' in the environment 'a', allowed: dir: FOLDER, the "
            "deployment, here or in 'defaults:'.");
  EXPECT_EQ(refusal("environments: { a: { dir: x, host: web } }\n" + one_wave),
            "r.yaml:4:17: found the relative folder 'x' in the environment 'a', allowed: an "
            "absolute one, since it is on another host.");
  EXPECT_EQ(refusal("environments: { a/b: { dir: x } }\n" + one_wave),
            "r.yaml:4:17: found the name 'a/b' in 'environments:', allowed: at most 64 letters, "
            "digits, '_', '-' and '.', a letter, digit or '_' first.");
  EXPECT_EQ(refusal(a + "waves: [{ name: w, environments: all, order: random }]\n"),
            "r.yaml:5:46: found 'random' in 'order:', allowed: declared, reversed, name.");
  EXPECT_EQ(
      refusal(a + "waves: [{ name: w, environments: all }, { name: w, environments: all }]\n"),
      "r.yaml:5:41: found the name 'w' a second time in 'waves:', allowed: once; the first "
      "is at r.yaml:5:9.");
  EXPECT_EQ(refusal(a + one_wave + "on_failure: rolback-wave\n"),
            "r.yaml:6:13: found 'rolback-wave' in 'on_failure:', allowed: stop, rollback-wave; did "
            "you mean 'rollback-wave'?");
  EXPECT_EQ(refusal(a + one_wave + "drift: ignore\n"),
            "r.yaml:6:8: found 'ignore' in 'drift:', allowed: refuse, skip, include.");
  EXPECT_EQ(refusal("environments: { a: { dir: x, secrets: { s: { dotenv: K } } } }\n" + one_wave),
            "r.yaml:4:44: found dotenv in the secret 's' of a rollout, allowed: env, file or "
            "command, which are read on this machine.");
  EXPECT_EQ(refusal("environments: { a: { dir: x, vars_files: [gone.yaml] } }\n" + one_wave)
                .substr(0, 13),
            "r.yaml:4:43: ")
      << "where the file is named";
}

}  // namespace
}  // namespace drydock
