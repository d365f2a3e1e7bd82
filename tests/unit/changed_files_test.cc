// What one stage of a run leaves for the later ones: which files it changed.
#include "changed_files.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace drydock::files {
namespace {

struct RunFolder {
  RunFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drydock-run-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
    std::filesystem::create_directory(path + "/source");
    std::filesystem::create_directory(path + "/up");
  }
  ~RunFolder() { std::filesystem::remove_all(path); }
  std::string path;
};

TEST(ChangedFiles, ReachTheLaterStagesOfTheSameRunAlone) {
  const RunFolder run;
  EXPECT_TRUE(changed_by_run(run.path + "/up", 7).empty());
  leave_changed(run.path + "/source", 7, {"/srv/a", "/srv/b\nc"});
  leave_changed(run.path + "/source", 7, {"/srv/d", "/srv/a"});
  EXPECT_EQ(changed_by_run(run.path + "/up", 7),
            (std::set<std::string>{"/srv/a", "/srv/b\nc", "/srv/d"}));
  EXPECT_TRUE(changed_by_run(run.path + "/up", 8).empty());
}

TEST(ChangedFiles, AStageTakesItsOwnBackAlone) {
  const RunFolder run;
  leave_changed(run.path + "/source", 7, {"/srv/a", "/srv/b"});
  leave_changed(run.path + "/up", 7, {"/srv/b", "/srv/c"});
  EXPECT_EQ(changed_by_run(run.path + "/up", 7),
            (std::set<std::string>{"/srv/a", "/srv/b", "/srv/c"}));
  take_back_changed(run.path + "/source", 7);
  take_back_changed(run.path + "/source", 7);
  EXPECT_EQ(changed_by_run(run.path + "/up", 7), (std::set<std::string>{"/srv/b", "/srv/c"}));
}

TEST(ChangedFiles, AFolderIsTouchedByWhatIsBelowIt) {
  EXPECT_TRUE(rc::check("as a look at each of them says", [] {
    const auto path = rc::gen::map(rc::gen::nonEmpty(rc::gen::container<std::vector<std::string>>(
                                       rc::gen::element<std::string>("a", "b", "a.b", "a-"))),
                                   [](const std::vector<std::string>& parts) {
                                     std::string result;
                                     for (const std::string& part : parts) result += "/" + part;
                                     return result;
                                   });
    const auto changed = *rc::gen::container<std::set<std::string>>(path);
    const std::string asked = *path;
    const bool expected = std::any_of(changed.begin(), changed.end(), [&](const std::string& one) {
      return one == asked || one.compare(0, asked.size() + 1, asked + "/") == 0;
    });
    RC_ASSERT(touches(changed, asked) == expected);
  }));
}

}  // namespace
}  // namespace drydock::files
