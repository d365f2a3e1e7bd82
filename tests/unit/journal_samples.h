// A run, a stage, and a folder with a journal, for tests.
#pragma once

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>

#include "journal.h"
#include "state_dir.h"
#include "temporary_dir.h"
#include "utc_time.h"

namespace drydock {

inline RunRecord some_run() {
  RunRecord run;
  run.pipeline = "sample";
  run.pipeline_file = "drydock.yaml";
  run.started = utc_now();
  run.vars = {{"to", "2"}};
  run.secret_sources = nlohmann::json::object();
  run.deployment = {{"dir", "/srv/app"}};
  return run;
}

inline StageRecord some_stage(int position, const std::string& key) {
  StageRecord stage;
  stage.position = position;
  stage.key = key;
  stage.uses = "exec";
  stage.options = {{"command", {"/bin/true"}}};
  stage.secret_texts = nlohmann::json::object();
  stage.steps = {Step::run, Step::rollback};
  stage.memory_limit = 64 << 20;
  return stage;
}

class JournalTest : public ::testing::Test {
 protected:
  TemporaryDir dir_;
  std::string path_ = dir_.path() + "/a folder/journal.db";
  void SetUp() override { make_private_dir(dir_.path() + "/a folder"); }
};

// One statement on a file, past the journal: to look at it, or to damage it. Its last value.
inline std::string sqlite(const std::string& path, const std::string& statement) {
  ::sqlite3* db = nullptr;
  std::string value;
  EXPECT_EQ(::sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  const auto take = [](void* to, int count, char** values, char**) {
    if (count > 0 && values[0] != nullptr) *static_cast<std::string*>(to) = values[0];
    return 0;
  };
  EXPECT_EQ(::sqlite3_exec(db, statement.c_str(), take, &value, nullptr), SQLITE_OK)
      << statement << ": " << ::sqlite3_errmsg(db);
  ::sqlite3_close(db);
  return value;
}

}  // namespace drydock
