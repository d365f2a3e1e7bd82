// preflight: what is decided.
#include <gtest/gtest.h>

#include "checks.h"
#include "databases.h"
#include "image_reference.h"
#include "images.h"
#include "needs.h"
#include "path.h"
#include "ports.h"
#include "space.h"
#include "versions.h"

namespace drydock::preflight {
namespace {

using compose::Container;
using compose::Model;
using compose::Mount;
using Texts = std::vector<std::string>;

TEST(PreflightVersions, CompareByTheirNumbers) {
  EXPECT_EQ(compare_versions("1.9.2", "1.14.0"), -1);
  EXPECT_EQ(compare_versions("v1.14", "1.14.0"), 0);
  EXPECT_EQ(compare_versions("28.2.2+dfsg1", "20.10"), 1);
  EXPECT_EQ(compare_versions("1.14.0-rc1", "1.14.0"), 0);
  for (const char* tag : {"", "latest", "main", "-1", "99999999999999999999"}) {
    EXPECT_FALSE(compare_versions(tag, "1.0")) << tag;
  }
}

TEST(PreflightVersions, FindTheTagOfAnImage) {
  EXPECT_EQ(tag_of("sample/api:1.2"), "1.2");
  EXPECT_EQ(tag_of("127.0.0.1:5000/sample/api"), "");
  EXPECT_EQ(tag_of("127.0.0.1:5000/sample/api:1.2@sha256:abc"), "1.2");
}

TEST(PreflightMachine, RefusesWhatIsTooOldOrTooSmall) {
  const Minimum minimum{"20.10", "2.24", std::int64_t{4} << 30, 2, std::int64_t{10} << 30};
  Findings findings;
  check_machine({"28.2.2", "2.26.1", std::int64_t{4} << 30, 2, std::int64_t{11} << 30}, minimum,
                findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known, Texts());
  check_machine({"19.03", "2.23.3", std::int64_t{2} << 30, 1, std::int64_t{3} << 29}, minimum,
                findings);
  ASSERT_EQ(findings.refused.size(), 5u);
  EXPECT_EQ(findings.refused[0],
            "the Docker engine is 19.03, and 20.10 or newer is needed; upgrade it first");
  EXPECT_NE(findings.refused[1].find("Docker Compose is 2.23.3, and 2.24"), std::string::npos);
  EXPECT_NE(findings.refused[2].find("is 2.0 GiB, and 4.0 GiB is needed"), std::string::npos);
  EXPECT_NE(findings.refused[3].find("is 1.5 GiB, and 10.0 GiB is needed"), std::string::npos);
  EXPECT_NE(findings.refused[4].find("has 1 CPU, and 2 are needed"), std::string::npos);
}

TEST(PreflightMachine, SaysWhatItDoesNotKnow) {
  Findings findings;
  check_machine({}, {"20.10", "2.24", 1, 1, 1}, findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known.size(), 5u);
  Findings asked_less;
  check_machine({"20.10", "2.24", -1, -1, -1}, {"20.10", "2.24", 0, 0, 0}, asked_less);
  EXPECT_EQ(asked_less.not_known, Texts());
}

TEST(PreflightProject, RefusesAnotherNameForWhatRuns) {
  Container running;
  running.service = "api";
  running.name = "docker-api-1";
  running.project = "docker";
  running.state = "running";
  Findings findings;
  check_project("docker", {running}, findings);
  EXPECT_EQ(findings.refused, Texts());
  check_project("dify", {running}, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("project docker (container docker-api-1)"), std::string::npos);
  running.state = "exited";
  Findings stopped;
  check_project("dify", {running}, stopped);
  EXPECT_EQ(stopped.refused, Texts());
}

Model model_with(const std::string& service, const Mount& mount) {
  Model model;
  model.services[service].mounts = {mount};
  return model;
}

TEST(PreflightVolumes, RefusesDataInAnotherPlace) {
  const Mount folder{"bind", "", "/srv/app/data", "/data", true};
  const Mount other{"bind", "", "/srv/app/elsewhere", "/data", true};
  const Mount volume{"volume", "app_data", "data", "/data", true};
  Findings findings;
  check_volumes(model_with("db", folder), model_with("db", folder), {}, findings);
  check_volumes(model_with("db", folder), model_with("database", other), {}, findings);
  check_volumes(model_with("db", folder), model_with("db", other), {"db"}, findings);
  Mount read_only = other;
  read_only.writable = false;
  check_volumes(model_with("db", folder), model_with("db", read_only), {}, findings);
  EXPECT_EQ(findings.refused, Texts());
  check_volumes(model_with("db", folder), model_with("db", volume), {}, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("service db has its /data in the folder /srv/app/data, and "
                                     "would look for it in the volume app_data"),
            std::string::npos)
      << findings.refused[0];
}

Texts refused_path(const std::string& from, const std::string& to, const Texts& stops) {
  Findings findings;
  check_path({from, to, stops, "", {}, {}, {}}, findings);
  return findings.refused;
}

TEST(PreflightPath, RefusesToGoBackOrToJumpOverAStop) {
  const Texts stops = {"1.0", "1.10"};
  EXPECT_EQ(refused_path("1.9.2", "1.10", stops), Texts());
  EXPECT_EQ(refused_path("1.10", "1.14.1", stops), Texts());
  EXPECT_EQ(refused_path("1.14.1", "1.14.1", stops), Texts());
  ASSERT_EQ(refused_path("0.15.3", "1.14.1", stops).size(), 1u);
  EXPECT_NE(refused_path("0.15.3", "1.14.1", stops)[0].find("leads through 1.0,"),
            std::string::npos);
  EXPECT_NE(refused_path("1.14.1", "1.9", stops).at(0).find("1.9 is older"), std::string::npos);
  Findings findings;
  check_path({"latest", "2.0", stops, "", {}, {}, {}}, findings);
  check_path({"", "2.0", stops, "", {}, {}, {}}, findings);
  check_path({"1.0", "", stops, "", {}, {}, {}}, findings);
  EXPECT_EQ(findings.refused, Texts());
  EXPECT_EQ(findings.not_known.size(), 2u);
}

TEST(PreflightPath, KnowsWhereOneMayComeFromAndThatNoneIsLeftOut) {
  Path path{"1.9.2", "1.14.1", {}, "1.9", {}, {}, {}};
  Findings findings;
  check_path(path, findings);
  EXPECT_EQ(findings.refused, Texts());
  path.oldest = "1.10";
  check_path(path, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("from 1.10 or newer; upgrade to 1.10 first"),
            std::string::npos);
  path.oldest.clear();
  path.each = {"1.14.1", "1.13.0", "1.10", "1.9.2"};
  Findings each;
  check_path(path, each);
  ASSERT_EQ(each.refused.size(), 1u);
  EXPECT_NE(each.refused[0].find("leads through 1.10,"), std::string::npos) << each.refused[0];
  path.from = "1.13.0";
  Findings next;
  check_path(path, next);
  EXPECT_EQ(next.refused, Texts());
}

TEST(PreflightPath, ShowsTheStepsOfTheReleasesOnTheWay) {
  Path path{"1.9.2", "1.14.1", {}, "", {}, {}, {}};
  path.steps = {{"1.14", "after", "", false},
                {"1.10", "chown", "chown -R 1001 app", true},
                {"1.9.2", "done long ago", "", true},
                {"1.15", "not yet", "", true}};
  const auto steps = steps_on_the_way(path);
  ASSERT_EQ(steps.size(), 2u);
  EXPECT_EQ(steps[0].release, "1.10");
  EXPECT_EQ(steps[1].release, "1.14");
  Findings findings;
  check_path(path, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("chown -R 1001 app"), std::string::npos);
  path.acknowledged = {"1.10"};
  Findings acknowledged;
  check_path(path, acknowledged);
  EXPECT_EQ(acknowledged.refused, Texts());
  path.from = "latest";  // nobody knows: all that may be asked for
  EXPECT_EQ(steps_on_the_way(path).size(), 3u);
}

TEST(PreflightVolumes, FollowsAServiceToItsNewName) {
  const Mount folder{"bind", "", "/srv/app/data", "/data", true};
  const Mount other{"bind", "", "/srv/app/elsewhere", "/data", true};
  Findings findings;
  check_volumes(model_with("db", folder), model_with("db_postgres", folder), {}, findings,
                {{"db", "db_postgres"}});
  EXPECT_EQ(findings.refused, Texts());
  check_volumes(model_with("db", folder), model_with("db_postgres", other), {}, findings,
                {{"db", "db_postgres"}});
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("service db (now db_postgres)"), std::string::npos);
}

TEST(PreflightSpace, AddsUpWhatGoesToOneDisk) {
  const std::int64_t gibibyte = std::int64_t{1} << 30;
  std::vector<Demand> demands = {
      {"2 new images", 3 * gibibyte, "1", "/var/lib/docker", 5 * gibibyte},
      {"the dump of db", gibibyte, "2", "/srv/app", gibibyte},
      {"a restored copy of db", 2 * gibibyte, "1", "/srv", 5 * gibibyte}};
  Findings findings;
  check_space(demands, findings);
  EXPECT_EQ(findings.refused, Texts());
  demands[2].bytes += 1;
  check_space(demands, findings);
  ASSERT_EQ(findings.refused.size(), 1u);
  EXPECT_NE(findings.refused[0].find("the disk of /var/lib/docker has 5.0 GiB free, and 5.0 GiB"),
            std::string::npos)
      << findings.refused[0];
  EXPECT_NE(findings.refused[0].find("2 new images (about 3.0 GiB), a restored copy of db"),
            std::string::npos);
  demands = {{"3 new images", -1, "", "", -1, "the registry of a does not say"},
             {"the dump of db", 5, "", "", -1},
             {"nothing", 0, "", "", -1}};
  Findings unknown;
  check_space(demands, unknown);
  EXPECT_EQ(unknown.refused, Texts());
  EXPECT_EQ(unknown.not_known.size(), 2u);
  demands = {{"a", INT64_MAX, "1", "/", 1}, {"b", INT64_MAX, "1", "/", 1}};
  Findings large;
  check_space(demands, large);
  EXPECT_EQ(large.refused.size(), 1u);
}

TEST(PreflightImages, ReadManifestsAndLists) {
  const Manifest list = parse_manifest(
      R"({"manifests": [{"digest": "sha256:arm", "platform": {"os": "linux", "architecture": "arm64"}},
          {"digest": "sha256:amd", "platform": {"os": "linux", "architecture": "amd64"}}]})",
      "linux/amd64");
  EXPECT_EQ(list.digest, "sha256:amd");
  EXPECT_TRUE(list.layers.empty());
  const Manifest one = parse_manifest(
      R"({"config": {"size": 9}, "layers": [{"digest": "a", "size": 10}, {"digest": "b", "size": 5}]})",
      "linux/amd64");
  EXPECT_EQ(one.layers, (Layers{{"a", 10}, {"b", 5}}));
  for (const char* text :
       {"", "[]", "no", R"({"layers": [{"digest": "a"}]})", R"({"layers": ["x"]})",
        R"({"manifests": [{"digest": "x", "platform": {"os": "windows"}}]})"}) {
    const Manifest odd = parse_manifest(text, "linux/amd64");
    EXPECT_TRUE(odd.layers.empty() && odd.digest.empty()) << text;
  }
  EXPECT_EQ(platform_of("x86_64"), "linux/amd64");
  EXPECT_EQ(platform_of("aarch64"), "linux/arm64");
  EXPECT_EQ(platform_of("riscv64"), "linux/riscv64");
}

TEST(PreflightNeeds, KnowsWhatOnlyNewerEnginesDo) {
  const auto needs = engine_needs(R"({"services": {
    "api": {"healthcheck": {"start_interval": "1s"}},
    "db": {"volumes": [{"type": "volume", "source": "a", "volume": {"subpath": "x"}}, {"type": "bind"}]},
    "web": {"volumes": [{"type": "image", "source": "assets"}], "healthcheck": {"interval": "1s"}}}})");
  ASSERT_EQ(needs.size(), 3u);
  EXPECT_EQ(needs[0].version, "25.0");
  EXPECT_EQ(needs[1].what, "volume.subpath of service db");
  EXPECT_EQ(needs[2].version, "28.0");
  EXPECT_TRUE(engine_needs("not JSON").empty());
  EXPECT_TRUE(engine_needs(R"({"services": []})").empty());
}

TEST(PreflightPorts, ReadsWhatIsPublishedAndWhatIsBound) {
  const auto wanted = published_ports(R"({"services": {"web": {"ports": [
    {"target": 80, "published": "8080", "protocol": "tcp"},
    {"target": 53, "published": "53", "protocol": "udp", "host_ip": "127.0.0.1"},
    {"target": 90, "published": "9000-9010"}, {"target": 91}]}, "api": {}}})");
  ASSERT_EQ(wanted.size(), 2u);
  EXPECT_EQ(wanted[0].port.words(), "8080/tcp");
  EXPECT_EQ(wanted[1].port.words(), "127.0.0.1:53/udp");
  const auto column = parse_ports_column(
      "0.0.0.0:80->80/tcp, [::]:80->80/tcp, :::81->81/udp, 127.0.0.1:7000-7001->7000-7001/tcp, "
      "90/tcp");
  ASSERT_EQ(column.size(), 5u);
  EXPECT_EQ(column[1].address, "::");
  EXPECT_EQ(column[2].words(), "81/udp");
  EXPECT_EQ(column[4].words(), "127.0.0.1:7001/tcp");
  const auto bound = parse_proc_net(
      "  sl  local_address rem_address   st\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000\n"
      "   1: 00000000:0050 00000000:0000 0A 00000000\n"
      "   2: 0100007F:0051 0100007F:9999 01 00000000\n"
      "   3: 0000000000000000FFFF00000100007F:0052 00000000000000000000000000000000:0000 0A\n",
      "tcp");
  ASSERT_EQ(bound.size(), 3u);
  EXPECT_EQ(bound[0].words(), "127.0.0.1:8080/tcp");
  EXPECT_EQ(bound[1].words(), "80/tcp");
  EXPECT_EQ(bound[2].words(), "127.0.0.1:82/tcp");
}

TEST(PreflightPorts, RefusesThoseThatSomebodyElseHas) {
  const std::vector<Wanted> wanted = {{{"", 80, "tcp"}, "nginx"}};
  const auto refused = [&](const std::vector<Holder>& containers,
                           const std::vector<HostPort>& bound) {
    Findings findings;
    check_ports(wanted, containers, bound, findings);
    return findings.refused.empty() ? "" : findings.refused[0];
  };
  EXPECT_EQ(refused({}, {}), "");
  EXPECT_EQ(refused({{{"", 80, "tcp"}, "p-nginx-1", "p", true}}, {{"", 80, "tcp"}}), "");
  EXPECT_EQ(refused({{{"", 80, "udp"}, "other", "", false}}, {{"", 81, "tcp"}}), "");
  EXPECT_NE(refused({{{"127.0.0.1", 80, "tcp"}, "other-web-1", "other", false}}, {})
                .find("port 80/tcp, which container other-web-1 of project other has"),
            std::string::npos);
  EXPECT_NE(refused({}, {{"127.0.0.1", 80, "tcp"}}).find("something else listens"),
            std::string::npos);
  const HostPort here{"127.0.0.1", 80, "tcp"}, there{"10.0.0.1", 80, "tcp"};
  EXPECT_FALSE(here.collides(there));
}

}  // namespace
}  // namespace drydock::preflight
