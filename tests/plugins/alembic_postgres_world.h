// A deployment with a real PostgreSQL, and an application that migrates it with a real Alembic from
// this machine; only what docker would answer is scripted.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "alembic_migrate_stage.h"
#include "postgres_world.h"

namespace drydock::testing {

// Waits for what another thread or process does, and fails the test instead of waiting for ever.
template <class Condition>
void await(const std::string& what, Condition holds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("never: " + what);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

// A session that stays, and does what it is told.
class Session {
 public:
  explicit Session(const PostgresProcess& server, const std::string& name) {
    std::string pattern = "/tmp/drydock-session-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder");
    folder_ = pattern;
    ::mkfifo((folder_ + "/in").c_str(), 0600);
    input_ = ::open((folder_ + "/in").c_str(), O_RDWR | O_CLOEXEC);
    thread_ = std::thread([&server, name, in = folder_ + "/in"] {
      Process process;
      process.arguments = {"psql", "-X", "-q", "-U", "app", "-d", "app"};
      process.environment = {"PGAPPNAME=" + name};
      process.input_file = in;
      server.client(process);
    });
  }
  ~Session() { end(); }
  void tell(const std::string& sql) const {
    const std::string line = sql + ";\n";
    if (::write(input_, line.data(), line.size()) < 0) throw std::runtime_error("no session");
  }
  void end() {
    if (input_ >= 0) ::close(input_);
    input_ = -1;
    if (thread_.joinable()) thread_.join();
    std::filesystem::remove_all(folder_);
  }

 private:
  std::string folder_;
  int input_ = -1;
  std::thread thread_;
};

// One server for all tests of a suite, with a new database for each.
class AlembicOnPostgres : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (PostgresProcess::installed()) server_ = std::make_unique<PostgresProcess>();
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    if (!server_ || ::access("/usr/bin/alembic", X_OK) != 0) {
      GTEST_SKIP() << "PostgreSQL or Alembic is not installed";
    }
    docker.emplace(host, server_.get());
    docker->containers = {{"db-1", "db"}};
    deploy(host);
    sql("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  }
  // What a second deployment with the same database needs as well.
  void deploy(FakeHost& to, const std::string& configure = "") const {
    to.stage_id = "migrate";
    to.option("/command", {"alembic", "upgrade", "head"});
    to.write("alembic.ini",
             "[alembic]\nscript_location = migrations\nsqlalchemy.url = "
             "postgresql+psycopg2://app@/app?host=" +
                 server_->folder() + "\n");
    // `options` as Dify sets them: they replace PGOPTIONS, but not what belongs to a role.
    to.write("migrations/env.py", R"(
from alembic import context
from sqlalchemy import create_engine
import logging; logging.basicConfig(level=logging.INFO, format='%(levelname)s [%(name)s] %(message)s')
engine = create_engine(context.config.get_main_option("sqlalchemy.url"),
                       connect_args={"options": "-c timezone=UTC"})
with engine.connect() as connection:
    context.configure(connection=connection)" +
                                      configure + R"()
    with context.begin_transaction():
        context.run_migrations()
)");
  }
  void revision(const std::string& name, const std::string& down, const std::string& upgrade,
                const std::string& downgrade = "pass") const {
    host.write("migrations/versions/" + name + ".py",
               "from alembic import op\nimport sqlalchemy as sa\nrevision = '" + name +
                   "'\ndown_revision = " + down + "\ndef upgrade():\n    " + upgrade +
                   "\ndef downgrade():\n    " + downgrade + "\n");
  }
  // one ... five, each with a table of its own; where `third` is given it stands in for the third.
  void five_revisions(const std::string& third = "") const {
    const std::string names[] = {"one", "two", "three", "four", "five"};
    for (int i = 0; i < 5; ++i) {
      const bool other = i == 2 && !third.empty();
      const std::string table = "TABLE t_" + names[i];
      revision(names[i], i == 0 ? "None" : "'" + names[i - 1] + "'",
               other ? third : "op.execute('CREATE " + table + " (id int)')",
               other ? "pass" : "op.execute('DROP " + table + "')");
    }
  }
  // A plan that no other one came before, whose answers it would take.
  StepResult fresh_plan() {
    std::filesystem::remove_all(host.planning_dir() + "/answers");
    return step("plan");
  }
  StepResult step(const std::string& name) { return host.perform<AlembicMigrate>(name); }
  std::string sql(const std::string& statements) const { return server_->sql("app", statements); }
  std::string stamp() const { return sql("SELECT version_num FROM alembic_version"); }

  inline static std::unique_ptr<PostgresProcess> server_;
  FakeHost host;
  std::optional<FakeDocker> docker;
};

}  // namespace drydock::testing
