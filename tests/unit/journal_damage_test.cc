// However a journal is damaged, one sentence says so and names the way out, and that way works.
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>

#include "error.h"
#include "files.h"
#include "journal_samples.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

void overwrite(const std::string& path, std::streamoff from, std::size_t count) {
  std::mt19937 random(7);
  std::string garbage(count, '\0');
  for (char& c : garbage) c = static_cast<char>(random());
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(from);
  file.write(garbage.data(), static_cast<std::streamsize>(garbage.size()));
}

struct Damage {
  const char* name;
  std::function<void(const std::string&)> apply;
  const char* said;  // of what is wrong
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.name; }

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"Empty", [](const auto& path) { fs::resize_file(path, 0); }, "it is empty"},
      {"Truncated", [](const auto& path) { fs::resize_file(path, fs::file_size(path) / 2); },
       "malformed"},
      {"CutToAFewBytes", [](const auto& path) { fs::resize_file(path, 10); }, "not a database"},
      {"GarbageOverTheHeader", [](const auto& path) { overwrite(path, 0, 100); }, "not a database"},
      {"GarbageOverTheFirstPage", [](const auto& path) { overwrite(path, 100, 3996); },
       "malformed"},
      {"GarbageOverPages",
       [](const auto& path) { overwrite(path, 4096, fs::file_size(path) - 4096); }, ""},
      {"GarbageOverOnePage", [](const auto& path) { overwrite(path, 3 * 4096, 4096); }, ""},
      {"Text", [](const auto& path) { std::ofstream(path) << "this is no journal\n"; },
       "not a database"},
      {"Folder",
       [](const auto& path) {
         fs::remove(path);
         fs::create_directory(path);
       },
       "is a folder"},
      {"Link",
       [](const auto& path) {
         fs::remove(path);
         fs::create_symlink("nowhere", path);
       },
       "no regular file"},
      {"EmptyDatabase",
       [](const auto& path) {
         fs::remove(path);
         std::ofstream(path) << " ";
         fs::resize_file(path, 0);
         sqlite(path, "VACUUM");
         sqlite(path, "CREATE TABLE other (a)");
       },
       "schema version"},
      {"TableMissing", [](const auto& path) { sqlite(path, "DROP TABLE runs"); }, "no such table"},
      {"ColumnMissing", [](const auto& path) { sqlite(path, "ALTER TABLE runs DROP COLUMN vars"); },
       "no such column"},
      {"NoJson", [](const auto& path) { sqlite(path, "UPDATE runs SET vars = '{'"); }, "no JSON"},
      {"UnknownState", [](const auto& path) { sqlite(path, "UPDATE runs SET state = 'x'"); },
       "state 'x'"},
  };
  return all;
}

class JournalDamage : public JournalTest, public ::testing::WithParamInterface<Damage> {
 protected:
  void SetUp() override {
    JournalTest::SetUp();
    Journal journal(path_);
    for (int run = 0; run < 5; ++run) {
      journal.create_run(some_run(), {some_stage(0, "a"), some_stage(1, "b")});
    }
    const StateDir state(fs::path(path_).parent_path().string());
    make_private_dir(state.backups(5, "a"));
    write_file_atomically(state.backups(5, "a") + "/dump", "kept");
  }
  // What the commands do that begin with a look at everything.
  std::string finding() {
    try {
      const Journal journal(path_);
      journal.check();
      journal.runs();
    } catch (const JournalDamaged& e) {
      EXPECT_EQ(e.code(), ExitCode::refused);
      return e.what();
    }
    return "nothing was found";
  }
};

TEST_P(JournalDamage, IsSaidWithTheWayOut) {
  GetParam().apply(path_);
  const std::string said = finding();
  EXPECT_NE(said.find("the journal " + path_), std::string::npos) << said;
  EXPECT_NE(said.find(GetParam().said), std::string::npos) << said;

  const std::string before = "move it aside with: ", after = " (backups stay in ";
  const std::size_t begin = said.find(before);
  ASSERT_NE(begin, std::string::npos) << said;
  const std::string command =
      said.substr(begin + before.size(), said.find(after) - begin - before.size());
  ASSERT_EQ(std::system(command.c_str()), 0) << command;

  Journal journal(path_);
  EXPECT_FALSE(journal.last_run());
  // The next run's files do not get among those that are kept.
  EXPECT_EQ(journal.create_run(some_run(), {}), 6u);
  const std::string folder = fs::path(path_).parent_path().string();
  EXPECT_EQ(read_file(folder + "/backups/5/a/dump", 10), "kept");
}

INSTANTIATE_TEST_SUITE_P(Every, JournalDamage, ::testing::ValuesIn(damages()),
                         [](const auto& damage) { return std::string(damage.param.name); });

// SQLite would take it for a new one and remove the -wal, which may hold all there is.
TEST_F(JournalTest, AnEmptyFileDoesNotCostItsWal) {
  { Journal journal(path_); }
  fs::resize_file(path_, 0);
  write_file_atomically(path_ + "-wal", "what was written last");
  EXPECT_THROW(Journal journal(path_), JournalDamaged);
  EXPECT_EQ(read_file(path_ + "-wal", 100), "what was written last");
}

TEST(JournalFailure, AFileThatCanBeWrittenIsOpenedByItsOwnName) {
  const TemporaryDir dir;
  const std::string path = dir.path() + "/a%20b?#.db";
  EXPECT_EQ(name_to_open(path), path);
  write_file_atomically(path, "");
  EXPECT_EQ(name_to_open(path), path);
}

TEST(JournalFailure, WhatIsNoDamageHasItsOwnRemedy) {
  const auto said = [](int code) -> std::string {
    try {
      throw_failure("/journal.db", "record a note", code,
                    "sqlite3_statement_backend::loadOne: SQLite's words");
    } catch (const JournalDamaged&) {
      return "damaged";
    } catch (const Error& e) {
      return e.what();
    }
  };
  EXPECT_NE(said(SQLITE_FULL).find("free space"), std::string::npos);
  EXPECT_NE(said(SQLITE_BUSY).find("another process"), std::string::npos);
  EXPECT_NE(said(SQLITE_READONLY).find("who owns it"), std::string::npos);
  EXPECT_NE(said(SQLITE_IOERR).find("disk"), std::string::npos);
  EXPECT_NE(said(SQLITE_IOERR).find("(SQLite's words)"), std::string::npos) << said(SQLITE_IOERR);
  EXPECT_EQ(said(SQLITE_CORRUPT), "damaged");
}

}  // namespace
}  // namespace drydock
