// What an upgrade of a checkout does with each file: decided, for all combinations; and on
// checkouts that chance has made, there and back.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <random>

#include "git.h"
#include "git_changes.h"
#include "source_git_world.h"

namespace drydock::source {
namespace {

namespace fs = std::filesystem;
using Do = Decision::Do;

Decision decide_one_of(char status, const std::string& old_mode, const std::string& new_mode,
                       bool local, Kind stands) {
  static std::vector<UpstreamChange> changes;
  changes = {{"a", status, old_mode, new_mode, "1", "2"}};
  const std::set<std::string> edited = local ? std::set<std::string>{"a"} : std::set<std::string>{};
  return decide(changes, edited, [&](const std::string&) { return stands; }, {}).at(0);
}

TEST(SourceChanges, DecideWhatEachSideDid) {
  const std::string file = "100644", program = "100755", link = "120000", none = "000000";
  EXPECT_EQ(decide_one_of('M', file, program, false, Kind::file).what, Do::take);
  EXPECT_EQ(decide_one_of('M', file, file, true, Kind::file).what, Do::merge);
  EXPECT_EQ(decide_one_of('M', file, file, true, Kind::link).what, Do::compare);
  EXPECT_EQ(decide_one_of('M', file, file, true, Kind::gone).what, Do::conflict);
  EXPECT_EQ(decide_one_of('D', file, none, false, Kind::file).what, Do::remove);
  EXPECT_EQ(decide_one_of('D', file, none, true, Kind::file).what, Do::conflict);
  EXPECT_EQ(decide_one_of('D', file, none, true, Kind::gone).what, Do::keep);
  EXPECT_EQ(decide_one_of('A', none, file, false, Kind::gone).what, Do::take);
  EXPECT_EQ(decide_one_of('A', none, file, false, Kind::file).what, Do::compare);
  EXPECT_EQ(decide_one_of('A', none, file, false, Kind::folder).what, Do::conflict);
  EXPECT_EQ(decide_one_of('T', file, link, false, Kind::file).what, Do::replace);
  EXPECT_EQ(decide_one_of('T', file, link, true, Kind::file).what, Do::compare);
  EXPECT_EQ(decide_one_of('M', "160000", "160000", false, Kind::folder).what, Do::conflict);
}

RC_GTEST_PROP(SourceChanges, NeverTouchWhatTheOperatorChangedWithoutLooking, ()) {
  const auto path = rc::gen::element<std::string>("a", "b", "c/d", "c/e", "f");
  const auto drawn = *rc::gen::container<std::vector<std::string>>(path);
  const std::set<std::string> paths(drawn.begin(), drawn.end());
  const auto edited = *rc::gen::container<std::vector<std::string>>(path);
  const std::set<std::string> local(edited.begin(), edited.end());
  std::vector<UpstreamChange> changes;
  std::map<std::string, Kind> standing;
  for (const std::string& each : paths) {
    const char status = *rc::gen::element('A', 'M', 'D', 'T');
    const auto mode = rc::gen::element<std::string>("100644", "100755", "120000");
    changes.push_back({each, status, *mode, *mode, "1", "2"});
    standing[each] = *rc::gen::element(Kind::file, Kind::link, Kind::folder, Kind::gone);
  }
  const auto decisions =
      decide(changes, local, [&](const std::string& each) { return standing[each]; }, {});
  RC_ASSERT(decisions.size() == changes.size());
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    RC_ASSERT(decisions[i].change->path == changes[i].path);
    const bool blindly = decisions[i].what == Do::take || decisions[i].what == Do::remove ||
                         decisions[i].what == Do::replace;
    if (local.count(changes[i].path) != 0 && standing[changes[i].path] != Kind::gone) {
      RC_ASSERT(!blindly);
    }
    if (decisions[i].what == Do::conflict) RC_ASSERT(!decisions[i].why.empty());
  }
}

// A tree that chance has made, of few names, so that files, folders and links change places.
class Chance {
 public:
  explicit Chance(unsigned seed) : random_(seed) {}
  unsigned below(unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(random_);
  }
  std::string text() {
    std::string lines;
    for (int line = 0; line < 6; ++line) lines += "line " + std::to_string(below(3)) + "\n";
    return lines;
  }
  void change(const std::string& root, unsigned times) {
    static const std::vector<std::string> names = {"a",   "b",     "c",   "a/d",
                                                   "a/e", "b/d/f", "c/d", "g h"};
    for (unsigned i = 0; i < times; ++i) {
      const fs::path path = fs::path(root) / names[below(static_cast<unsigned>(names.size()))];
      std::error_code error;
      for (fs::path above = path.parent_path(); above != root; above = above.parent_path()) {
        if (fs::exists(fs::symlink_status(above)) && !fs::is_directory(fs::symlink_status(above))) {
          fs::remove(above);
        }
      }
      fs::remove_all(path, error);
      const unsigned what = below(6);
      if (what == 0) continue;
      if (what == 5 && below(2) == 0) {  // a link to a folder of the tree itself
        fs::create_directories(path.parent_path());
        fs::create_directory_symlink("real", path);
        continue;
      }
      fs::create_directories(path.parent_path());
      if (what == 1) {
        fs::create_symlink(below(2) == 0 ? "nowhere" : "/tmp", path);
      } else {
        GitWorld::write(path.string(), text(), what == 2 ? 0755 : 0644);
      }
    }
  }

 private:
  std::mt19937 random_;
};

class SourceChance : public ::testing::TestWithParam<unsigned> {};

TEST_P(SourceChance, ComesBackToEveryByteAndNeverHalfWay) {
  Chance chance(GetParam());
  GitWorld world;
  GitWorld::write(world.upstream + "/docker/real/d", "behind a link\n");
  GitWorld::write(world.upstream + "/real/e", "behind a link\n");
  chance.change(world.upstream, 12);
  chance.change(world.upstream + "/docker", 12);
  world.release("1.0");
  const std::string clone = world.dir + "/clone";
  world.git(world.dir, {"clone", "--quiet", "file://" + world.upstream, clone});
  chance.change(world.upstream, 10);
  chance.change(world.upstream + "/docker", 10);
  world.release("2.0");
  const bool edited = GetParam() % 2 == 1;
  if (edited) chance.change(clone + "/docker", 3);

  testing::FakeHost host;
  fs::create_directories(clone + "/docker");
  host.deployment(clone + "/docker");
  host.option("/git", testing::Option::object());
  host.option("/git/ref", "2.0");
  host.may_fetch = true;
  host.run_real_processes();
  const auto before = world.picture(clone);
  const auto planned = host.perform<Source>("plan");
  ASSERT_TRUE(is_same(world.picture(clone), before));
  const auto done = host.perform<Source>("run");
  ASSERT_EQ(planned.ok(), done.ok()) << planned.failure << "\n" << done.failure;
  ASSERT_TRUE(edited || done.ok()) << done.failure;
  if (!done.ok()) {
    EXPECT_TRUE(is_same(world.picture(clone), before)) << done.failure;
  } else {
    const auto verified = host.perform<Source>("verify");
    EXPECT_TRUE(verified.ok()) << verified.failure;
    EXPECT_EQ(world.git(clone, {"rev-parse", "HEAD"}),
              world.git(world.upstream, {"rev-parse", "2.0"}));
    const std::string status = world.git(clone, {"status", "--porcelain"});
    EXPECT_TRUE(edited || status.empty()) << status;
  }
  const auto back = host.perform<Source>("rollback");
  ASSERT_TRUE(back.ok()) << back.failure;
  EXPECT_TRUE(is_same(world.picture(clone), before));
}

// Among them those that have found something.
INSTANTIATE_TEST_SUITE_P(Seeds, SourceChance,
                         ::testing::Values(0U, 1U, 3U, 5U, 10U, 12U, 14U, 28U, 34U, 46U, 70U, 76U));

TEST(SourceChanges, AreReadAsGitPrintsThem) {
  EXPECT_EQ(unquoted("plain/path name"), "plain/path name");
  EXPECT_EQ(unquoted("\"a \\\"b\\\"\\tc \\303\\244\\\\\""), "a \"b\"\tc \xc3\xa4\\");
}

}  // namespace
}  // namespace drydock::source
