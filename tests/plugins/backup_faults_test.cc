// backup with real servers that die, refuse, or run out of disk: what was there stays as it was,
// and nothing half is left.
#include <sys/mount.h>
#include <sys/stat.h>

#include <mutex>
#include <thread>

#include "backup_world.h"

using namespace drydock::testing;
namespace fs = std::filesystem;

namespace {

template <class Server>
class BackupFaults : public BackupOn<Server> {
 protected:
  // The n-th command that reaches the server finds it dead, and so do those after it. The accounts
  // are read at the same time, by whoever is first.
  void server_dies_at(int n) {
    commands_ = 0;
    this->docker->instead = [this, n](const std::vector<std::string>& words) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (words[0] != "pg_dumpall" && !this->has(words, "--system=users") && ++commands_ == n) {
        this->server->stop();
      }
      return std::optional<Result>();
    };
  }
  int commands() const { return commands_; }

  void revive() {
    this->docker->instead = nullptr;
    if (!this->server->started()) this->server->start();
  }
  void expect_nothing_kept() const {
    EXPECT_EQ(this->kept(), std::vector<std::string>{});
    EXPECT_FALSE(this->host.note("dump/db/app"));
  }

 private:
  std::mutex mutex_;
  int commands_ = 0;
};

using Servers = ::testing::Types<PostgresProcess, MariadbProcess>;
TYPED_TEST_SUITE(BackupFaults, Servers, ServerName);

TYPED_TEST(BackupFaults, KeepsAllOrNothingWhereverTheServerDiesInADump) {
  const std::string rows = this->rows();
  this->host.option("/wait", 200);
  bool died = true;
  for (int n = 1; died; ++n) {
    this->host.notes.clear();
    this->server_dies_at(n);
    const StepResult run = this->step("run");
    died = this->commands() >= n;
    this->revive();
    if (!run.ok()) {
      EXPECT_NE(run.failure.find("service db"), std::string::npos) << n << ": " << run.failure;
      this->expect_nothing_kept();
    } else {
      // Dead by then, or only asked whether the dump can be read.
      ASSERT_TRUE(this->step("verify").ok()) << n;
      fs::remove(this->dump_file());
    }
    EXPECT_TRUE(died || run.ok()) << run.failure;
    EXPECT_EQ(this->rows(), rows) << n;
  }
}

TYPED_TEST(BackupFaults, RestoresInTheEndWhereverTheServerDiesInARestore) {
  const std::string rows = this->rows();
  this->host.option("/restore", "always");
  this->back_up();
  const std::size_t notes = this->host.notes.size();
  this->host.option("/wait", 200);
  bool died = true;
  for (int n = 1; died; n += TestFixture::Of::stride) {
    this->host.notes.resize(notes);
    this->sql("app", "DELETE FROM note WHERE id > 500");
    this->server_dies_at(n);
    const StepResult rollback = this->step("rollback");
    died = this->commands() >= n;
    EXPECT_EQ(rollback.ok(), !died) << n << ": " << rollback.failure;
    this->revive();
    const StepResult repeated = this->step("rollback");
    ASSERT_TRUE(repeated.ok()) << n << ": " << repeated.failure;
    ASSERT_EQ(this->rows(), rows) << n;
    for (const std::string& name : this->databases()) {  // what stood there, and trials
      if (name != "app") this->sql(TestFixture::Of::maintenance, "DROP DATABASE " + name);
    }
  }
}

TYPED_TEST(BackupFaults, SaysThatTheServerDiedWhileTheDumpWasGrowing) {
  this->sql("app", TestFixture::Of::large);
  std::thread killer;
  const std::string part =
      this->host.private_dir() + "/databases/db/app" + TestFixture::Of::dump_suffix + ".part";
  this->docker->instead = [&](const std::vector<std::string>& words) {
    if (TestFixture::Of::is_dump(words) && !killer.joinable()) {
      killer = std::thread([&] {
        struct stat status {};
        while (::stat(part.c_str(), &status) != 0 || status.st_size < 100'000) {
        }
        this->server->stop();
      });
    }
    return std::optional<Result>();
  };
  const StepResult run = this->step("run");
  ASSERT_TRUE(killer.joinable());
  killer.join();
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("the dump of database app of service db"), std::string::npos);
  const bool lost = run.failure.find("Lost connection") != std::string::npos ||
                    run.failure.find("server closed the connection") != std::string::npos;
  EXPECT_TRUE(lost) << run.failure;
  this->expect_nothing_kept();
}

TYPED_TEST(BackupFaults, SaysThatTheDiskIsFullAndLeavesNothing) {
  if (::geteuid() != 0 ||
      ::mount("tmpfs", this->host.private_dir().c_str(), "tmpfs", 0, "size=20m,mode=0700") != 0) {
    GTEST_SKIP() << "mounting a small file system needs root";
  }
  const auto before = this->facts();
  const std::string rows = this->rows();
  // There is room when the stage asks; somebody else takes it before the dump.
  this->docker->instead = [&](const std::vector<std::string>& words) {
    if (TestFixture::Of::is_dump(words)) {
      std::ofstream(this->host.private_dir() + "/filler") << std::string(20 << 20, 'x');
    }
    return std::optional<Result>();
  };
  const StepResult run = this->step("run");
  this->docker->instead = nullptr;
  fs::remove(this->host.private_dir() + "/filler");
  const std::vector<std::string> left = this->kept();
  ::umount(this->host.private_dir().c_str());
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find("No space left"), std::string::npos) << run.failure;
  EXPECT_EQ(left, std::vector<std::string>{});
  EXPECT_FALSE(this->host.note("dump/db/app"));
  EXPECT_EQ(this->facts(), before);
  EXPECT_EQ(this->rows(), rows);
}

// Of the server, while a restore beside the database fills it.
TYPED_TEST(BackupFaults, LeavesTheDatabaseAndNothingBesideWhenARestoreDoesNotFit) {
  const std::string rows = this->rows();
  this->back_up();
  this->migrate_badly();
  const std::string failed = this->rows();
  this->docker->instead = [&](const std::vector<std::string>& words) -> std::optional<Result> {
    if (!TestFixture::Of::loads(words)) return std::nullopt;
    return Result{1, "", "could not extend file: No space left on device"};
  };
  const StepResult rollback = this->step("rollback");
  EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
  EXPECT_NE(rollback.failure.find("No space left"), std::string::npos) << rollback.failure;
  EXPECT_EQ(this->databases(), std::vector<std::string>{"app"});
  EXPECT_EQ(this->rows(), failed);
  this->docker->instead = nullptr;
  const StepResult repeated = this->step("rollback");
  ASSERT_TRUE(repeated.ok()) << repeated.failure;
  EXPECT_EQ(this->rows(), rows);
}

TYPED_TEST(BackupFaults, RefusesToKeepNothing) {
  typename TestFixture::Other other(this->docker->containers);
  other.host.option("/databases/0/service", {"db"});
  this->sql(TestFixture::Of::maintenance,
            TestFixture::Of::drop + std::string("app") + TestFixture::Of::quote);
  for (const char* name : {"plan", "run"}) {
    const StepResult step = other.host.template perform<Backup>(name);
    EXPECT_EQ(step.status, DRYDOCK_FAILED) << name;
    EXPECT_NE(step.failure.find("no database but its own"), std::string::npos) << step.failure;
  }
}

TYPED_TEST(BackupFaults, SaysThatThePasswordIsWrongWithoutWaiting) {
  this->docker->containers[0].environment = TestFixture::Of::environment("hidden-and-wrong");
  for (const char* name : {"observe", "plan", "run"}) {
    const StepResult step = this->step(name);
    EXPECT_EQ(step.status, DRYDOCK_FAILED) << name;
    const bool said = step.failure.find("Access denied") != std::string::npos ||
                      step.failure.find("password authentication failed") != std::string::npos;
    EXPECT_TRUE(said) << name << ": " << step.failure;
    EXPECT_EQ(step.failure.find("hidden-and-wrong"), std::string::npos) << step.failure;
    EXPECT_EQ(this->host.processes.size(), 3u) << name;  // containers, and one question
  }
  this->expect_nothing_kept();
}

TYPED_TEST(BackupFaults, SaysThatTheServerDoesNotAnswer) {
  this->back_up();
  this->host.option("/wait", 300);
  this->docker->instead = [&](const std::vector<std::string>&) {
    if (this->server->started()) this->server->stop();
    return std::optional<Result>();
  };
  for (const char* name : {"observe", "plan", "run", "rollback"}) {
    if (!this->server->started()) this->server->start();
    const StepResult step = this->step(name);
    EXPECT_EQ(step.status, DRYDOCK_FAILED) << name;
    EXPECT_NE(step.failure.find("service db"), std::string::npos) << name << ": " << step.failure;
  }
  this->docker->instead = nullptr;
}

TYPED_TEST(BackupFaults, RefusesADamagedDumpAndLeavesTheDatabase) {
  this->back_up();
  this->migrate_badly();
  const std::string failed = this->rows();
  const std::string dump = this->dump_file(), whole = this->text_of(dump);
  std::string flipped = whole;
  flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
  for (const std::string& damaged :
       {flipped, whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2)}) {
    std::ofstream(dump, std::ios::binary) << damaged;
    for (const char* check : {"hash", "read", "restore"}) {
      this->host.option("/check", check);
      EXPECT_EQ(this->step("verify").status, DRYDOCK_FAILED) << check;
    }
    const StepResult rollback = this->step("rollback");
    EXPECT_EQ(rollback.status, DRYDOCK_FAILED);
    EXPECT_NE(rollback.failure.find("SHA-256"), std::string::npos) << rollback.failure;
    typename TestFixture::Other other(this->docker->containers);
    other.host.option("/from", this->host.private_dir());
    EXPECT_EQ(other.host.template perform<Restore>("run").status, DRYDOCK_FAILED);
    EXPECT_EQ(this->rows(), failed);
    EXPECT_EQ(this->databases(), std::vector<std::string>{"app"});
  }
}

TYPED_TEST(BackupFaults, NeverOverwritesABackup) {
  this->back_up();
  const std::string first = this->dump_file(), whole = this->text_of(first);
  this->sql("app", "DELETE FROM note WHERE id > 900");
  this->back_up();  // a second attempt
  EXPECT_EQ(this->text_of(first), whole);
  EXPECT_NE(this->dump_file(), first);
  EXPECT_EQ(this->kept().size(), 2u);
  // Something stands where the third one would go, which no attempt of ours put there.
  const std::string third =
      fs::path(first).parent_path().string() + "/app.3" + TestFixture::Of::dump_suffix;
  std::ofstream(third) << "an operator's own";
  const StepResult run = this->step("run");
  EXPECT_EQ(run.status, DRYDOCK_FAILED);
  EXPECT_NE(run.failure.find(third + " exists already"), std::string::npos) << run.failure;
  EXPECT_EQ(this->text_of(third), "an operator's own");
  // The newest attempt is what a rollback goes back to.
  this->migrate_badly();
  ASSERT_TRUE(this->step("rollback").ok());
  EXPECT_EQ(this->sql("app", "SELECT max(id) FROM note WHERE id < 1001"), "900\n");
}

}  // namespace
