#include "prune.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "error.h"
#include "files.h"
#include "journal_samples.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using Numbers = std::vector<std::uint64_t>;
constexpr auto done = RunState::done, back = RunState::rolled_back, stopped = RunState::stopped;
const std::int64_t now = utc_milliseconds("2026-11-24T12:00:00.000Z");

// Runs 1, 2, ... in these states; run N ended on the Nth of November. Newest first.
std::vector<RunRecord> runs(const std::vector<RunState>& states) {
  std::vector<RunRecord> result;
  for (std::size_t i = 0; i < states.size(); ++i) {
    RunRecord run = some_run();
    run.id = i + 1;
    run.state = states[i];
    run.finished = "2026-11-0" + std::to_string(i + 1) + "T12:00:00.000Z";
    result.insert(result.begin(), run);
  }
  return result;
}

Numbers ids(const std::vector<RunRecord>& runs) {
  Numbers result;
  for (const RunRecord& run : runs) result.push_back(run.id);
  return result;
}

Numbers goes(const std::vector<RunState>& states, std::uint64_t keep) {
  return ids(prunable_runs(runs(states), {keep, std::nullopt}, now));
}

TEST(Prune, TheNewestStay) {
  EXPECT_EQ(goes({done, done, done, done}, 3), (Numbers{1}));
  EXPECT_EQ(goes({done, done, done, done}, 4), Numbers());
  EXPECT_EQ(goes({done, done, done, done}, 9), Numbers());
  EXPECT_EQ(goes({}, 0), Numbers());
}

// A rehearsal every night must not push out the upgrades that can be looked at, nor stay for ever.
TEST(Prune, RehearsalsCountForNoneButEachOther) {
  constexpr auto rehearsed = RunState::rehearsed;
  EXPECT_EQ(goes({done, done, rehearsed, rehearsed, rehearsed}, 2), (Numbers{3}));
  EXPECT_EQ(goes({done, rehearsed, done, done, rehearsed}, 2), (Numbers{1}));
  EXPECT_EQ(goes({done, rehearsed, rehearsed}, 0), (Numbers{2, 3}));
}

TEST(Prune, TheLastRunThatCanBeUndoneStays) {
  EXPECT_EQ(goes({done, done}, 0), (Numbers{1}));
  EXPECT_EQ(goes({done, done, back, RunState::cancelled}, 0), (Numbers{1, 3, 4}));
  EXPECT_EQ(goes({back, back}, 0), (Numbers{1, 2}));
}

TEST(Prune, WhatWaitsOrWasLeftHalfDoneStays) {
  for (const RunState state :
       {RunState::running, RunState::rolling_back, stopped, RunState::needs_person}) {
    EXPECT_EQ(goes({done, state}, 0), (Numbers{1}));
    EXPECT_EQ(goes({done, state, back}, 0), (Numbers{1, 3}));
  }
  EXPECT_EQ(goes({RunState::rolling_back, done}, 0), Numbers()) << "a run that waits goes nowhere";
}

// Its backup may be the only good one. And without it an older run would look as if it could be
// undone.
TEST(Prune, OneThatWasLeftHalfDoneStaysAndSoDoWhatCameAfter) {
  EXPECT_EQ(goes({done, stopped, done, done}, 1), (Numbers{1}));
}

// Run 3 restored by hand what run 1 had kept: to be resumed, and to drop again what was not there
// before, it reads that backup.
TEST(Prune, WhatARunRestoredFromStays) {
  const auto with = [](const std::vector<RunState>& states, std::uint64_t keep) {
    return ids(prunable_runs(runs(states), {keep, std::nullopt}, now, {{3, {1}}}));
  };
  EXPECT_EQ(with({done, done, done}, 0), Numbers()) << "nor does one between the two go";
  EXPECT_EQ(with({done, done, RunState::running}, 0), Numbers());
  EXPECT_EQ(with({back, done, done}, 0), (Numbers{2}));
  EXPECT_EQ(with({done, done, back}, 1), (Numbers{1}));
  EXPECT_EQ(with({done, done, done, done}, 0), (Numbers{1, 2, 3}));
}

TEST(Prune, OnlyWhatEndedLongAgo) {
  const std::vector<RunRecord> four = runs({done, done, done, done});
  const auto older = [](int days) { return std::chrono::hours(24 * days); };
  EXPECT_EQ(ids(prunable_runs(four, {0, older(21)}, now)), (Numbers{1, 2}));
  EXPECT_EQ(ids(prunable_runs(four, {3, older(21)}, now)), (Numbers{1}));
  EXPECT_EQ(ids(prunable_runs(four, {0, older(30)}, now)), Numbers());
}

// Else run 1 would look as if it could be undone once run 3 was.
TEST(Prune, NoRunGoesFromBetweenTwoThatCanBeUndone) {
  std::vector<RunRecord> three = runs({RunState::needs_person, done, done});
  EXPECT_EQ(ids(prunable_runs(three, {0, std::chrono::hours(24)}, now)), Numbers());
  three.back().state = back;
  EXPECT_EQ(ids(prunable_runs(three, {0, std::chrono::hours(24)}, now)), (Numbers{1, 2}));
}

TEST(Prune, NoRunIsOlderThanOneBeforeItWhateverTheClockSaid) {
  std::vector<RunRecord> four = runs({done, done, done, done});
  four[3].finished = "2026-11-24T11:59:59.000Z";  // the clock went back after run 1
  EXPECT_EQ(ids(prunable_runs(four, {0, std::chrono::hours(24)}, now)), Numbers());
  four[3].finished = "2036-11-01T12:00:00.000Z";  // it was ahead, for run 1 alone
  four[3].state = back;
  EXPECT_EQ(ids(prunable_runs(four, {0, std::chrono::hours(24)}, now)), (Numbers{2, 3}));
}

TEST(Prune, SnapshotsStayThatTheNextRunNeedsNowOrAfterARollback) {
  const std::vector<RunRecord> all = runs({done, done, done, done});
  const auto kept = [&](std::ptrdiff_t count) {
    return std::vector<RunRecord>(all.begin(), all.begin() + count);
  };
  EXPECT_EQ(prunable_snapshots({0, 1, 2, 3, 4}, kept(1)), (Numbers{0, 1, 2}));
  EXPECT_EQ(prunable_snapshots({0, 1, 2, 3, 4}, kept(2)), (Numbers{0, 1}));
  EXPECT_EQ(prunable_snapshots({0, 1}, kept(1)), (Numbers{0}));
  EXPECT_EQ(prunable_snapshots({0}, {}), Numbers());
  EXPECT_EQ(prunable_snapshots({}, {}), Numbers());
}

// Of these runs something was set aside.
std::vector<SetAside> aside(const Numbers& runs) {
  std::vector<SetAside> result;
  for (const std::uint64_t run : runs) {
    SetAside one;
    one.run = run;
    one.database = "app_failed_" + std::to_string(run);
    result.push_back(one);
  }
  return result;
}

Numbers of(const std::vector<SetAside>& all) {
  Numbers result;
  for (const SetAside& one : all) result.push_back(one.run);
  return result;
}

TEST(PruneSetAside, GoesByTheNumberOfRunsThatHaveAny) {
  const auto goes = [](const std::vector<RunState>& states, const Numbers& with, PruneRule rule) {
    return of(prunable_set_aside(aside(with), runs(states), rule, now));
  };
  EXPECT_EQ(goes({back, done, back, done}, {1, 1, 3}, {0, std::nullopt}), (Numbers{1, 1, 3}));
  EXPECT_EQ(goes({back, done, back, done}, {1, 1, 3}, {1, std::nullopt}), (Numbers{1, 1}));
  EXPECT_EQ(goes({back, done, back, done}, {1, 3}, {2, std::nullopt}), Numbers());
  EXPECT_EQ(goes({back, back}, {1, 2}, {0, std::chrono::hours(24 * 22)}), (Numbers{1}));
  EXPECT_EQ(goes({back}, {1, 7}, {0, std::nullopt}), (Numbers{1})) << "of no run that is known";
}

TEST(PruneSetAside, StaysWhileItsRunWaits) {
  for (const RunState state :
       {RunState::running, RunState::rolling_back, stopped, RunState::needs_person}) {
    EXPECT_TRUE(prunable_set_aside(aside({1}), runs({state}), {}, now).empty());
  }
}

class PruneTest : public JournalTest {
 protected:
  StateDir state_{dir_.path() + "/a folder"};
  PruneRule rule_{1, std::nullopt};
  void keep(const std::string& folder) {
    make_private_dir(folder);
    write_file_atomically(folder + "/file", "12345");
  }
  void three_runs(Journal& journal) {
    keep(state_.snapshots() + "/0");
    for (int i = 1; i <= 3; ++i) {
      const std::uint64_t run = journal.create_run(some_run(), {some_stage(0, "a")});
      journal.begin_step(run, 0, Step::run, 1, {1, 2, "boot"});
      journal.remember(run, 0, {"key", "value"});
      journal.save_facts(run, 0, Moment::before, {{"file", "hash", true, false}});
      journal.end_step(run, 0, StageState::done, "", {{"o", "v", false, false, false}},
                       {{"a", "p", "d"}});
      journal.finish_run(run, done, 0, {});
      keep(state_.backups(run, "a"));
      keep(state_.logs(run));
      keep(state_.snapshots() + "/" + std::to_string(run));
    }
  }
  static Numbers numbers_in(const std::string& folder) {
    Numbers result;
    for (const auto& entry : fs::directory_iterator(folder)) {
      result.push_back(std::stoull(entry.path().filename().string()));
    }
    std::sort(result.begin(), result.end());
    return result;
  }
};

TEST_F(PruneTest, NothingOfARemovedRunIsLeft) {
  Journal journal(path_);
  three_runs(journal);
  const Pruning pruning = plan_pruning(journal, state_, rule_, now);
  EXPECT_EQ(ids(pruning.kept), (Numbers{3}));
  EXPECT_EQ(pruning.snapshots, (Numbers{0, 1}));
  EXPECT_EQ(pruning.bytes, 2 * 10 + 2 * 5);
  EXPECT_EQ(numbers_in(state_.path() + "/logs"), (Numbers{1, 2, 3})) << "a plan removed something";

  carry_out(pruning, journal, state_);
  for (const char* folder : {"/logs", "/backups"}) {
    EXPECT_EQ(numbers_in(state_.path() + folder), (Numbers{3})) << folder;
  }
  EXPECT_EQ(numbers_in(state_.snapshots()), (Numbers{2, 3}));
  EXPECT_EQ(ids(journal.runs()), (Numbers{3}));
  for (const char* table : {"stages", "notes", "facts", "outputs", "artifacts"}) {
    EXPECT_EQ(sqlite(path_, std::string("SELECT group_concat(run) FROM ") + table), "3") << table;
  }
  EXPECT_EQ(journal.notes(3, 0).at(0).value, "value");
  EXPECT_TRUE(plan_pruning(journal, state_, rule_, now).empty());
  EXPECT_EQ(journal.create_run(some_run(), {}), 4u);
}

// A database on a server, of which nothing would know any more. Files go with their folder.
TEST_F(PruneTest, NamesTheDatabasesThatRunsHaveSetAside) {
  Journal journal(path_);
  three_runs(journal);
  const auto note = [&](std::uint64_t run, const std::string& text) {
    const std::string folder = state_.backups(run, "a") + "/set-aside";
    make_private_dir(folder);
    write_file_atomically(folder + "/one.json",
                          R"({"drydock_set_aside": 1, "kind": "postgresql", "name": "app",
      "from": "service db", "taken": "2026-11-01T12:00:00Z", "bytes": null, )" +
                              text + "}");
  };
  note(1, R"("database": "app_failed_1", "file": null)");
  note(2, R"("database": null, "file": "file")");
  note(3, R"("database": "app_failed_3", "file": null)");
  EXPECT_EQ(of(plan_pruning(journal, state_, rule_, now).set_aside), (Numbers{1}));
  const Pruning alone = plan_pruning_of_set_aside(journal, state_, {}, now);
  EXPECT_EQ(of(alone.set_aside), (Numbers{1, 2, 3}));
  EXPECT_EQ(alone.bytes, 5);
  EXPECT_TRUE(alone.runs.empty());
  for (const char* elsewhere : {"..", ".", "../a", "/etc", "x/../.."}) {
    note(2, R"("database": null, "file": ")" + std::string(elsewhere) + "\"");
    const auto found = set_aside(state_, 2, "");
    ASSERT_EQ(found.size(), 1u) << elsewhere;
    EXPECT_FALSE(found[0].unreadable.empty()) << elsewhere;
    EXPECT_TRUE(found[0].file.empty()) << elsewhere;
  }
  note(2, R"("database": null, "file": "gone")");
  EXPECT_TRUE(set_aside(state_, 2, "").empty());
}

// Those of runs that stay are what `resume` reads.
TEST_F(PruneTest, PipelinesThatWereSentGoWithTheRunsThatUsedThem) {
  Journal journal(path_);
  const auto used = [&](const std::string& name) {
    keep(state_.pipelines() + "/" + name);
    RunRecord run = some_run();
    run.pipeline_file = state_.pipelines() + "/" + name + "/file";
    journal.finish_run(journal.create_run(run, {}), done, 0, {});
  };
  used("old");
  used("both");
  used("both");
  used("new");
  keep(state_.pipelines() + "/of-a-plan-that-was-refused");
  const auto left = [&] {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(state_.pipelines())) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  };
  rule_.keep = 2;
  const Pruning pruning = plan_pruning(journal, state_, rule_, now);
  EXPECT_EQ(pruning.bytes, 2 * 5);
  EXPECT_EQ(left().size(), 4u) << "a plan removed something";
  carry_out(pruning, journal, state_);
  EXPECT_EQ(ids(journal.runs()), (Numbers{4, 3}));
  EXPECT_EQ(left(), (std::vector<std::string>{"both", "new"}));
  EXPECT_TRUE(plan_pruning(journal, state_, rule_, now).empty());
}

TEST_F(PruneTest, AKeyStaysTaken) {
  Journal journal(path_);
  for (const char* key : {"one", "", "", "two"}) {
    RunRecord run = some_run();
    run.key = key;
    journal.finish_run(journal.create_run(run, {}), done, 0, {});
  }
  carry_out(plan_pruning(journal, state_, rule_, now), journal, state_);
  EXPECT_EQ(ids(journal.runs()), (Numbers{4}));
  EXPECT_FALSE(journal.run_with_key("one"));
  const auto removed = journal.removed_run_with_key("one");
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->id, 1u);
  EXPECT_EQ(removed->state, "done");
  EXPECT_FALSE(journal.removed_run_with_key("two"));
  EXPECT_FALSE(journal.removed_run_with_key(""));
}

// After the rows, before the files.
TEST_F(PruneTest, TheBackupThatTheLastRunRestoredStays) {
  Journal journal(path_);
  three_runs(journal);
  StageRecord restoring = some_stage(0, "restore");
  restoring.uses = "restore";
  restoring.options = {{"from", state_.backups(2, "a")}};
  const std::uint64_t run = journal.create_run(some_run(), {restoring});
  journal.finish_run(run, done, 0, {});
  carry_out(plan_pruning(journal, state_, rule_, now), journal, state_);
  EXPECT_EQ(ids(journal.runs()), (Numbers{4, 3, 2}));
  EXPECT_TRUE(fs::exists(state_.backups(2, "a") + "/file"));
}

TEST_F(PruneTest, AKilledRemovalIsFinishedByTheNext) {
  Journal journal(path_);
  three_runs(journal);
  journal.remove_runs({1, 2});
  EXPECT_EQ(ids(journal.runs()), (Numbers{3}));
  fs::remove_all(state_.logs(1));

  const Pruning pruning = plan_pruning(journal, state_, rule_, now);
  EXPECT_EQ(pruning.runs.size(), 2u);
  carry_out(pruning, journal, state_);
  EXPECT_EQ(numbers_in(state_.path() + "/logs"), (Numbers{3}));
  EXPECT_EQ(numbers_in(state_.path() + "/backups"), (Numbers{3}));
  EXPECT_TRUE(plan_pruning(journal, state_, rule_, now).empty());
}

}  // namespace
}  // namespace drydock
