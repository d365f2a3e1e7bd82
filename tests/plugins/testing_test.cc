// The fake host that authors test their stages with.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <drydock/testing.hpp>
#include <future>

namespace {

using drydock::Call;
using drydock::testing::FakeHost;
using drydock::testing::Option;
using drydock::testing::Result;

// Writes two files, each after a note; what a well-behaved stage looks like.
struct TwoFiles {
  static constexpr auto name = "two-files";
  static constexpr auto summary = "Write two files";
  static constexpr auto options = "{}";
  static constexpr auto verify_only_with = "/verify";

  static void observe(Call& call) {
    call.fact("first", std::filesystem::exists("first") ? "there" : "absent");
    call.informational_fact("private dir", call.private_dir());
  }
  static void plan(Call& call) {
    for (const std::string& file : call.texts("/files")) call.change({"file", "add", file});
  }
  static void run(Call& call) {
    for (const char* file : {"first", "second"}) {
      call.throw_if_cancelled();
      call.remember(file, "absent");
      std::ofstream(call.deployment(file)) << "new";
    }
  }
  static void verify(Call&) {}
  static void rollback(Call& call) {
    for (const auto& note : call.notes()) std::filesystem::remove(call.deployment(note.first));
  }
};

// Runs `command`, and says what came of it.
struct Command {
  static constexpr auto name = "command";
  static constexpr auto summary = "Run a command";
  static constexpr auto options = "{}";
  static void run(Call& call) {
    drydock::Process process;
    process.arguments = call.texts("/command");
    process.input = call.text("/input");
    process.timeout = call.duration("/timeout");
    const drydock::Captured captured = call.capture(process);
    call.output("out", captured.out);
    call.output("err", captured.err);
    if (!captured.exit.ok()) throw drydock::Failed(captured.exit.describe());
  }
};

// A stage whose every step is given by a test.
struct Anything {
  static constexpr auto name = "anything";
  static constexpr auto summary = "Whatever the test asks";
  static constexpr auto options = "{}";
  inline static std::function<void(Call&)> act;
  static void observe(Call& call) { act(call); }
  static void plan(Call& call) { act(call); }
  static void run(Call& call) { act(call); }
  static void rollback(Call& call) { act(call); }
};

TEST(FakeHost, OptionsAreSetByJsonPointer) {
  FakeHost host;
  host.option("/list/0", "a");
  host.option("/list/1", 2);
  host.option("/map/a~1b", true);
  host.option("/files", {"x", "y"});
  host.option("/empty", Option::array());
  host.option("/ratio", 2.5);
  host.option("/whole", 2.0);
  Anything::act = [](Call& call) {
    EXPECT_EQ(call.texts("/list"), (std::vector<std::string>{"a", "2"}));
    EXPECT_EQ(call.keys("/map"), (std::vector<std::string>{"a/b"}));
    EXPECT_TRUE(call.flag(Call::member("/map", "a/b")));
    EXPECT_EQ(call.size("/files"), 2u);
    EXPECT_TRUE(call.has("/empty"));
    EXPECT_FALSE(call.has("/empty/0"));
    EXPECT_FALSE(call.has("/absent/deep"));
    EXPECT_EQ(call.text("/ratio"), "2.5");
    EXPECT_EQ(call.text("/whole"), "2.0");
    EXPECT_EQ(call.keys(""),
              (std::vector<std::string>{"list", "map", "files", "empty", "ratio", "whole"}));
  };
  EXPECT_TRUE(host.perform<Anything>("run").ok());
  EXPECT_THROW(host.option("/list/7", 1), std::invalid_argument);
}

TEST(FakeHost, ASecretHasNoBytesAmongTheOptions) {
  FakeHost host;
  host.secret("/hook", "hunter22");
  Anything::act = [](Call& call) {
    EXPECT_TRUE(call.has("/hook"));
    EXPECT_EQ(call.text("/hook"), "");
    EXPECT_EQ(call.secret("/hook"), "hunter22");
    EXPECT_EQ(call.secret("/other"), std::nullopt);
  };
  EXPECT_TRUE(host.perform<Anything>("run").ok());
}

TEST(FakeHost, KeepsNotesAndForgetsChangesOfTheStepBefore) {
  FakeHost host;
  host.option("/files", {"first", "second"});
  EXPECT_TRUE(host.perform<TwoFiles>("plan").ok());
  EXPECT_EQ(host.changes.size(), 2u);
  EXPECT_TRUE(host.perform<TwoFiles>("run").ok());
  EXPECT_TRUE(host.changes.empty());
  EXPECT_EQ(host.read("second"), "new");
  EXPECT_TRUE(host.perform<TwoFiles>("rollback").ok());
  EXPECT_FALSE(host.exists("first"));
  EXPECT_EQ(host.notes.size(), 2u);
}

TEST(FakeHost, AStepThatIsMissingOrHasNotItsOptionIsNotPerformed) {
  FakeHost host;
  EXPECT_TRUE(host.perform<TwoFiles>("settle").missing);
  EXPECT_TRUE(host.perform<TwoFiles>("verify").missing);
  host.option("/verify", {"true"});
  EXPECT_FALSE(host.perform<TwoFiles>("verify").missing);
}

TEST(FakeHost, DeathAfterANoteLeavesTheNoteAndNothingLater) {
  FakeHost host;
  host.die_at_remember(2);
  EXPECT_TRUE(host.perform<TwoFiles>("run").died);
  EXPECT_TRUE(host.interrupted);
  EXPECT_TRUE(host.exists("first"));
  EXPECT_EQ(host.notes.size(), 2u);
  EXPECT_FALSE(host.exists("second"));
}

TEST(FakeHost, DeathBeforeANoteLeavesTheChangeBeforeIt) {
  FakeHost host;
  host.die_before_remember(2);
  EXPECT_TRUE(host.perform<TwoFiles>("run").died);
  EXPECT_TRUE(host.exists("first"));
  EXPECT_EQ(host.notes.size(), 1u);
  EXPECT_TRUE(host.perform<TwoFiles>("rollback").ok());
  EXPECT_FALSE(host.exists("first"));
}

TEST(FakeHost, DeathRunsNoDestructorAndTheNextStepLives) {
  FakeHost host;
  bool destroyed = false;
  struct Sentinel {
    bool& flag;
    ~Sentinel() { flag = true; }
  };
  Anything::act = [&](Call& call) {
    const Sentinel sentinel{destroyed};
    call.run({{"change-the-world"}, {}, {}, {}, {}, {}, {}, {}});
  };
  host.die_at_process(1);
  EXPECT_TRUE(host.perform<Anything>("run").died);
  EXPECT_FALSE(destroyed);
  EXPECT_TRUE(host.perform<Anything>("run").ok());
  EXPECT_TRUE(destroyed);
}

TEST(FakeHost, BrokenRulesAreBugs) {
  FakeHost host;
  const auto breaks = [&host](const char* step, std::function<void(Call&)> act) {
    Anything::act = std::move(act);
    host.violations.clear();
    return host.perform<Anything>(step).status == DRYDOCK_BUG && host.violations.size() == 1;
  };
  EXPECT_TRUE(breaks("run", [](Call& call) { call.change({"file", "add", "x"}); }));
  EXPECT_TRUE(breaks("plan", [](Call& call) { call.fact("x", "y"); }));
  EXPECT_TRUE(breaks("plan", [](Call& call) { call.remember("x", "y"); }));
  EXPECT_TRUE(breaks("observe", [](Call& call) { call.remember("x", "y"); }));
  EXPECT_TRUE(breaks("run", [](Call& call) { call.remember("x", std::string(1048577, 'x')); }));
  host.secret("/hook", "hunter22");
  EXPECT_TRUE(breaks("run", [](Call& call) { call.remember("x", "https://x/hunter22"); }));
  EXPECT_TRUE(host.notes.empty());
}

TEST(FakeHost, FoldersAreToldToTheStepsThatMayUseThem) {
  FakeHost host;
  EXPECT_TRUE(host.perform<TwoFiles>("observe").ok());
  EXPECT_EQ(host.facts.at("private dir").value, "");
  EXPECT_TRUE(host.perform<TwoFiles>("run").ok());
  EXPECT_TRUE(host.perform<TwoFiles>("observe").ok());
  EXPECT_EQ(host.facts.at("private dir").value, host.private_dir());
  EXPECT_EQ(host.facts.at("first").value, "there");
  Anything::act = [&host](Call& call) {
    EXPECT_EQ(call.planned_dir(), call.step() == "plan" ? host.planned_dir() : "");
    EXPECT_EQ(std::filesystem::current_path(), host.deployment_dir());
  };
  EXPECT_TRUE(host.perform<Anything>("plan").ok());
  EXPECT_TRUE(host.perform<Anything>("rollback").ok());
}

TEST(FakeHost, ThereIsNoRunBeforeTheRun) {
  FakeHost host;
  std::uint64_t run = 1;
  std::string label = "none";
  Anything::act = [&](Call& call) {
    run = call.run_id();
    label = call.run_label();
  };
  EXPECT_TRUE(host.perform<Anything>("observe").ok());
  EXPECT_EQ(run, 0u);
  EXPECT_EQ(label, "");
  EXPECT_TRUE(host.perform<Anything>("run").ok());
  EXPECT_TRUE(host.perform<Anything>("observe").ok());
  EXPECT_EQ(run, host.run_id);
  EXPECT_EQ(label, host.run_label);
}

TEST(Exit, IsNotOkWhenItTimedOut) {
  EXPECT_TRUE((drydock::Exit{0, 0, false}.ok()));
  EXPECT_FALSE((drydock::Exit{0, 0, true}.ok()));
}

TEST(FakeHost, RemovesItsFolders) {
  std::string root;
  {
    FakeHost host;
    host.write("a/b", "text");
    root = host.deployment_dir();
  }
  EXPECT_FALSE(std::filesystem::exists(root));
}

TEST(FakeHost, ScriptedCommandsAreAnsweredAndRecorded) {
  FakeHost host;
  host.option("/command", {"docker", "ps"});
  host.on_process([](const drydock::Process& process) -> Result {
    return {3, "asked for " + process.arguments.at(1) + "\n", "no\nsuch"};
  });
  const auto result = host.perform<Command>("run");
  EXPECT_EQ(result.status, DRYDOCK_FAILED);
  EXPECT_EQ(result.failure, "exit code 3");
  EXPECT_EQ(host.outputs.at("out").value, "asked for ps\n");
  EXPECT_EQ(host.outputs.at("err").value, "no\nsuch\n");
  EXPECT_EQ(host.processes.at(0).arguments, (std::vector<std::string>{"docker", "ps"}));
}

TEST(FakeHost, RealCommandsRun) {
  FakeHost host;
  host.run_real_processes();
  host.option("/command", {"sh", "-c", "cat; pwd; echo oops >&2; exit 4"});
  host.option("/input", "given\n");
  const auto result = host.perform<Command>("run");
  EXPECT_EQ(result.failure, "exit code 4");
  EXPECT_EQ(host.outputs.at("out").value, "given\n" + host.deployment_dir() + "\n");
  EXPECT_EQ(host.outputs.at("err").value, "oops\n");
}

// Else whoever reads the pipe would wait for the end of a command that has nothing to do with it.
TEST(FakeHost, APipeForTheOutputIsNotInheritedByOtherCommands) {
  const std::string more_than_a_pipe_holds(1 << 20, 'x');
  FakeHost host;
  host.on_process([&](const drydock::Process&) -> Result { return {0, more_than_a_pipe_holds}; });
  Anything::act = [&](Call& call) {
    const drydock::testing::detail::Pipe pipe;
    auto other = std::async(std::launch::async, [&] {
      pollfd until_it_is_written{pipe.read.fd, POLLIN, 0};
      EXPECT_EQ(::poll(&until_it_is_written, 1, -1), 1);
      drydock::Process list;
      list.arguments = {"ls", "-l", "/proc/self/fd"};
      list.directory = "/";
      const Result listed = drydock::testing::execute(list, -1);
      std::string read;
      while (read.size() < more_than_a_pipe_holds.size() &&
             drydock::testing::detail::read_some(pipe.read.fd, read)) {
      }
      EXPECT_EQ(read, more_than_a_pipe_holds);
      return listed.out;
    });
    drydock::Process process;
    process.arguments = {"anything"};
    process.output_file = "/proc/self/fd/" + std::to_string(pipe.write.fd);
    EXPECT_TRUE(call.run(process).ok());
    struct stat status {};
    ASSERT_EQ(::fstat(pipe.read.fd, &status), 0);
    const std::string open = other.get();
    EXPECT_NE(open.find("pipe:["), std::string::npos) << open;
    EXPECT_EQ(open.find("pipe:[" + std::to_string(status.st_ino) + "]"), std::string::npos) << open;
  };
  EXPECT_TRUE(host.perform<Anything>("run").ok());
}

TEST(FakeHost, ARealCommandThatIsNotThereCannotBeStarted) {
  FakeHost host;
  host.run_real_processes();
  host.option("/command", {"/no/such/program"});
  const auto result = host.perform<Command>("run");
  EXPECT_EQ(result.status, DRYDOCK_FAILED);
  EXPECT_EQ(result.failure, "cannot start /no/such/program: No such file or directory");
}

TEST(FakeHost, ARealCommandIsEndedByItsTimeout) {
  FakeHost host;
  host.run_real_processes();
  host.option("/command", {"sleep", "600"});
  host.option("/timeout", std::chrono::milliseconds(20));
  EXPECT_EQ(host.perform<Command>("run").failure, "timed out");
}

TEST(FakeHost, CancellingEndsTheStepButNotTheNextOne) {
  FakeHost host;
  host.cancel();
  EXPECT_EQ(host.perform<TwoFiles>("run").status, DRYDOCK_CANCELLED);
  EXPECT_TRUE(host.notes.empty());
  EXPECT_TRUE(host.perform<TwoFiles>("run").ok());

  host.option("/command", {"anything"});
  host.on_process([&host](const drydock::Process&) {
    host.cancel();
    return Result();
  });
  EXPECT_EQ(host.perform<Command>("run").status, DRYDOCK_CANCELLED);
}

}  // namespace
