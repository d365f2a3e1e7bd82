#include "journal.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "error.h"
#include "journal_samples.h"

namespace drydock {
namespace {

TEST_F(JournalTest, KeepsARunForTheNextProcess) {
  {
    Journal journal(path_);
    const std::uint64_t id =
        journal.create_run(some_run(), {some_stage(0, "a"), some_stage(1, "b")});
    EXPECT_EQ(id, 1u);
    journal.begin_step(id, 1, Step::run, 2, {123, 456, "boot"});
    journal.set_memory_limit(id, 1, 1 << 30);
    journal.remember(id, 1, {"key", "value"});
    journal.save_facts(id, 1, Moment::before, {{"file", "hash", true, false}});
  }
  Journal journal(path_);
  const std::optional<RunRecord> run = journal.unfinished_run();
  ASSERT_TRUE(run);
  EXPECT_EQ(run->vars["to"], "2");
  EXPECT_EQ(run->state, RunState::running);
  const std::vector<StageRecord> stages = journal.stages(1);
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].state, StageState::pending);
  EXPECT_EQ(stages[0].memory_limit, 64 << 20);
  EXPECT_EQ(stages[1].memory_limit, 1 << 30);
  EXPECT_EQ(stages[1].state, StageState::started);
  EXPECT_EQ(stages[1].step, "run");
  EXPECT_EQ(stages[1].attempt, 2u);
  EXPECT_EQ(stages[1].steps, (std::vector<Step>{Step::run, Step::rollback}));
  ASSERT_EQ(journal.workers(1).size(), 1u);
  EXPECT_EQ(journal.workers(1)[0].group, 123);
  EXPECT_EQ(journal.workers(1)[0].start_time, 456u);
  ASSERT_EQ(journal.facts(1, 1, Moment::before).size(), 1u);
  EXPECT_TRUE(journal.facts(1, 1, Moment::before)[0].must_return);
  EXPECT_TRUE(journal.facts(1, 1, Moment::after_rollback).empty());
}

// Two connections of one process, one of them closed, and then a connection of another process.
TEST_F(JournalTest, NothingIsLostWhenOthersOpenAndCloseIt) {
  std::array<int, 2> go{}, done{};
  ASSERT_EQ(::pipe(go.data()) | ::pipe(done.data()), 0);
  const pid_t other = ::fork();
  if (other == 0) {
    // Forked before this process has a connection, which SQLite would take for its own.
    char byte = 0;
    if (::read(go[0], &byte, 1) == 1) Journal opened(path_);
    if (::write(done[1], "x", 1) != 1) ::_exit(1);
    const bool told = ::read(go[0], &byte, 1) == 1;
    ::_exit(told && Journal(path_).last_run().has_value() ? 0 : 1);
  }
  char byte = 0;
  Journal journal(path_);
  { const Journal second(path_); }
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  ASSERT_EQ(::read(done[0], &byte, 1), 1);
  journal.create_run(some_run(), {some_stage(0, "a")});
  ASSERT_EQ(::write(go[1], "x", 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(other, &status, 0), other);
  EXPECT_EQ(status, 0) << "what was written is not there for another process";
}

TEST_F(JournalTest, AKeyBelongsToOneRun) {
  Journal journal(path_);
  EXPECT_FALSE(journal.run_with_key("a"));
  RunRecord run = some_run();
  EXPECT_EQ(journal.create_run(run, {}), 1u);
  EXPECT_FALSE(journal.run_with_key(""));
  run.key = "a";
  EXPECT_EQ(journal.create_run(run, {}), 2u);
  ASSERT_TRUE(journal.run_with_key("a"));
  EXPECT_EQ(journal.run_with_key("a")->id, 2u);
  EXPECT_THROW(journal.create_run(run, {}), Error);
  journal.abandon_run(2, 2);
  EXPECT_FALSE(journal.run_with_key("a"));
  EXPECT_EQ(journal.run(2)->exit_code, 2);
  EXPECT_EQ(journal.create_run(run, {}), 3u);
}

TEST_F(JournalTest, NotesAreAnyBytesInTheOrderOfTheirKeys) {
  Journal journal(path_);
  const std::uint64_t id = journal.create_run(some_run(), {some_stage(0, "a")});
  const std::string bytes("\0'\xff\"--\n", 7);
  journal.remember(id, 0, {"second", "1"});
  journal.remember(id, 0, {"first", bytes});
  journal.remember(id, 0, {"second", "2"});
  const std::vector<Note> notes = journal.notes(id, 0);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0].key, "second");
  EXPECT_EQ(notes[0].value, "2");
  EXPECT_EQ(notes[1].value, bytes);
}

TEST_F(JournalTest, SecretOutputsAreNotWritten) {
  Journal journal(path_);
  const std::uint64_t id = journal.create_run(some_run(), {some_stage(0, "a")});
  Output open{"digest", "sha256:1", false, true, false},
      secret{"token", "hunter2", true, false, false};
  journal.end_step(id, 0, StageState::done, "", {open, secret}, {});
  const std::vector<Output> outputs = journal.outputs(id, 0);
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].name, "digest");
  EXPECT_TRUE(outputs[0].promote);
}

TEST_F(JournalTest, AFinishedRunIsNotUnfinished) {
  Journal journal(path_);
  const std::uint64_t id = journal.create_run(some_run(), {});
  journal.finish_run(id, RunState::rolled_back, 1, {{"status", "rolled_back"}});
  EXPECT_FALSE(journal.unfinished_run());
  EXPECT_EQ(journal.last_run()->exit_code, 1);
  EXPECT_EQ(journal.last_run()->closing["status"], "rolled_back");
  EXPECT_FALSE(journal.run(7));
}

TEST_F(JournalTest, TheLastRunThatStandsIsTheNewestThatWasNotPutBack) {
  Journal journal(path_);
  EXPECT_FALSE(journal.last_standing_run());
  for (const RunState state : {RunState::done, RunState::needs_person, RunState::rolled_back,
                               RunState::cancelled, RunState::rehearsed}) {
    journal.finish_run(journal.create_run(some_run(), {}), state, 0, {});
  }
  ASSERT_TRUE(journal.last_standing_run());
  EXPECT_EQ(journal.last_standing_run()->id, 2u);
  const std::uint64_t begun = journal.create_run(some_run(), {});
  EXPECT_EQ(journal.last_standing_run()->id, begun);
}

// Whoever copies the file alone, once nothing runs, has all of it.
TEST_F(JournalTest, IsWholeInOneFileWhenItIsClosed) {
  { Journal(path_).create_run(some_run(), {}); }
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0u);
  const std::string copy = dir_.path() + "/copy.db";
  std::filesystem::copy_file(path_, copy);
  EXPECT_TRUE(Journal(copy).last_run());
}

TEST_F(JournalTest, TheFileIsPrivate) {
  Journal journal(path_);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

}  // namespace
}  // namespace drydock
