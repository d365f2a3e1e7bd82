// A deployment whose service `redis` is a real redis-server of this machine: what the stage asks of
// Docker Compose is done to that process. It listens on a socket in the deployment, on no port.
#pragma once

#include <signal.h>
#include <sys/wait.h>

#include <drydock/testing.hpp>

#include "redis_snapshot.h"

class RealRedis : public drydock::testing::FakeHost {
 public:
  using Result = drydock::testing::Result;
  using Process = drydock::Process;

  static bool installed() {
    for (const char* program : {"redis-server", "redis-cli"}) {
      Process process;
      process.arguments = {program, "--version"};
      process.directory = "/";
      const Result result = drydock::testing::execute(process, -1);
      if (!result.cannot_start.empty() || result.code != 0) return false;
    }
    return true;
  }

  explicit RealRedis(std::vector<std::string> with = {}) : with_(std::move(with)) {
    std::filesystem::create_directories(data());
    project = "shop";
    run_id = 7;
    option("/service", "redis");
    option("/data", "volumes/redis/data");
    option("/wait", std::chrono::milliseconds(20000));
    on_process([this](const Process& process) { return compose(process); });
    start();
  }
  ~RealRedis() { stop(SIGKILL); }

  std::string data() const { return deployment_dir() + "/volumes/redis/data"; }
  // As an application or an operator would.
  std::string ask(std::vector<std::string> command) {
    Process process;
    process.arguments = {"redis-cli", "-s", socket()};
    if (!password.empty()) process.environment = {"REDISCLI_AUTH=" + password};
    for (std::string& word : command) process.arguments.push_back(std::move(word));
    std::string out = real(process).out;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }
  drydock::testing::StepResult perform(const std::string& step) {
    return FakeHost::perform<RedisSnapshot>(step);
  }
  // The whole way back.
  drydock::testing::StepResult undo() {
    auto result = perform("rollback");
    return result.ok() ? perform("settle") : result;
  }

  void start() {
    std::vector<std::string> words = {"redis-server",
                                      "--port",
                                      "0",
                                      "--unixsocket",
                                      socket(),
                                      "--dir",
                                      data(),
                                      "--save",
                                      "",
                                      "--loglevel",
                                      "warning",
                                      "--logfile",
                                      deployment_dir() + "/log"};
    words.insert(words.end(), with_.begin(), with_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&pid_, "redis-server", nullptr, nullptr, arguments.data(), environ) != 0) {
      throw std::runtime_error("redis-server does not start");
    }
    while (ask({"PING"}).find("PONG") == std::string::npos) {
      if (::waitpid(pid_, nullptr, WNOHANG) == 0) continue;
      pid_ = 0;
      throw std::runtime_error("redis-server ended: " + read("log"));
    }
  }
  void stop(int signal = SIGTERM) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void restart(std::vector<std::string> with) {
    stop();
    with_ = std::move(with);
    start();
  }

  std::string password;         // with which ask() logs in
  bool cancel_in_save = false;  // the run is cancelled once the server has begun to save

 private:
  std::string socket() const { return deployment_dir() + "/redis.sock"; }
  Result real(Process process) const {
    process.directory = deployment_dir();
    return drydock::testing::execute(process, -1);
  }
  // docker compose --ansi never --project-directory DIR --project-name shop VERB ...
  Result compose(const Process& process) {
    const auto& words = process.arguments;
    const auto verb = std::find_if(words.begin(), words.end(), [](const std::string& word) {
      return word == "exec" || word == "ps" || word == "stop" || word == "up";
    });
    if (words[0] != "docker" || verb == words.end() || words.back() == "")
      throw std::runtime_error("what?");
    if (*verb == "ps") return {0, pid_ != 0 ? "0123456789ab\n" : "", ""};
    if (*verb == "stop") {
      stop();
    } else if (*verb == "up") {
      if (pid_ == 0) start();
    } else {
      if (pid_ == 0) return {1, "", "service \"redis\" is not running\n"};
      Process inside = process;
      inside.arguments = {"redis-cli", "-s", socket()};
      const Result result = real(inside);
      if (cancel_in_save && process.input.find("BGSAVE") != std::string::npos) cancel();
      return result;
    }
    return {};
  }

  std::vector<std::string> with_;
  pid_t pid_ = 0;
};
