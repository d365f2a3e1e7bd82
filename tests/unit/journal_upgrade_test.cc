// A journal of an older schema is brought to the newest, and a newer one is refused.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "error.h"
#include "files.h"
#include "journal_samples.h"

namespace drydock {
namespace {

constexpr std::array<const char*, 2> third = {
    "ALTER TABLE runs ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'",
    "UPDATE runs SET colour = 'blue'"};
constexpr std::array<const char*, 1> fourth = {"CREATE TABLE shapes (name TEXT)"};
constexpr std::array<const char*, 2> broken = {"CREATE TABLE shapes (name TEXT)",
                                               "INSERT INTO nowhere VALUES (1)"};
constexpr std::array<Migration, 4> newer = {
    {{1, journal_schema}, {2, journal_removed_keys}, {3, third}, {4, fourth}}};
constexpr std::array<Migration, 4> failing = {
    {{1, journal_schema}, {2, journal_removed_keys}, {3, third}, {4, broken}}};

class JournalUpgrade : public JournalTest {
 protected:
  std::string copy_ = dir_.path() + "/a folder/journal.v2.db";
  void SetUp() override {
    JournalTest::SetUp();
    Journal journal(path_);
    journal.create_run(some_run(), {some_stage(0, "a")});
    journal.remember(1, 0, {"key", "value"});
  }
  std::string version() { return sqlite(path_, "PRAGMA user_version"); }
};

TEST_F(JournalUpgrade, GoesThroughEveryVersionAndKeepsACopy) {
  {
    Journal journal(path_, newer);
    EXPECT_EQ(journal.notes(1, 0).at(0).value, "value");
    journal.check();
  }
  EXPECT_EQ(version(), "4");
  EXPECT_EQ(sqlite(path_, "SELECT colour FROM runs"), "blue");
  sqlite(path_, "INSERT INTO shapes VALUES ('round')");

  struct stat status {};
  ASSERT_EQ(::stat(copy_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(Journal(copy_).notes(1, 0).at(0).value, "value");

  const std::filesystem::file_time_type made = std::filesystem::last_write_time(path_);
  std::filesystem::remove(copy_);
  Journal(path_, newer);  // nothing to do any more
  EXPECT_FALSE(std::filesystem::exists(copy_));
  EXPECT_EQ(std::filesystem::last_write_time(path_), made);
}

TEST_F(JournalUpgrade, FromTheFirstSchema) {
  constexpr std::array<Migration, 1> first = {{{1, journal_schema}}};
  const std::string other = dir_.path() + "/a folder/other.db";
  {
    Journal journal(other, first);
    RunRecord run = some_run();
    run.key = "one";
    journal.create_run(run, {});
    journal.finish_run(1, RunState::rolled_back, 1, {});
  }
  Journal journal(other);
  EXPECT_FALSE(journal.removed_run_with_key("one"));
  journal.remove_runs({1});
  EXPECT_EQ(journal.removed_run_with_key("one")->state, "rolled_back");
  EXPECT_TRUE(std::filesystem::exists(dir_.path() + "/a folder/other.v1.db"));
}

TEST_F(JournalUpgrade, ANewJournalHasTheNewestSchemaAndNoCopy) {
  const std::string other = dir_.path() + "/a folder/other.db";
  { Journal journal(other, newer); }
  EXPECT_EQ(sqlite(other, "PRAGMA user_version"), "4");
  EXPECT_FALSE(std::filesystem::exists(dir_.path() + "/a folder/other.v2.db"));
}

TEST_F(JournalUpgrade, AFailureInTheMiddleChangesNothing) {
  EXPECT_THROW(Journal(path_, failing), Error);
  EXPECT_EQ(version(), "2");
  EXPECT_EQ(sqlite(path_, "SELECT count(*) FROM sqlite_schema WHERE name = 'shapes'"), "0");
  EXPECT_EQ(sqlite(path_, "SELECT count(*) FROM pragma_table_info('runs') WHERE name = 'colour'"),
            "0");
  EXPECT_EQ(Journal(path_).notes(1, 0).at(0).value, "value");
  Journal(path_, newer);
  EXPECT_EQ(version(), "4");
}

TEST_F(JournalUpgrade, WithoutACopyNothingIsUpgraded) {
  std::filesystem::create_directories(copy_ + "/something");
  EXPECT_THROW(Journal(path_, newer), Error);
  EXPECT_EQ(version(), "2");
}

TEST_F(JournalUpgrade, WaitsForTheRunOfTheOlderDrydock) {
  const std::optional<DeploymentLock> lock(std::in_place, StateDir(dir_.path() + "/a folder"));
  try {
    Journal journal(path_, newer);
    FAIL() << "upgraded while a run goes on";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ExitCode::busy) << e.what();
    EXPECT_NE(std::string(e.what()).find("older schema"), std::string::npos) << e.what();
  }
  EXPECT_EQ(version(), "2");
}

TEST_F(JournalUpgrade, ANewerSchemaIsRefusedAndLeftAlone) {
  { Journal journal(path_, newer); }
  const std::string before = read_file(path_, 1u << 20);
  try {
    Journal journal(path_);
    FAIL() << "a newer schema was accepted";
  } catch (const JournalDamaged& e) {
    FAIL() << e.what();
  } catch (const Error& e) {
    const std::string said = e.what();
    EXPECT_NE(said.find("version 4"), std::string::npos) << said;
    EXPECT_NE(said.find("knows 2"), std::string::npos) << said;
    EXPECT_EQ(e.code(), ExitCode::refused);
  }
  EXPECT_EQ(read_file(path_, 1u << 20), before);
}

TEST_F(JournalUpgrade, WhatAKilledUpgradeOrCreationLeftIsInNobodysWay) {
  write_file_atomically(copy_ + ".new", "half a copy");
  Journal(path_, newer);
  EXPECT_EQ(version(), "4");
  EXPECT_FALSE(std::filesystem::exists(copy_ + ".new"));

  std::filesystem::remove(path_);
  write_file_atomically(path_ + ".new", "half a journal");
  EXPECT_FALSE(Journal(path_).last_run());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

}  // namespace
}  // namespace drydock
