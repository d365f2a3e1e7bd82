// What the Compose stages decide, from values alone.
#include <gtest/gtest.h>

#include "compose_before.h"
#include "compose_health.h"
#include "compose_json.h"
#include "compose_settlement.h"
#include "compose_values.h"

namespace drydock::compose {
namespace {

TEST(ComposeModel, OrdersByDependenciesAndFindsOneShots) {
  const Model model = model_of({service("web", {{"api", "service_started"}}),
                                service("api", {{"db", "service_healthy"},
                                                {"init", "service_completed_successfully"},
                                                {"absent", "service_started"}}),
                                service("db"), service("init")});
  EXPECT_EQ(model.start_order(),
            (std::vector<std::set<std::string>>{{"db", "init"}, {"api"}, {"web"}}));
  EXPECT_EQ(model.with_dependencies({"api"}), (std::set<std::string>{"api", "db", "init"}));
  EXPECT_EQ(model.one_shot(), std::set<std::string>{"init"});
}

TEST(ComposeJson, ReadsWhatTheEngineSaysOfAContainer) {
  const auto containers = parse_containers(R"([{
    "Id": "abc", "Name": "/p-api-2", "Image": "sha256:1", "RestartCount": 3,
    "State": {"Status": "exited", "ExitCode": 137, "OOMKilled": true, "Health": {"Status": "unhealthy"}},
    "HostConfig": {"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5}},
    "Config": {"Image": "sample/api:1", "Env": ["A=b=c", "EMPTY="], "Labels": {
      "com.docker.compose.service": "api", "com.docker.compose.container-number": "2",
      "com.docker.compose.oneoff": "True", "com.docker.compose.config-hash": "h",
      "com.docker.compose.project": "p", "com.docker.compose.project.working_dir": "/srv/p"}},
    "Mounts": [{"Type": "volume", "Name": "p_data", "Source": "/var/lib/x", "Destination": "/d", "RW": true},
               {"Type": "bind", "Source": "/srv/p/conf", "Destination": "/c", "RW": false}]}])");
  ASSERT_EQ(containers.size(), 1u);
  const Container& one = containers[0];
  EXPECT_EQ(one.name, "p-api-2");
  EXPECT_EQ(one.number, 2);
  EXPECT_TRUE(one.one_off);
  EXPECT_FALSE(one.serves());
  EXPECT_TRUE(one.out_of_memory);
  EXPECT_EQ(one.restart_policy, "on-failure:5");
  EXPECT_EQ(one.environment.at("A"), "b=c");
  EXPECT_EQ(one.mounts.at(0).held(), "volume p_data");
  EXPECT_FALSE(one.mounts.at(1).writable);
}

TEST(ComposeJson, ReadsTheResolvedModel) {
  const Model model = parse_model(R"({"name": "p", "services": {
    "api": {"image": "i:1", "restart": "always", "healthcheck": {"test": ["CMD", "true"]},
            "depends_on": {"db": {"condition": "service_healthy", "required": true}},
            "volumes": [{"type": "volume", "source": "data", "target": "/d"},
                        {"type": "bind", "source": "/srv/p/x", "target": "/x", "read_only": true}]},
    "job": {"build": {"context": "."}, "deploy": {"replicas": 3, "restart_policy":
            {"condition": "on-failure", "max_attempts": 2}}, "healthcheck": {"disable": true}}},
    "volumes": {"data": {"name": "p_data"}}})");
  const Service& api = model.services.at("api");
  EXPECT_TRUE(api.health_check);
  EXPECT_EQ(api.depends_on.at("db"), "service_healthy");
  EXPECT_EQ(api.mounts.at(0).held(), "volume p_data");
  EXPECT_FALSE(api.mounts.at(1).writable);
  const Service& job = model.services.at("job");
  EXPECT_TRUE(job.built);
  EXPECT_EQ(job.replicas, 3);
  EXPECT_EQ(job.restart_policy, "on-failure:2");
  EXPECT_FALSE(job.health_check);
}

TEST(ComposeJson, NotesContainersWithoutTheirSecrets) {
  Container one = running("1", "api");
  one.environment["PASSWORD"] = "hunter2";
  const std::string note = to_note({one});
  EXPECT_EQ(note.find("hunter2"), std::string::npos);
  const Container back = from_note(note).at(0);
  EXPECT_EQ(back.id, "1");
  EXPECT_EQ(back.image_id, one.image_id);
  EXPECT_TRUE(back.runs());
  EXPECT_THROW(from_note("{"), Failed);
}

TEST(ComposeHealth, JudgesAContainer) {
  const Expectation up{"api"}, finish{"api", 1, true};
  const Container ok = running("1", "api");
  Container checked = ok;
  const auto readiness = [](const Container& one, const Expectation& expected) {
    return judge(one, expected).readiness;
  };
  EXPECT_EQ(readiness(ok, up), Readiness::ready);
  EXPECT_EQ(readiness(ok, finish), Readiness::not_yet);
  checked.health = "starting";
  EXPECT_EQ(readiness(checked, up), Readiness::not_yet);
  checked.health = "unhealthy";
  EXPECT_EQ(judge(checked, up).reason, "is unhealthy");
  EXPECT_EQ(readiness(checked, {"api", 1, false, false}), Readiness::ready);
  EXPECT_EQ(readiness(with(ok, "restarting", 1), up), Readiness::not_yet);
  EXPECT_EQ(readiness(with(ok, "exited", 3), up), Readiness::failed);
  EXPECT_EQ(readiness(with(ok, "exited", 0), up), Readiness::failed) << "it should run on";
  Container one_shot = with(ok, "exited", 0);
  one_shot.restart_policy = "no";
  EXPECT_EQ(readiness(one_shot, up), Readiness::ready);
  EXPECT_EQ(readiness(one_shot, finish), Readiness::ready);
}

TEST(ComposeHealth, WhatTheRunStoppedHasNotFinished) {
  Container held = with(running("1", "api"), "exited", 0);
  held.restart_policy = "no";
  held.started_at = "2026-03-01T09:00:00Z";
  const Model model = model_of({service("api")});
  Expectation expected = expectations(model, {"api"}).at(0);
  EXPECT_EQ(judge(held, expected).readiness, Readiness::ready) << "a job";
  expected.ran_before = {{"1", held.started_at}};
  EXPECT_EQ(judge(held, expected).reason, "was stopped (exit code 0)");
  expected.must_finish = true;
  EXPECT_EQ(judge(held, expected).readiness, Readiness::failed) << "cut off in its work";
  held.started_at = "2026-03-01T10:00:00Z";
  EXPECT_EQ(judge(held, expected).readiness, Readiness::ready);
  Model kept_up = model;
  kept_up.services.at("api").restart_policy = "always";
  EXPECT_EQ(judge(held, expectations(kept_up, {"api"}).at(0)).readiness, Readiness::failed)
      << "the files want it up, and compose-stop holds its policy";
}

TEST(ComposeHealth, BlamesWhatCannotRecoverFirst) {
  Container slow = running("1", "api");
  slow.health = "starting";
  const auto culprit =
      first_not_ready({{"api"}, {"db"}, {"web"}}, {slow, with(running("2", "db"), "exited", 1)});
  ASSERT_TRUE(culprit);
  EXPECT_EQ(culprit->sentence(), "service db exited with code 1 (container p-db-1)");
  const auto missing = first_not_ready({{"web"}}, {});
  ASSERT_TRUE(missing);
  EXPECT_EQ(missing->sentence(), "service web has 0 of 1 containers");
}

TEST(ComposeSettlement, StartsWhatRanAndPutsItsPolicyBack) {
  Container held = with(running("1", "api"), "exited");
  held.restart_policy = "no";
  const Settlement todo = decide_settlement({running("1", "api")}, {held}, {}, {});
  EXPECT_EQ(todo.start.at("api"), std::vector<std::string>{"1"});
  EXPECT_EQ(todo.policies.at("1"), "always");
  EXPECT_TRUE(todo.up.empty());
}

TEST(ComposeSettlement, LeavesWhatRunsAndWhatDidNotRun) {
  const Settlement todo =
      decide_settlement({running("1", "api"), with(running("2", "web"), "exited")},
                        {running("1", "api"), with(running("2", "web"), "exited")}, {}, {});
  EXPECT_TRUE(todo.nothing());
  EXPECT_TRUE(todo.policies.empty());
}

TEST(ComposeSettlement, MakesWhatIsGoneAnewFromTheImageThatRan) {
  const Settlement todo =
      decide_settlement({running("1", "db"), with(running("2", "init"), "exited")}, {},
                        {{"db", "hash1"}}, {{"sample/db:1", "sha256:moved"}});
  EXPECT_EQ(todo.up.at("db"), 1u);
  EXPECT_EQ(todo.create, std::set<std::string>{"init"});
  EXPECT_EQ(todo.retag.at("sample/db:1"), "sha256:db1");
}

TEST(ComposeSettlement, TakesWhatAnEarlierSettlingMadeAsGood) {
  EXPECT_TRUE(decide_settlement({running("1", "db")}, {running("9", "db")}, {}, {}).nothing());
  // Its settings had drifted from the files, so the files' are as near as it gets.
  Container by_files = running("9", "db");
  by_files.config_hash = "of-files";
  EXPECT_TRUE(
      decide_settlement({running("1", "db")}, {by_files}, {{"db", "of-files"}}, {}).nothing());
}

TEST(ComposeSettlement, PutsBackThePolicyOfWhatDidNotRun) {
  Container was = with(running("1", "db"), "exited"), now = was;
  was.restart_policy = "always";
  now.restart_policy = "no";
  const Settlement todo = decide_settlement({was}, {now}, {}, {});
  EXPECT_EQ(todo.policies.at("1"), "always");
  EXPECT_TRUE(todo.nothing());
  EXPECT_TRUE(decide_settlement({now}, {was}, {}, {}).policies.empty())
      << "noted by a later stage, when it was held down already";
}

TEST(ComposeSettlement, LeavesOutOnlyWhatNeedsAnImageThatIsGone) {
  Container other = running("9", "api");
  other.config_hash = "of another release";
  const std::vector<Container> existing = {other, with(running("4", "cron"), "exited")};
  const Settlement all =
      decide_settlement({running("1", "api"), running("2", "db"), running("3", "web"),
                         running("4", "cron"), with(running("5", "init"), "exited")},
                        existing, {}, {});
  const Model model = model_of({service("api", {{"db", "service_started"}}), service("db"),
                                service("web", {{"api", "service_started"}}), service("init")});
  const Settlement todo = leave_out(all, {"api"}, model, existing);
  EXPECT_EQ(todo.up, (std::map<std::string, std::size_t>{{"db", 1}}))
      << "with web Compose would make api, too";
  EXPECT_EQ(todo.create, std::set<std::string>{"init"});
  EXPECT_EQ(todo.start, all.start);
  EXPECT_EQ(all.replace, std::vector<std::string>{"9"});
  EXPECT_TRUE(todo.replace.empty());
  EXPECT_TRUE(leave_out(all, {"init"}, model, existing).create.empty());
}

TEST(ComposeSettlement, ReplacesWhatStandsInTheWay) {
  Container other = running("9", "db");
  other.config_hash = "of the kept model";
  const Settlement todo = decide_settlement({running("1", "db")}, {other}, {{"db", "hash1"}}, {});
  EXPECT_EQ(todo.replace, std::vector<std::string>{"9"});
  EXPECT_EQ(todo.up.at("db"), 1u);
}

TEST(ComposeBefore, TakesWhatEndedSinceTheRunBeganForRunning) {
  std::vector<Container> existing = {with(running("1", "db"), "exited", 137),
                                     with(running("2", "cron"), "exited"),
                                     with(running("3", "migrator"), "exited", 137)};
  existing[0].finished_at = "2026-03-01T10:04:09.5Z";
  existing[1].finished_at = "2026-03-01T10:04:07.5Z";
  existing[2].finished_at = "2026-03-01T10:04:09.5Z";
  existing[2].one_off = true;
  existing.push_back(running("4", "api"));
  existing.push_back(running("5", "web"));
  existing[3].started_at = "2026-03-01T10:04:11.5Z";
  existing[4].started_at = "2026-03-01T09:00:00.5Z";
  existing[3].health = existing[4].health = "starting";
  const auto before = as_when_the_run_began(existing, "2026-03-01T10:04:08");
  EXPECT_EQ(before[0].state, "running") << "the engine crashed";
  EXPECT_EQ(before[1].state, "exited") << "stopped by hand, before the run";
  EXPECT_EQ(before[2].state, "exited") << "no service container";
  EXPECT_EQ(before[3].health, "healthy") << "the engine started it again";
  EXPECT_EQ(before[4].health, "starting") << "it was so before the run";
  EXPECT_EQ(before[0].health, "") << "it has no health check";
  existing[0].exit_code = 0;
  existing[0].restart_policy = "no";
  existing[3].restarts = 2;
  existing[4].started_at = existing[3].started_at;
  existing[4].health = "unhealthy";
  existing.push_back(existing[0]);
  existing.back().restart_policy = "unless-stopped";
  const auto others = as_when_the_run_began(existing, "2026-03-01T10:04:08");
  EXPECT_EQ(others[0].state, "exited") << "a job that is done";
  EXPECT_EQ(others[3].health, "starting") << "it ends again and again";
  EXPECT_EQ(others[4].health, "unhealthy");
  EXPECT_EQ(others[5].state, "running") << "the engine was stopped, and so was this";
  EXPECT_EQ(as_when_the_run_began(existing, "")[0].state, "exited") << "no run, or not known";
}

}  // namespace
}  // namespace drydock::compose
