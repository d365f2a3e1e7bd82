// The files of a deployment as a run left them.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "deployment.h"
#include "files.h"
#include "state_dir.h"
#include "temporary_dir.h"

namespace drydock {
namespace {

struct Snapshot : ::testing::Test {
  TemporaryDir dir;
  Deployment deployment;
  const std::string first = dir.path() + "/snapshots/1", second = dir.path() + "/snapshots/2";

  Snapshot() {
    deployment.dir = dir.path() + "/app";
    make_private_dir(deployment.dir);
    make_private_dir(dir.path() + "/snapshots");
    write(".env", "A=1\n");
    write(".env.example", "A=1\nB=2\n");
    take_snapshot(deployment, first);
    deployment.snapshot_dir = first;
  }
  void write(const std::string& name, const std::string& text) const {
    write_file_atomically(deployment.dir + "/" + name, text);
  }
  static ino_t inode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_ino;
  }
};

TEST_F(Snapshot, SharesWhatHasNotChangedWithTheOneBefore) {
  write(".env", "A=2\n");
  take_snapshot(deployment, second);
  EXPECT_EQ(inode(second + "/.env.example"), inode(first + "/.env.example"));
  EXPECT_EQ(read_file(first + "/.env", 100), "A=1\n");
  EXPECT_EQ(read_file(second + "/.env", 100), "A=2\n");
}

TEST_F(Snapshot, IsNeverTheFileOfTheDeployment) {
  std::filesystem::current_path(deployment.dir);
  for (const std::string& before : {std::string(), first}) {
    deployment.snapshot_dir = before;
    take_snapshot(deployment, second);
    EXPECT_NE(inode(second + "/.env"), inode(deployment.dir + "/.env")) << before;
  }
  std::filesystem::current_path("/");
}

TEST_F(Snapshot, NeedsNoOneBefore) {
  deployment.snapshot_dir = first + "-that-was-removed";
  take_snapshot(deployment, second);
  EXPECT_EQ(read_file(second + "/.env.example", 100), "A=1\nB=2\n");
}

}  // namespace
}  // namespace drydock
