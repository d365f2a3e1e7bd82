// Each way in which a worker can end, and what the runner hears until then.
#include "process_worker.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "plugin_file.h"
#include "process.h"
#include "worker_world.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

TEST_F(WorkerTest, StepsReportAndAnswer) {
  StepRequest asked = request("report", {Step::observe, Step::plan, Step::run});
  asked.notes = {{"before", "1"}};
  const StepResult result = perform(asked);
  EXPECT_TRUE(result.ok()) << describe(result.outcome);
  EXPECT_EQ(heard.begun, asked.steps);
  EXPECT_GT(heard.group, 1);
  EXPECT_GT(heard.start_time, 0u);
  ASSERT_EQ(heard.facts.size(), 1u);
  EXPECT_TRUE(heard.facts[0].must_return && heard.facts[0].secret);
  ASSERT_EQ(heard.changes.size(), 1u);
  EXPECT_EQ(heard.changes[0].after, "new");
  EXPECT_EQ(heard.changes[0].disk_bytes, -1);
  ASSERT_EQ(heard.outputs.size(), 1u);
  EXPECT_EQ(heard.outputs[0].value, std::string("a\xff\0b", 4));
  EXPECT_TRUE(heard.outputs[0].promote && !heard.outputs[0].secret);
  ASSERT_EQ(heard.notes.size(), 1u);
  EXPECT_TRUE(heard.heard("note before=1") && heard.heard("note made=hello"));
}

TEST_F(WorkerTest, LaterStepsAreNotBegunAfterAFailure) {
  const StepResult result = perform(request("fail", {Step::observe, Step::plan}));
  EXPECT_EQ(done(result).status, Status::failed);
  EXPECT_EQ(done(result).reason, "disk of 3 GB is full");
  EXPECT_EQ(result.last, Step::observe);
  EXPECT_EQ(heard.begun, std::vector<Step>{Step::observe});
}

TEST_F(WorkerTest, OptionsArriveByPointer) {
  StepRequest asked = request("options");
  asked.options.update({{"list", {"a", "b"}},
                        {"count", 7},
                        {"ratio", 0.5},
                        {"flag", true},
                        {"nothing", nullptr},
                        {"a/b", "slash"},
                        {"environment", {{"PLAIN", "x"}}},
                        {"bytes", "\xfe\xff"}});
  asked.secrets = {{"/password", "hunter2!"}, {"/environment/TOKEN", "t"}};
  EXPECT_TRUE(perform(asked).ok());
  for (const char* line :
       {"/list 0 type 5 integer 0 size 2 text ", "/list/1 0 type 4 integer 0 size 0 text b",
        "/count 0 type 2 integer 7 size 0 text 7", "/ratio 0 type 3 integer 0 size 0 text 0.5",
        "/flag 0 type 1 integer 1 size 0 text ", "/nothing 0 type 0 integer 0 size 0 text ",
        "/absent 6 type 0 integer 0 size 0 text ", "/a~1b 0 type 4 integer 0 size 0 text slash",
        "/password 0 type 7 integer 0 size 0 text ", "/environment 0 type 6 integer 0 size 2 text ",
        "/bytes 0 type 4 integer 0 size 0 text \xfe\xff", "key PLAIN", "key TOKEN",
        "secret of 8 bytes"}) {
    EXPECT_TRUE(heard.heard(line)) << line << "\n" << heard.everything();
  }
}

TEST_F(WorkerTest, ARefusedNoteIsABugOfTheStep) {
  heard.refuse_notes = "it holds a secret";
  const StepResult result = perform(request("report"));
  EXPECT_EQ(done(result).status, Status::bug);
  EXPECT_NE(done(result).reason.find("it holds a secret"), std::string::npos);
}

TEST_F(WorkerTest, EverySignalIsACrash) {
  for (int signal : {SIGSEGV, SIGABRT, SIGKILL, SIGTERM, SIGFPE}) {
    StepRequest asked = request("signal");
    asked.options["signal"] = std::to_string(signal);
    EXPECT_EQ(crashed(perform(asked)).signal, signal);
  }
  EXPECT_EQ(describe(perform(request("abort")).outcome), "crashed (SIGABRT)");
}

TEST_F(WorkerTest, LeavingWithoutAnAnswerIsACrash) {
  EXPECT_EQ(crashed(perform(request("exit"))).detail, "exited with code 7 without an answer")
      << heard.everything();
}

TEST_F(WorkerTest, AClosedConnectionIsACrash) {
  EXPECT_EQ(crashed(perform(request("close"))).detail, "closed its connection");
}

TEST_F(WorkerTest, BrokenFramesAreACrash) {
  EXPECT_EQ(crashed(perform(request("garbage"))).detail, "sent a frame that is no message");
  EXPECT_EQ(crashed(perform(request("oversized"))).detail,
            "sent a frame of 2130706432 bytes, and 4194304 are allowed");
  EXPECT_NE(crashed(perform(request("wrong message"))).detail.find("neither text nor base64"),
            std::string::npos);
}

TEST_F(WorkerTest, PrintedLinesAreLogged) {
  EXPECT_TRUE(perform(request("print")).ok());
  EXPECT_TRUE(heard.heard("to stdout"));
  EXPECT_EQ(heard.warnings, std::vector<std::string>{"to stderr"});
}

TEST_F(WorkerTest, EndlessOutputIsBounded) {
  EXPECT_TRUE(perform(request("print much")).ok());
  EXPECT_LE(heard.bytes_logged, (16u << 20) + 1000);
  EXPECT_GT(heard.bytes_logged, 15u << 20);
  ASSERT_EQ(heard.warnings.size(), 1u);
  EXPECT_NE(heard.warnings[0].find("were dropped"), std::string::npos);
  for (const std::string& line : heard.lines) ASSERT_LE(line.size(), 16384u);
}

TEST_F(WorkerTest, ProgressIsForPeople) {
  EXPECT_TRUE(perform(request("many progress")).ok());
  EXPECT_GE(heard.progress_count, 1);
  EXPECT_LE(heard.progress_count, 100);
}

TEST_F(WorkerTest, ACancelReachesTheStep) {
  heard.on_line = [this](const std::string& line) {
    if (line == "waiting") cancellation.request();
  };
  EXPECT_EQ(done(perform(request("wait for cancel"))).status, Status::cancelled);
}

TEST_F(WorkerTest, AStepThatIgnoresTheCancelIsEnded) {
  heard.on_line = [this](const std::string& line) {
    if (line == "waiting") cancellation.request();
  };
  EXPECT_EQ(done(perform(request("ignore cancel"))).status, Status::cancelled);
  EXPECT_GT(heard.idle_count, 0);
}

TEST_F(WorkerTest, ARollbackIsNotCancelled) {
  cancellation.request();
  StepRequest asked = request("report");
  asked.cancellable = false;
  EXPECT_TRUE(perform(asked).ok());
}

TEST_F(WorkerTest, ATimeoutEndsTheStep) {
  for (const char* what : {"sleep", "ignore cancel", "wait for cancel"}) {
    StepRequest asked = request(what);
    asked.timeout = milliseconds(200);
    const StepResult result = perform(asked);
    ASSERT_TRUE(std::holds_alternative<TimedOut>(result.outcome)) << describe(result.outcome);
    EXPECT_EQ(std::get<TimedOut>(result.outcome).limit, milliseconds(200));
  }
}

TEST_F(WorkerTest, WhatWontLoadIsSaid) {
  StepRequest asked = request("report");
  asked.stage_type = "other";
  StepResult result = perform(asked);
  ASSERT_TRUE(std::holds_alternative<WontLoad>(result.outcome));
  EXPECT_NE(describe(result.outcome).find("no stage type 'other'"), std::string::npos);
  asked.plugin_file = folder / "missing.so";
  result = perform(asked);
  ASSERT_TRUE(std::holds_alternative<WontLoad>(result.outcome));
  EXPECT_NE(describe(result.outcome).find("No such file"), std::string::npos);
}

TEST_F(WorkerTest, AWorkerProgramThatIsMissingIsSaid) {
  const StepResult result =
      ProcessWorker(folder / "nothing", cancellation).perform(request("report"), heard);
  EXPECT_NE(describe(result.outcome).find("could not be started"), std::string::npos);
  EXPECT_EQ(heard.group, 0);
}

TEST_F(WorkerTest, ADaemonThatIsLeftBehindIsEndedAndNamed) {
  become_subreaper();
  EXPECT_TRUE(perform(request("leave daemon")).ok());
  ASSERT_EQ(heard.warnings.size(), 1u) << heard.everything();
  EXPECT_NE(heard.warnings[0].find("drydock-stage"), std::string::npos) << heard.warnings[0];
  siginfo_t info{};
  EXPECT_NE(::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0) << "a child is left";
}

TEST_F(WorkerTest, AnExceptionOfTheListenerLeavesNoWorker) {
  heard.on_line = [](const std::string&) { throw std::runtime_error("the disk is full"); };
  EXPECT_THROW(perform(request("sleep")), std::runtime_error);
  EXPECT_EQ(process_start_time(heard.group), 0u);
}

TEST_F(WorkerTest, TheNextOneWaitsAlreadyAndMayDie) {
  const auto children = [] {
    std::vector<pid_t> result;
    for (const ProcessInfo& each : all_processes()) {
      if (each.parent == ::getpid()) result.push_back(each.pid);
    }
    return result;
  };
  {
    ProcessWorker worker(DRYDOCK_STAGE, cancellation, patience);
    for (int round = 0; round < 3; ++round) {
      const StepResult result = worker.perform(request("report"), heard);
      EXPECT_TRUE(result.ok()) << describe(result.outcome);
      ASSERT_EQ(children().size(), 1u);
      EXPECT_NE(children()[0], heard.group);
      if (round == 1) {
        ::kill(children()[0], SIGKILL);
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(children()[0]), &info, WEXITED | WNOWAIT);
      }
    }
    EXPECT_TRUE(heard.warnings.empty()) << heard.everything();
  }
  EXPECT_TRUE(children().empty());
}

TEST_F(WorkerTest, TheWorldOfAWorkerIsClean) {
  ::setenv("SECRET_OF_THE_OPERATOR", "x", 1);
  ::setenv("DOCKER_HOST", "unix:///somewhere", 1);
  ::setenv("DOCKER_CONFIG", "/login", 1);
  ::setenv("SSH_AUTH_SOCK", "/agent", 1);
  StepRequest asked = request("world");
  asked.planned_dir = "/planned";
  EXPECT_TRUE(perform(asked).ok());
  for (const char* name : {"DOCKER_HOST", "DOCKER_CONFIG", "SSH_AUTH_SOCK"}) ::unsetenv(name);
  const std::string all = heard.everything();
  EXPECT_EQ(all.find("SECRET_OF_THE_OPERATOR"), std::string::npos);
  EXPECT_TRUE(heard.heard("env DOCKER_HOST=unix:///somewhere"));
  EXPECT_TRUE(heard.heard("env DOCKER_CONFIG=/login"));
  EXPECT_TRUE(heard.heard("env SSH_AUTH_SOCK=/agent"));
  EXPECT_TRUE(heard.heard("env TERM=dumb"));
  EXPECT_TRUE(heard.heard("directory " + folder.path()));
  EXPECT_TRUE(heard.heard("session 1"));
  EXPECT_TRUE(heard.heard("planned_dir '/planned'"));  // a run that is asked for with it rehearses
  EXPECT_TRUE(heard.heard("fd 3"));
  EXPECT_FALSE(heard.heard("fd 5")) << all;  // 4 is the cancel_fd
}

TEST_F(WorkerTest, AProbeDescribesAPlugin) {
  ProcessWorker worker(DRYDOCK_STAGE, cancellation, patience);
  const ProbeResult result = worker.probe(PluginFile(SAMPLE_PLUGIN).identity());
  ASSERT_TRUE(std::holds_alternative<PluginDescription>(result));
  const auto& plugin = std::get<PluginDescription>(result);
  EXPECT_EQ(plugin.id + " " + plugin.version, "test.worker 1.2.3");
  ASSERT_EQ(plugin.stages.size(), 1u);
  EXPECT_EQ(plugin.stages[0].notes_version, 2u);
  EXPECT_EQ(plugin.stages[0].steps.size(), 5u);
  EXPECT_EQ(plugin.stages[0].steps.at(Step::verify), "/verify");
  EXPECT_EQ(plugin.stages[0].schema.text(), R"({"type": "object"})");
  EXPECT_EQ(plugin.stages[0].schema.problem(), "");
}

TEST_F(WorkerTest, MoreThanAWorkerCanBeToldIsRefused) {
  StepRequest asked = request("report");
  asked.options["text"] = std::string(5u << 20, 'x');
  EXPECT_EQ(done(perform(asked)).status, Status::bad_options);
  asked = request("report");
  for (int i = 0; i < 10; ++i) {  // notes travel one by one
    asked.notes.push_back({"note" + std::to_string(i), std::string(1u << 20, 'x')});
  }
  heard.on_line = [](const std::string&) {};
  EXPECT_TRUE(perform(asked).ok());
}

}  // namespace
}  // namespace drydock
