#include "rollout_inventory.h"

#include <gtest/gtest.h>

#include "frontend.h"

namespace drydock {
namespace {

const Place here{"r.yaml", 4, 22};

std::vector<Environment> environments(const std::string& printed) {
  return read_environments(environments_of_ansible(printed, here, "/srv"), nullptr, "/srv");
}
std::string refusal(const std::string& printed) {
  return error_of([&] { environments(printed); });
}

const std::string two = R"({
  "_meta": {"hostvars": {
    "db-1": {"ansible_host": "10.0.0.7", "ansible_port": 2222, "ansible_user": "deploy",
             "ansible_become": true, "secret": {"__ansible_vault": "not ours to read"},
             "drydock": {"dir": "/srv/app", "vars": {"to": "1.10", "workers": 4}}},
    "here": {"ansible_connection": "local", "drydock": {"dir": "app", "labels": {"tier": "test"}}}}},
  "all": {"children": ["ungrouped", "prod"]},
  "prod": {"children": ["eu"]},
  "eu": {"hosts": ["db-1"]},
  "ungrouped": {"hosts": ["here"]}})";

TEST(AnsibleInventory, HostsTheirGroupsAndHowTheyAreReached) {
  const auto found = environments(two);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "db-1");
  EXPECT_EQ(found[0].host, "ssh://deploy@10.0.0.7:2222");
  EXPECT_EQ(found[0].dir, "/srv/app");
  EXPECT_TRUE(found[0].sudo);
  EXPECT_EQ(found[0].labels.at("group"), (std::set<std::string>{"eu", "prod"}))
      << "in the group of its group, too";
  ASSERT_EQ(found[0].vars.size(), 2u);
  EXPECT_EQ(found[0].vars[0].value, "1.10");
  EXPECT_EQ(found[0].vars[1].value, 4);
  EXPECT_EQ(found[1].host, "");
  EXPECT_FALSE(found[1].sudo);
  EXPECT_EQ(found[1].labels.at("tier"), (std::set<std::string>{"test"}));
  EXPECT_EQ(found[1].labels.count("group"), 0u);
}

TEST(AnsibleInventory, AHostWithoutVariablesIsAnAlias) {
  const auto declared = environments_of_ansible(R"({"prod": {"hosts": ["web-1"]}})", here, "/srv");
  YamlNode defaults = parse_yaml("{ dir: /srv/app }", "r.yaml");
  const auto found = read_environments(declared, &defaults, "/srv");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].host, "web-1");
}

TEST(AnsibleInventory, AnAddressOfVersionSix) {
  EXPECT_EQ(environments(R"({"_meta": {"hostvars": {"a": {"ansible_host": "fe80::1",
              "ansible_user": "root", "drydock": {"dir": "/srv"}}}}})")[0]
                .host,
            "ssh://root@[fe80::1]");
}

TEST(AnsibleInventory, RefusesWhatIsNoInventory) {
  const std::string allowed =
      ", allowed: what `ansible-inventory --list` prints, an object of groups.";
  const std::string begin = "r.yaml:4:22: the inventory's command printed ";
  EXPECT_EQ(refusal(""), begin + "nothing" + allowed);
  EXPECT_EQ(refusal("ERROR! no\nmore"), begin + "no JSON ('ERROR! no')" + allowed);
  EXPECT_EQ(refusal("[]"), begin + "no object" + allowed);
  EXPECT_EQ(refusal(R"({"prod": ["a"]})"), begin + "the group 'prod' as no object" + allowed);
  EXPECT_EQ(refusal(R"({"prod": {"hosts": {"a": 1}}})"),
            begin + "'hosts' of the group 'prod' as something else than a list of names" + allowed);
  EXPECT_EQ(refusal(R"({"_meta": {"hostvars": []}})"),
            begin + "'_meta.hostvars' as no object" + allowed);
  EXPECT_EQ(refusal(R"({"_meta": {"hostvars": {"a": {"ansible_host": ["x"]}}}})"),
            begin + "'ansible_host' of the host 'a' as no text" + allowed);
}

TEST(AnsibleInventory, RefusesAGroupWithinItself) {
  EXPECT_NE(
      refusal(R"({"a": {"children": ["b"]}, "b": {"children": ["a"]}})").find("within itself"),
      std::string::npos);
}

TEST(AnsibleInventory, RefusesWhatIsNoPlaceForVariables) {
  for (const char* meta : {"[]", "3", "null", R"("x")"}) {
    EXPECT_NE(refusal(std::string(R"({"prod": {"hosts": ["a"]}, "_meta": )") + meta + "}")
                  .find("'_meta' as no object"),
              std::string::npos)
        << meta;
  }
}

TEST(AnsibleInventory, RefusesWhatIsNestedTooDeep) {
  constexpr std::size_t depth = 200'000;
  const std::string nested = std::string(depth, '[') + std::string(depth, ']');
  EXPECT_NE(
      refusal(R"({"_meta": {"hostvars": {"a": {"drydock": {"vars": {"q": )" + nested + "}}}}}}")
          .find("printed values that are nested more than 100 deep"),
      std::string::npos);
  EXPECT_NE(refusal(R"({"prod": {"hosts": )" + nested + "}}").find("nested"), std::string::npos);
}

// Each doubles the number of ways to the last one.
TEST(AnsibleInventory, AGroupThatManyWaysLeadToIsLookedAtOnce) {
  std::string groups;
  for (int i = 0; i < 40; ++i) {
    const std::string child = "\"g" + std::to_string(i + 1) + "\"";
    groups += "\"g" + std::to_string(i) + R"(": {"children": [)" + child + ", " + child + "]}, ";
  }
  const auto declared =
      environments_of_ansible("{" + groups + R"("g40": {"hosts": ["a"]}})", here, "/srv");
  YamlNode defaults = parse_yaml("{ dir: /srv/app }", "r.yaml");
  const auto found = read_environments(declared, &defaults, "/srv");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].labels.at("group").size(), 41u);
}

TEST(AnsibleInventory, HostsComeInTheOrderInWhichTheyArePrinted) {
  std::vector<std::string> names;
  for (const DeclaredEnvironment& each :
       environments_of_ansible(R"({"_meta": {"hostvars": {"y": {}, "c": {}, "x": {}}},
                                   "web": {"hosts": ["z", "a"]}, "db": {"hosts": ["b", "a"]}})",
                               here, "/srv")) {
    names.push_back(each.name);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"z", "a", "b", "y", "c", "x"}));
}

TEST(AnsibleInventory, RefusesAVaultedValueThatItNeeds) {
  EXPECT_EQ(refusal(R"({"_meta": {"hostvars": {"a": {"drydock": {"dir": "/srv",
              "vars": {"key": {"__ansible_vault": "x"}}}}}}})"),
            "r.yaml:4:22: found a value in a vault in the host 'a' of the inventory's command, "
            "allowed: plain values; a secret belongs under 'secrets:' with a source of its own.");
  EXPECT_NE(refusal(R"({"_meta": {"hostvars": {"a": {"ansible_user": {"__ansible_vault": "x"}}}}})")
                .find("'ansible_user' of the host 'a'"),
            std::string::npos);
}

TEST(AnsibleInventory, RefusesAHostThatWouldBeAnOption) {
  EXPECT_NE(refusal(R"({"_meta": {"hostvars": {"a": {"ansible_host": "-oProxyCommand=x",
              "drydock": {"dir": "/srv"}}}}})")
                .find("its name is none of a host"),
            std::string::npos);
}

TEST(RolloutHost, UrlsAndAliases) {
  for (const char* good : {"prod-1", "prod.example.org", "ssh://prod", "ssh://me@prod:2222",
                           "ssh://[fe80::1]", "ssh://me@[::1]:22"}) {
    EXPECT_EQ(problem_of_host(good), "") << good;
  }
  for (const char* bad :
       {"", "-oProxyCommand=x", "ssh://", "ssh://-x", "ssh://me@-x", "ssh://-me@x", "ssh://@x",
        "ssh://x:0", "ssh://x:65536", "ssh://x:", "ssh://me:secret@x", "http://x", "a b", "a;b",
        "ssh://[zz]", "ssh://[::1", "a/b"}) {
    EXPECT_NE(problem_of_host(bad), "") << bad;
  }
}

}  // namespace
}  // namespace drydock
