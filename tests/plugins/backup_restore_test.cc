// Dumps read whole, restored on trial, and restored by hand: the same of every server. Of `restore`
// in a run of its own, which has the private folder of the backup to read.
#include "backup_world.h"

using namespace drydock::testing;

namespace {

template <class Server>
class BackupRestore : public BackupOn<Server> {};
using Servers = ::testing::Types<PostgresProcess, MariadbProcess>;
TYPED_TEST_SUITE(BackupRestore, Servers, ServerName);

TYPED_TEST(BackupRestore, IsDoneByHandAndUndone) {
  const std::string rows = this->rows();
  this->back_up();
  this->migrate_badly();
  const std::string since = this->rows();
  typename TestFixture::Other another(this->docker->containers);
  FakeHost& other = another.host;
  another.docker.containers[0].id = "db-made-anew";
  other.option("/from", this->host.private_dir());
  ASSERT_TRUE(other.template perform<Restore>("observe").ok());
  const auto before = other.facts;
  ASSERT_TRUE(other.template perform<Restore>("plan").ok());
  ASSERT_EQ(other.changes.size(), 1u);
  EXPECT_EQ(other.changes[0].before, "two");
  EXPECT_EQ(other.changes[0].after, "one");
  for (int note = 1; note <= 2; ++note) {
    other.die_at_remember(note);  // and each time it is begun again
    ASSERT_TRUE(other.template perform<Restore>("run").died) << note;
  }
  const StepResult run = other.template perform<Restore>("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(this->rows(), rows);
  EXPECT_TRUE(other.template perform<Restore>("verify").ok());
  const StepResult rollback = other.template perform<Restore>("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_EQ(this->rows(), since);
  ASSERT_TRUE(other.template perform<Restore>("observe").ok());
  EXPECT_EQ(other.facts, before);
}

TYPED_TEST(BackupRestore, IsDoneWhereTheDatabaseIsGone) {
  const std::string rows = this->rows();
  this->back_up();
  this->sql(TestFixture::Of::maintenance, "DROP DATABASE app");
  typename TestFixture::Other another(this->docker->containers);
  FakeHost& other = another.host;
  other.option("/from", this->host.private_dir());
  other.option("/only", {"app"});
  const StepResult run = other.template perform<Restore>("run");
  ASSERT_TRUE(run.ok()) << run.failure;
  EXPECT_EQ(this->rows(), rows);
  ASSERT_TRUE(other.template perform<Restore>("rollback").ok());
  EXPECT_EQ(this->databases(), std::vector<std::string>{});
  other.option("/only", {"another"});
  EXPECT_NE(other.template perform<Restore>("plan").failure.find("it has app"), std::string::npos);
}

TYPED_TEST(BackupRestore, IsTriedAndLeavesNothing) {
  this->back_up();
  const std::string rows = this->rows();
  for (const char* check : {"read", "restore"}) {
    this->host.option("/check", check);
    const StepResult verify = this->step("verify");
    EXPECT_TRUE(verify.ok()) << check << ": " << verify.failure;
    EXPECT_EQ(this->databases(), std::vector<std::string>{"app"});
    EXPECT_EQ(this->rows(), rows);
  }
  this->docker->of("db").state = "exited";  // a look starts nothing
  EXPECT_NE(this->step("verify").failure.find("does not run"), std::string::npos);
}

// A client that goes back in its file would change what was hashed already; and a large dump comes
// in many pieces.
TYPED_TEST(BackupRestore, TakesALargeDatabase) {
  this->sql("app", TestFixture::Of::large);
  const std::string rows = this->rows();
  this->back_up();
  EXPECT_GT(std::filesystem::file_size(this->dump_file()), 4'000'000u);
  this->sql("app", "DELETE FROM large WHERE n % 2 = 0");
  const StepResult rollback = this->step("rollback");
  ASSERT_TRUE(rollback.ok()) << rollback.failure;
  EXPECT_TRUE(this->rows() == rows);
}

}  // namespace
