// What restores take out of the way: written down, and dropped when a person asks for it; never
// anything else.
#include "backup_world.h"
#include "drop_aside_stage.h"

using namespace drydock::testing;
namespace fs = std::filesystem;

namespace {

template <class Server>
class SetAside : public BackupOn<Server> {
 protected:
  void SetUp() override {
    BackupOn<Server>::SetUp();
    if (this->IsSkipped()) return;
    this->back_up();
    this->migrate_badly();
  }
  // What is written down, by the names of its files.
  std::map<std::string, std::string> noted() const {
    std::map<std::string, std::string> found;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder(), none)) {
      found[entry.path().stem().string()] = this->text_of(entry.path().string());
    }
    return found;
  }
  std::string folder() const { return this->host.private_dir() + "/set-aside"; }
  // As `drydock backups prune` has it performed.
  StepResult drop(const std::string& id) {
    this->host.option("/only", {id});
    return this->host.template perform<DropAside>("run");
  }
  // A rollback that dies while a database of its own is on the server.
  void die_in_the_middle() {
    this->docker->before_exec = [this](const drydock::Process& process) {
      if (BackupOn<Server>::Of::loads(process.arguments)) this->host.die();
    };
    ASSERT_TRUE(this->step("rollback").died);
    this->docker->before_exec = nullptr;
  }
};
using Servers = ::testing::Types<PostgresProcess, MariadbProcess>;
TYPED_TEST_SUITE(SetAside, Servers, ServerName);

TYPED_TEST(SetAside, IsWrittenDownByEachRestore) {
  const std::string failed = this->rows();
  ASSERT_TRUE(this->step("rollback").ok());
  const auto noted = this->noted();
  ASSERT_EQ(noted.size(), 1u);
  const auto& [id, text] = *noted.begin();
  EXPECT_NE(text.find("\"name\": \"app\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"from\": \"service db\""), std::string::npos) << text;
  if constexpr (std::is_same_v<TypeParam, PostgresProcess>) {
    EXPECT_EQ(id, "database+app_failed_1");
    EXPECT_EQ(this->server->dump("app_failed_1"), failed);
    const std::string rows = this->rows();
    const StepResult dropped = this->drop(id);
    ASSERT_TRUE(dropped.ok()) << dropped.failure;
    EXPECT_EQ(this->rows(), rows);
  } else {
    EXPECT_NE(text.find("\"file\": \"databases/db/app.failed.sql\""), std::string::npos) << text;
    ASSERT_TRUE(this->drop(id).ok()) << "a file is not this stage's to remove";
    EXPECT_EQ(this->noted().size(), 1u);
  }
  EXPECT_EQ(this->databases(), std::vector<std::string>{"app"});
}

TYPED_TEST(SetAside, IsAlsoWhatARestoreLeftThatDied) {
  this->die_in_the_middle();
  ASSERT_EQ(this->databases().size(), 2u);
  const auto noted = this->noted();
  ASSERT_EQ(noted.size(), 1u);
  const std::string rows = this->rows();
  ASSERT_TRUE(this->drop("another").ok());
  EXPECT_EQ(this->databases().size(), 2u);
  const StepResult dropped = this->drop(noted.begin()->first);
  ASSERT_TRUE(dropped.ok()) << dropped.failure;
  EXPECT_EQ(this->databases(), std::vector<std::string>{"app"});
  EXPECT_EQ(this->rows(), rows);
  EXPECT_TRUE(this->noted().empty());
  ASSERT_TRUE(this->step("rollback").ok()) << "and the restore goes on without it";
}

TYPED_TEST(SetAside, LeavesNoNoteOfATrialThatWentWell) {
  this->host.option("/check", "restore");
  ASSERT_TRUE(this->step("verify").ok());
  EXPECT_TRUE(this->noted().empty());
}

TYPED_TEST(SetAside, IsNeverADatabaseThatNoRestoreMade) {
  this->die_in_the_middle();
  const auto [id, text] = *this->noted().begin();
  std::string name = id.substr(id.find('+') + 1), other = text;
  other.replace(other.find("\"" + name + "\""), name.size() + 2, "\"app\"");
  std::ofstream(this->folder() + "/" + id + ".json") << other;
  const std::string rows = this->rows();
  const StepResult refused = this->drop(id);
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("names database app"), std::string::npos) << refused.failure;
  EXPECT_EQ(this->rows(), rows);
}

TYPED_TEST(SetAside, SaysThatItsServerDoesNotRun) {
  this->die_in_the_middle();
  const auto [id, text] = *this->noted().begin();
  this->docker->of("db").state = "exited";
  const StepResult refused = this->drop(id);
  EXPECT_EQ(refused.status, DRYDOCK_FAILED);
  EXPECT_NE(refused.failure.find("start it and repeat"), std::string::npos) << refused.failure;
  EXPECT_EQ(this->noted().size(), 1u);
}

}  // namespace
