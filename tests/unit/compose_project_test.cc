// What counts as a deployment's `.env`, and as its Compose model.
#include "compose_project.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "error.h"
#include "files.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

class DotEnv : public ::testing::Test {
 protected:
  TemporaryDir dir_;
  std::string file_ = dir_.path() + "/.env";
  std::string refusal() const {
    try {
      evaluate_dot_env(file_);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(DotEnv, AFileOrALinkToOneIsRead) {
  write_file_atomically(dir_.path() + "/real.env", "A=1\n");
  fs::create_symlink("real.env", file_);
  EXPECT_TRUE(has_dot_env(file_));
  EXPECT_EQ(evaluate_dot_env(file_).at("A"), "1");
}

TEST_F(DotEnv, WhatComposeTakesForNoneIsNone) {
  EXPECT_TRUE(evaluate_dot_env(file_).empty());
  fs::create_symlink("no/where", file_);
  EXPECT_FALSE(has_dot_env(file_));
  EXPECT_TRUE(evaluate_dot_env(file_).empty());
  fs::remove(file_);
  fs::create_directory(file_);
  EXPECT_FALSE(has_dot_env(file_));
  EXPECT_TRUE(evaluate_dot_env(file_).empty());
}

TEST_F(DotEnv, WhatCannotBeReadIsNamed) {
  ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
  EXPECT_NE(refusal().find(file_ + " is no regular file"), std::string::npos) << refusal();
  fs::remove(file_);
  fs::create_symlink(".env", file_);
  EXPECT_NE(refusal().find(file_ + " cannot be read"), std::string::npos) << refusal();
}

// A `docker` of our own that answers as Compose does where it interpolates.
TEST(ComposeModel, HasNothingOfTheShellThatStagesDoNotSee) {
  const TemporaryDir dir;
  const std::string docker = dir.path() + "/docker", model = dir.path() + "/model.json";
  write_file_atomically(docker, "#!/bin/sh\necho \"{\\\"tag\\\": \\\"${TAG:-of .env}\\\"}\"\n");
  ASSERT_EQ(::chmod(docker.c_str(), 0700), 0);
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", (dir.path() + ":" + path).c_str(), 1);
  ::setenv("TAG", "of the shell", 1);
  EXPECT_EQ(resolve_compose_model({}, dir.path(), model), std::nullopt);
  ::unsetenv("TAG");
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(read_file(model, 1000), "{\"tag\": \"of .env\"}\n");
}

}  // namespace
}  // namespace drydock
