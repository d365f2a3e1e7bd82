// What compose-up decides, from values alone.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "compose_json.h"
#include "compose_values.h"
#include "up_decisions.h"
#include "up_mounts.h"
#include "up_rolling.h"
#include "up_way_back.h"

namespace drydock::compose {
namespace {

using Kind = ServiceChange::Kind;

const std::string nameless(64, 'a');  // a volume without a name has such a one

Mount folder(const std::string& source) { return {"bind", "", source, "/d", true}; }
Mount volume(const std::string& name) { return {"volume", name, "", "/d", true}; }

std::map<std::string, ServiceChange> changes_of(const Situation& situation) {
  std::map<std::string, ServiceChange> result;
  for (const ServiceChange& change : decide_changes(situation)) result[change.service] = change;
  return result;
}

// One service, and its container from before, which is just as the files ask for.
Situation unchanged(const Service& asked) {
  Situation result;
  result.model = model_of({asked});
  result.scope = {asked.name};
  result.existing = {running("1", asked.name)};
  result.existing[0].mounts = asked.mounts;
  result.hashes = {{asked.name, "hash1"}};
  result.images = {{asked.image, "sha256:" + asked.name + "1"}};
  result.from_before = {"1"};
  return result;
}

TEST(ComposeUpDecisions, RetiresWhatNoFileHas) {
  Container one_off = running("3", "gone");
  one_off.one_off = true;
  const auto retired =
      to_retire({running("1", "db"), running("2", "api"), one_off}, {"api", "database"});
  ASSERT_EQ(retired.size(), 1u);
  EXPECT_EQ(retired[0].service, "db");
}

TEST(ComposeUpDecisions, TellsWhyAServiceChanges) {
  Situation now;
  now.model = model_of({service("api", {{"db", "service_started"}}), service("db"),
                        service("moved"), service("new"), service("same")});
  now.scope = {"api", "db", "moved", "new", "same"};
  Container db = running("1", "db"), anonymous = running("2", "moved");
  db.config_hash = "old";
  anonymous.mounts.push_back(volume(nameless));
  now.existing = {db, anonymous, running("3", "api"), running("4", "same")};
  for (const std::string& name : now.scope) now.hashes[name] = "hash1";
  now.images = {{"sample/moved:1", "sha256:other"}, {"sample/same:1", "sha256:same1"}};
  auto changes = changes_of(now);
  EXPECT_EQ(changes.at("db").why, "its settings change");
  EXPECT_EQ(changes.at("api").why, "it depends on db, which changes");
  EXPECT_EQ(changes.at("moved").why, "its tag names another image now");
  EXPECT_EQ(changes.at("moved").rollback_loses,
            "what service moved keeps in /d, a volume without a name");
  EXPECT_EQ(changes.at("new").kind, Kind::start);
  EXPECT_EQ(changes.at("same").kind, Kind::keep);
  EXPECT_EQ(services_made_anew(decide_changes(now)), (Names{"api", "db", "moved"}));
  now.with_dependants = false;
  EXPECT_EQ(changes_of(now).at("api").kind, Kind::keep) << "one after the other: not Compose's";
}

TEST(ComposeUpDecisions, NamesTheSettingsThatChangeAndNoValues) {
  const char* before = R"({"name": "p", "services": {"api": {"image": "sample/api:1",
      "environment": {"PASSWORD": "hunter2"}, "command": ["a"], "scale": 1}}})";
  const char* after = R"({"name": "p", "services": {"api": {"image": "sample/api:2",
      "environment": {"PASSWORD": "hunter3"}, "command": ["a"], "ports": [{"published": "80"}],
      "scale": 2}}})";
  Situation now;
  now.before = parse_model(before);
  now.model = parse_model(after);
  now.scope = {"api"};
  now.existing = {running("1", "api")};
  now.hashes = {{"api", "hash2"}};
  EXPECT_EQ(changes_of(now).at("api").why, "its image changes, and environment, ports");
  now.model.services.at("api").image = "sample/api:1";
  EXPECT_EQ(changes_of(now).at("api").why, "its settings change: environment, ports");
  now.before = {};
  EXPECT_EQ(changes_of(now).at("api").why, "its settings change");
}

TEST(ComposeUpDecisions, SeesAFileThatTheRunChanges) {
  Service web = service("web");
  web.mounts = {folder("/srv/p/conf.d")};
  web.files = {"/srv/p/token"};
  Situation now = unchanged(web);
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep);
  for (const char* file : {"/srv/p/conf.d", "/srv/p/conf.d/a/b.conf", "/srv/p/token"}) {
    now.changed_files = {"/srv/p/conf", file, "/srv/p/zz"};
    const ServiceChange change = changes_of(now).at("web");
    EXPECT_EQ(change.kind, Kind::recreate) << file;
    EXPECT_TRUE(change.forced) << file;
    EXPECT_EQ(forced_anew(now), Names{"web"}) << file;
  }
  now.from_before = {};
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep) << "an earlier stage made it anew";
  now.from_before = {"1"};
  now.changed_files = {"/srv/p/conf.d.old", "/srv/p/conf"};
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep);
}

TEST(ComposeUpDecisions, SeesAVolumeOfAnotherName) {
  Service web = service("web");
  web.mounts = {volume("p_data")};
  Situation now = unchanged(web);
  now.existing[0].mounts = {volume("data")};
  const ServiceChange change = changes_of(now).at("web");
  EXPECT_EQ(change.why, "in /d it has volume data, and gets p_data");
  EXPECT_TRUE(change.forced);
}

TEST(ComposeUpDecisions, CountsTheContainersOfAService) {
  Service web = service("web");
  web.replicas = 2;
  Situation now = unchanged(web);
  EXPECT_EQ(changes_of(now).at("web").why, "it has 1 containers, and gets 2");
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::scale);
}

// `compose-stop` leaves of a server that ends cleanly what a job leaves that has done its work.
TEST(ComposeUpDecisions, StartsWhatTheRunHasStopped) {
  Service web = service("web");
  web.restart_policy = "no";
  Situation now = unchanged(web);
  now.existing[0] = with(now.existing[0], "exited");
  now.existing[0].restart_policy = "no";
  now.existing[0].started_at = "2026-03-01T09:00:00Z";
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep) << "a job that has done its work";
  now.ran_before = {{"1", "2026-03-01T09:00:00Z"}};
  EXPECT_EQ(changes_of(now).at("web").why, "it is exited") << "it ran until this run stopped it";
  now.one_shot = {"web"};
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::start) << "cut off in the middle of its work";
  now.existing[0].started_at = "2026-03-01T10:00:00Z";
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep) << "started again, and done";
  now.one_shot = {};
  now.ran_before = {};
  now.model.services.at("web").restart_policy = "always";
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::start) << "only its policy is held";
  now.one_shot = {"web"};
  EXPECT_EQ(changes_of(now).at("web").kind, Kind::keep);
}

TEST(ComposeUpDecisions, TwoServicesOfOneImageChangeBoth) {
  Service api = service("api"), worker = service("worker");
  api.image = worker.image = "sample/api:2";
  Situation now;
  now.model = model_of({api, worker});
  now.scope = {"api", "worker"};
  now.existing = {running("1", "api"), running("2", "worker")};
  now.existing[0].image = now.existing[1].image = "sample/api:2";
  now.hashes = {{"api", "hash1"}, {"worker", "hash1"}};
  now.images = {{"sample/api:2", "sha256:new"}};
  EXPECT_EQ(services_made_anew(decide_changes(now)), (Names{"api", "worker"}));
  now.existing[1].image_id = "sha256:new";
  EXPECT_EQ(services_made_anew(decide_changes(now)), Names{"api"});
}

// --- mounts -------------------------------------------------------------------------------------

// The files of release 2 call db database, on the same folder.
struct Renamed {
  Renamed() {
    Service database = service("database");
    database.mounts = {folder("/srv/p/data")};
    question.model = model_of({database, service("api")});
    question.scope = {"database", "api"};
    old.mounts = database.mounts;
    question.existing = question.running = {old};
  }
  bool refused() const { return decide_mounts(question).refused.has_value(); }
  void holder_is(const Container& holder) { question.running = {holder}; }

  MountQuestion question;
  Container old = running("1", "db");
};

TEST(ComposeUpMounts, ARenamedServiceWaitsForTheOldOneToGo) {
  Renamed of;
  of.question.existing[0].mounts = of.question.running[0].mounts = {folder("/srv/p/data")};
  EXPECT_TRUE(of.refused());
  of.question.retired_ids = {"1"};
  EXPECT_FALSE(of.refused());
}

TEST(ComposeUpMounts, AStrangerWhoWritesStandsInTheWay) {
  Renamed of;
  Container stranger = running("3", "x");
  stranger.mounts = {folder("/srv/p/data")};
  of.question.existing.clear();
  of.holder_is(stranger);
  EXPECT_TRUE(of.refused());
  of.question.shares = {"/srv/p/data"};
  EXPECT_FALSE(of.refused()) << "declared";
  of.question.shares = {};
  Container own = running("4", "database");
  own.mounts = stranger.mounts;
  of.question.existing = {own};
  EXPECT_FALSE(of.refused()) << "they share it already";
  of.question.existing.clear();
  stranger.mounts[0].writable = false;
  of.holder_is(stranger);
  EXPECT_FALSE(of.refused()) << "it only reads";
}

TEST(ComposeUpMounts, ASiblingMayShareWhatWasSharedOrIsMadeAnewWithIt) {
  Renamed of;
  Container api = running("2", "api"), worker = running("5", "worker");
  api.mounts = worker.mounts = {folder("/srv/p/data")};
  of.question.model.services.at("api").mounts = {folder("/srv/p/data")};
  of.question.existing = {api};
  of.holder_is(api);
  EXPECT_TRUE(of.refused()) << "it had the folder for itself, and goes on as it is";
  of.question.made_anew = {"api"};
  EXPECT_FALSE(of.refused()) << "the new files give it to both";
  of.question.made_anew = {};
  of.question.existing = {api, worker};
  EXPECT_FALSE(of.refused()) << "several had it before";
}

TEST(ComposeUpMounts, WhoGivesAMountUpStopsFirst) {
  Renamed of;
  Container api = running("2", "api");
  api.mounts = {folder("/srv/p/data")};
  of.question.existing = {api};
  of.holder_is(api);
  EXPECT_TRUE(of.refused()) << "it is left alone, with the folder";
  of.question.made_anew = {"api"};
  EXPECT_FALSE(of.refused());
  EXPECT_EQ(decide_mounts(of.question).stop_first, std::vector<std::string>{"2"});
}

// Whatever runs: who declares or retires more is never refused for it.
TEST(ComposeUpMounts, SharesAndRetiringOnlyAllowMore) {
  EXPECT_TRUE(rc::check("more shares, more retired", [] {
    const auto name = rc::gen::element<std::string>("a", "b", "c");
    const auto held = rc::gen::element<std::string>("/srv/x", "/srv/y");
    const auto names =
        rc::gen::map(rc::gen::container<std::vector<std::string>>(name),
                     [](const auto& list) { return Names(list.begin(), list.end()); });
    MountQuestion question;
    for (const std::string& each : *names) {
      question.model.services[each] = service(each);
      question.model.services[each].mounts = {folder(*held)};
      question.scope.insert(each);
    }
    question.made_anew = *names;
    const int count = *rc::gen::inRange(0, 4);
    for (int i = 0; i < count; ++i) {
      Container one = running(std::to_string(i), *name);
      one.mounts = {folder(*held)};
      question.running.push_back(one);
      if (*rc::gen::arbitrary<bool>()) question.existing.push_back(one);
    }
    if (decide_mounts(question).refused) return;
    MountQuestion more = question;
    more.shares.insert(*held);
    RC_ASSERT(!decide_mounts(more).refused);
    more = question;
    more.retired_ids.insert(std::to_string(*rc::gen::inRange(0, 4)));
    RC_ASSERT(!decide_mounts(more).refused);
  }));
}

// --- rolling ------------------------------------------------------------------------------------

TEST(ComposeUpRolling, SaysWhyNoSecondContainerCanRun) {
  const auto why = [](const char* settings, const Names& shared = {}) {
    const Model model = parse_model(R"({"name": "p", "services": {"web": {"image": "i:1", )" +
                                    std::string(settings) + R"(},
        "other": {"image": "i:1", "network_mode": "service:lone"}, "lone": {"image": "i:1"}},
        "volumes": {"data": {"name": "p_data"}}})");
    return why_not_rolling(model.services.at("web"), model, shared).value_or("");
  };
  EXPECT_EQ(why(R"("restart": "always")"), "");
  EXPECT_EQ(why(R"("container_name": "web")"), "it has the fixed container_name web");
  const std::string port = why(R"("ports": [{"target": 80, "published": "8080",
      "host_ip": "127.0.0.1"}])");
  EXPECT_EQ(port.find("it publishes the host's port 127.0.0.1:8080"), 0u) << port;
  EXPECT_EQ(why(R"("ports": [{"target": 80}, {"target": 81, "published": "8080-8090"}])"), "");
  EXPECT_EQ(why(R"("networks": {"a": {"ipv4_address": "10.0.0.2"}})"),
            "it has the fixed address 10.0.0.2");
  EXPECT_NE(why(R"("network_mode": "host")"), "");
  const char* data = R"("volumes": [{"type": "volume", "source": "data", "target": "/d"}])";
  EXPECT_EQ(why(data).find("it alone writes to volume p_data"), 0u) << why(data);
  EXPECT_EQ(why(data, {"volume p_data"}), "");
}

TEST(ComposeUpRolling, NotWithoutTheNetworkThatAnotherOneShares) {
  Service sidecar = service("sidecar");
  sidecar.network_mode = "service:web";
  const Model model = model_of({service("web"), sidecar});
  EXPECT_EQ(why_not_rolling(model.services.at("web"), model, {}),
            "service sidecar shares its network");
}

// --- the way back -------------------------------------------------------------------------------

TEST(ComposeUpWayBack, IsKnownFromTheFilesOrASnapshot) {
  KnownFiles known;
  known.compose_version = "2.26.1";
  Container api = running("1", "api");
  api.compose_version = "2.26.1";
  const auto lost = [&] { return without_way_back({api}, known).size(); };
  known.own_model = model_of({service("api")});
  known.own = {{"api", "hash2"}};
  EXPECT_EQ(lost(), 1u) << "made of files that were replaced";
  known.snapshot = {{"api", "hash1"}};
  EXPECT_EQ(lost(), 0u);
  known.snapshot = {};
  known.own = {{"api", "hash1"}};
  EXPECT_EQ(lost(), 0u);
  known.own = {{"api", "hash of the same by another Compose"}};
  api.compose_version = "2.20.0";
  EXPECT_EQ(lost(), 0u);
  api.image = "sample/api:0";
  EXPECT_EQ(lost(), 1u);
}

// --- the way itself -----------------------------------------------------------------------------

TEST(ComposeUpDecisions, UndoesOnlyWhatItDid) {
  const std::vector<Container> noted = {running("1", "db"), with(running("2", "web"), "exited")};
  const Undo undo = decide_undo(
      noted,
      {running("1", "db"), running("2", "web"), running("3", "api"), running("4", "elsewhere")},
      {"db", "web", "api"}, {});
  EXPECT_EQ(undo.remove, std::vector<std::string>{"3"});
  EXPECT_EQ(undo.stop, (std::map<std::string, std::string>{{"2", "always"}}));
}

TEST(ComposeUpDecisions, TakesAwayWhatItHasDrained) {
  const Undo undo =
      decide_undo({running("1", "web")}, {running("1", "web")}, {"web"}, {"1", "long gone"});
  EXPECT_EQ(undo.remove, std::vector<std::string>{"1"});
  EXPECT_TRUE(undo.stop.empty());
}

}  // namespace
}  // namespace drydock::compose
