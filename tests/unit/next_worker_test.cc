// The worker of the next step, which starts and loads while the one before it works.
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "files.h"
#include "plugin_file.h"
#include "worker_world.h"

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;

struct NextWorker : WorkerTest {
  const FileIdentity sample = PluginFile(SAMPLE_PLUGIN).identity();
  ProcessWorker worker{DRYDOCK_STAGE, cancellation, patience};

  // The workers that wait: nothing performs when this is asked.
  static std::vector<pid_t> waiting() {
    std::ifstream children("/proc/self/task/" + std::to_string(::getpid()) + "/children");
    return {std::istream_iterator<pid_t>(children), {}};
  }

  static bool loads(pid_t worker, const std::string& plugin) {
    const auto patience_ends = Clock::now() + std::chrono::seconds(30);
    while (Clock::now() < patience_ends) {
      std::ostringstream maps;
      maps << std::ifstream("/proc/" + std::to_string(worker) + "/maps").rdbuf();
      if (maps.str().find(plugin) != std::string::npos) return true;
    }
    return false;
  }

  FileIdentity no_plugin() {
    const std::string path = folder / "no-plugin.so";
    write_file_atomically(path, "no plugin");
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return identity_of(path, status);
  }

  StepRequest of(const FileIdentity& plugin) {
    StepRequest asked = request("report");
    asked.plugin_file = plugin.path;
    asked.plugin_identity = plugin;
    return asked;
  }
};

TEST_F(NextWorker, HasLoadedItsPluginBeforeItIsAsked) {
  worker.expect({sample, sample});
  const std::vector<pid_t> first = waiting();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_TRUE(loads(first[0], SAMPLE_PLUGIN));
  ASSERT_TRUE(worker.perform(of(sample), heard).ok());
  EXPECT_EQ(heard.group, first[0]);

  const std::vector<pid_t> second = waiting();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_TRUE(loads(second[0], SAMPLE_PLUGIN));
  ASSERT_TRUE(worker.perform(of(sample), heard).ok());
  EXPECT_EQ(heard.group, second[0]);
  EXPECT_TRUE(waiting().empty());  // none is expected any more
}

TEST_F(NextWorker, WaitsWithoutAPluginWhereNobodyKnowsWhatComes) {
  worker.prepare();
  const std::vector<pid_t> first = waiting();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_TRUE(worker.perform(of(sample), heard).ok());
  EXPECT_EQ(heard.group, first[0]);
  EXPECT_EQ(waiting().size(), 1u);
}

TEST_F(NextWorker, IsReplacedWhereAnotherStepComes) {
  worker.expect({no_plugin(), sample});
  const std::vector<pid_t> first = waiting();
  ASSERT_EQ(first.size(), 1u);
  ASSERT_TRUE(worker.perform(of(sample), heard).ok());  // the stage before it was skipped
  EXPECT_NE(heard.group, first[0]);
  EXPECT_TRUE(waiting().empty());
  ASSERT_TRUE(worker.perform(of(sample), heard).ok());  // one more than was known
}

TEST_F(NextWorker, SaysWhyItCannotLoadWhenItIsAsked) {
  const FileIdentity plugin = no_plugin();
  worker.expect({plugin});
  const StepResult result = worker.perform(of(plugin), heard);
  const auto* refused = std::get_if<WontLoad>(&result.outcome);
  ASSERT_NE(refused, nullptr) << describe(result.outcome);
  EXPECT_NE(refused->reason.find(plugin.path), std::string::npos) << refused->reason;
}

TEST_F(NextWorker, HasTheLimitsOfItsStep) {
  worker.expect({sample});
  ASSERT_EQ(waiting().size(), 1u);
  ASSERT_TRUE(loads(waiting()[0], SAMPLE_PLUGIN));
  StepRequest asked = of(sample);
  asked.options["do"] = "command";
  asked.options["command"] = "ulimit -d";
  asked.memory.bytes = std::int64_t{1} << 50;  // more than a sanitizer takes
  EXPECT_TRUE(worker.perform(asked, heard).ok());
  EXPECT_TRUE(heard.heard(std::to_string(asked.memory.bytes >> 10))) << heard.everything();
}

}  // namespace
}  // namespace drydock
