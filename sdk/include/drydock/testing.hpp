// drydock/testing.hpp: a fake host, to test a stage without Drydock running. Header-only, C++17;
// needs nothing but the standard library on Linux.
//
//   drydock::testing::FakeHost host;  // with a deployment of its own, removed at the end
//   host.option("/file", "hello.txt");
//   auto planned = host.perform<Greet>("plan");
//   EXPECT_TRUE(planned.ok()) << planned.failure;
//   EXPECT_EQ(host.changes.at(0).name, "hello.txt");
//   host.die_at_remember(1);                       // the worker is killed once the note is on disk
//   EXPECT_TRUE(host.perform<Greet>("run").died);
//   EXPECT_TRUE(host.perform<Greet>("rollback").ok());
//
// What it enforces: the rules of stage.h about who may call what. A call that breaks one returns
// BUG, as the real host's would, and is listed in `violations`. What it does not do: it knows no
// JSON, so the defaults of the schema are not applied and nothing is checked against it. Set the
// options as the step is to see them: durations in milliseconds, sizes in bytes. The members of an
// object come in the order in which they were set, where the real host sorts them. Commands that
// take too long or are cancelled are killed at once, without a SIGTERM before, and the lines of a
// command come when it has ended.
//
// A step runs on a thread of its own, with the deployment as working directory of the process. A
// step that dies is parked for good at that very instruction: no destructor runs, no lock is let
// go, no file is tidied up, just as when a process is killed.
#pragma once

#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "drydock/stage.hpp"
#include "drydock/testing_expect.hpp"
#include "drydock/testing_option.hpp"
#include "drydock/testing_process.hpp"

namespace drydock::testing {

struct Note {
  std::string key;
  std::string value;
};
struct Fact {
  std::string value;
  bool must_return = false;
  bool secret = false;
  friend bool operator==(const Fact& a, const Fact& b) {
    return a.value == b.value && a.must_return == b.must_return && a.secret == b.secret;
  }
};
struct Output {
  std::string value;
  bool secret = false;
  bool promote = false;
  bool planned = false;
};
struct Artifact {
  std::string name;
  std::string path;
  std::string description;
};
struct Log {
  std::int32_t level = DRYDOCK_LOG_INFO;
  std::string text;
};
struct Progress {
  std::uint64_t done = 0;
  std::uint64_t total = 0;
  std::string unit;
};

// How a step ended.
struct StepResult {
  drydock_status status = DRYDOCK_OK;
  std::string failure;   // the sentence of fail()
  bool died = false;     // by one of the die_ hooks; status means nothing then
  bool missing = false;  // the stage type has no such step, or not with these options
  bool ok() const { return !died && status == DRYDOCK_OK; }
};

class FakeHost {
 public:
  // What the steps reported. Of the last step:
  std::vector<Change> changes;
  std::vector<std::string> inputs;  // as the plan named them
  std::map<std::string, Fact> facts;
  std::vector<Log> logs;  // also each line that a command printed and nobody asked for
  std::vector<Progress> progress;
  std::vector<Process> processes;  // every command, real or scripted; on_line is left out
  // Of all steps together. Notes may be edited, to test what an old or half-written run left.
  std::vector<Note> notes;
  std::map<std::string, Output> outputs;
  std::vector<Artifact> artifacts;
  std::vector<std::string> violations;  // rules of stage.h that a step broke

  // What the next step is told.
  std::string stage_id = "stage";
  std::string run_label = "drydock.run=test/1";
  std::uint64_t run_id = 1;
  bool interrupted = false;  // set by itself once a step died
  bool may_fetch = false;
  std::chrono::milliseconds deadline{0};  // from the step's begin; 0: none
  std::string project;
  std::vector<std::string> compose_files;  // absolute
  std::vector<std::string> profiles;
  std::string model_before;

  FakeHost() {
    std::string pattern = (std::filesystem::temp_directory_path() / "drydock-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    root_ = std::filesystem::canonical(pattern).string();
    deployment_ = made("deployment");
    private_ = made("private");
    planned_ = made("planned");
    planning_ = made("planning");
    next_ = root_ + "/next";
    if (::pipe2(cancel_pipe_, O_CLOEXEC | O_NONBLOCK) != 0) throw std::runtime_error("no pipe");
  }
  ~FakeHost() {
    ::close(cancel_pipe_[0]);
    ::close(cancel_pipe_[1]);
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // --- the world -------------------------------------------------------------------------------
  // Another folder than the empty one that the host made. It is not removed.
  void deployment(const std::string& dir) {
    deployment_ = std::filesystem::canonical(dir).string();
  }
  const std::string& deployment_dir() const { return deployment_; }
  const std::string& private_dir() const { return private_; }
  const std::string& planned_dir() const { return planned_; }
  const std::string& planning_dir() const { return planning_; }
  // Not there until a step makes it.
  const std::string& next_dir() const { return next_; }
  // Steps see none until this was called.
  const std::string& snapshot_dir() {
    if (snapshot_.empty()) snapshot_ = made("snapshot");
    return snapshot_;
  }
  // A file of the deployment.
  void write(const std::string& path, std::string_view text) const {
    const std::filesystem::path file = std::filesystem::path(deployment_) / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  std::string read(const std::string& path) const {
    std::ifstream file(std::filesystem::path(deployment_) / path, std::ios::binary);
    if (!file) throw std::runtime_error("there is no file " + path + " in the deployment");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const std::string& path) const {
    return std::filesystem::exists(
        std::filesystem::symlink_status(std::filesystem::path(deployment_) / path));
  }

  void option(const std::string& pointer, Option value) { options_.set(pointer, std::move(value)); }
  void option(const std::string& pointer, std::initializer_list<const char*> texts) {
    options_.set(pointer, std::vector<std::string>(texts.begin(), texts.end()));
  }
  void clear_options() {
    options_ = Option::object();
    secrets_.clear();
  }
  // An option that the schema marks writeOnly.
  void secret(const std::string& pointer, const std::string& value) {
    options_.set(pointer, Option::secret());
    secrets_[pointer] = value;
  }

  // Answers run_process. Without it and without run_real_processes() every command ends with 0 and
  // prints nothing.
  void on_process(std::function<Result(const Process&)> answer) { answer_ = std::move(answer); }
  void run_real_processes() {
    on_process([this](const Process& process) { return execute(process, cancel_pipe_[0]); });
  }

  // --- what goes wrong -------------------------------------------------------------------------

  // The next step is cancelled; or, from within on_process, this one.
  void cancel() {
    if (::write(cancel_pipe_[1], "x", 1) != 1) throw std::runtime_error("cannot cancel");
  }
  // The next step dies once its n-th note (1, 2, ...) is durable; before it is; or when its n-th
  // command has ended and nothing is known of that yet.
  void die_at_remember(int n) { die_at_remember_ = n; }
  void die_before_remember(int n) { die_before_remember_ = n; }
  void die_at_process(int n) { die_at_process_ = n; }
  // Called as a step dies, for what dies with it: commands that wait for input of the step's, which
  // on_process still answers.
  void on_death(std::function<void()> action) { on_death_ = std::move(action); }
  // From within on_process: the step dies here.
  [[noreturn]] void die() {
    current_->answered();
    die(*current_);
  }

  // --- performing -----------------------------------------------------------------------------
  template <class Stage>
  StepResult perform(const std::string& step) {
    return perform(*StageType<Stage>::descriptor(), step);
  }
  StepResult perform(const drydock_stage& stage, const std::string& step) {
    const drydock_step& entry = step_of(stage, step);
    StepResult result;
    if (entry.perform == nullptr || (entry.only_with != nullptr && !is_set(entry.only_with))) {
      result.missing = true;
      return result;
    }
    changes.clear();
    inputs.clear();
    facts.clear();
    logs.clear();
    progress.clear();
    processes.clear();
    const bool changing = step != "observe" && step != "plan";
    changed_ = changed_ || changing;

    auto current = std::make_shared<Current>(*this, step);
    current_ = current.get();
    fill(current->call, *current);
    const WorkingDirectory in_deployment(deployment_);
    std::thread thread([current, perform_step = entry.perform] {
      const drydock_status status = perform_step(&current->call);
      const std::lock_guard<std::mutex> lock(current->mutex);
      current->status = status;
      current->ended = true;
      current->changed.notify_all();
    });
    {
      std::unique_lock<std::mutex> lock(current->mutex);
      // What a thread of a dead step was still asking is answered while those who answer are there.
      current->changed.wait(
          lock, [&] { return current->ended || (current->gone && current->answering == 0); });
      result.died = current->dead;
      result.status = current->status;
      result.failure = current->failure;
    }
    if (result.died)
      thread.detach();
    else
      thread.join();
    if (result.status == DRYDOCK_UNKNOWN && step != "plan") {
      violations.push_back(step + " returned UNKNOWN, which only plan may");
    }
    interrupted = interrupted || result.died;
    die_at_remember_ = die_before_remember_ = die_at_process_ = 0;
    for (char drained = 0; ::read(cancel_pipe_[0], &drained, 1) == 1;) {
    }
    return result;
  }

  // --- asking -----------------------------------------------------------------------------------
  std::optional<std::string> note(const std::string& key) const {
    for (const Note& found : notes) {
      if (found.key == key) return found.value;
    }
    return std::nullopt;
  }
  // All log lines of the last step, each with its end.
  std::string log_text() const {
    std::string result;
    for (const Log& line : logs) result += line.text + "\n";
    return result;
  }

 private:
  // One step in progress. Outlives the host when the step died, since its threads may still call.
  struct Current {
    Current(FakeHost& of, std::string named) : host(of), step(std::move(named)) {}
    FakeHost& host;
    std::string step;
    drydock_call call{};
    std::vector<const char*> compose_files, profiles;
    std::deque<std::string> lent;  // what the step was handed and may keep until it returns
    std::string planned_dir, planning_dir, private_dir, failure;
    int remembered = 0;
    int answering = 0;  // commands that on_process is answering right now
    drydock_status status = DRYDOCK_OK;
    bool ended = false, dead = false, gone = false;
    std::mutex mutex;
    std::condition_variable changed;
    bool changes_things() const { return step != "observe" && step != "plan"; }
    void answered() {
      const std::lock_guard<std::mutex> lock(mutex);
      --answering;
      changed.notify_all();
    }
  };
  // A host function at work: one at a time, and none of a dead step.
  class Entry {
   public:
    explicit Entry(const drydock_call* call)
        : current(*static_cast<Current*>(call->host_data)), host(current.host) {
      current.mutex.lock();
      if (!current.dead) return;
      current.mutex.unlock();
      park();
    }
    ~Entry() { current.mutex.unlock(); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    drydock_status violation(const std::string& rule) const {
      current.failure = current.step + ": " + rule;
      host.violations.push_back(current.failure);
      return DRYDOCK_BUG;
    }
    drydock_bytes lend(std::string_view text) const {
      const std::string& kept = current.lent.emplace_back(text);
      return {kept.data(), kept.size()};
    }
    Current& current;
    FakeHost& host;
  };
  // The process-wide working directory, for as long as a step runs.
  class WorkingDirectory {
   public:
    explicit WorkingDirectory(const std::string& dir) : before_(std::filesystem::current_path()) {
      std::filesystem::current_path(dir);
    }
    ~WorkingDirectory() {
      std::error_code ignored;
      std::filesystem::current_path(before_, ignored);
    }
    WorkingDirectory(const WorkingDirectory&) = delete;
    WorkingDirectory& operator=(const WorkingDirectory&) = delete;

   private:
    std::filesystem::path before_;
  };

  [[noreturn]] static void park() {
    for (;;) ::pause();
  }
  [[noreturn]] static void die(Current& current) {
    {
      const std::lock_guard<std::mutex> lock(current.mutex);
      current.dead = true;
    }
    if (current.host.on_death_) current.host.on_death_();
    {
      const std::lock_guard<std::mutex> lock(current.mutex);
      current.gone = true;
      current.changed.notify_all();
    }
    park();
  }
  std::string made(const std::string& name) const {
    const std::string path = root_ + "/" + name;
    std::filesystem::create_directory(path);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  bool is_set(const char* pointer) const {
    const Option* found = options_.find(pointer);
    return found != nullptr && found->type() != DRYDOCK_NULL;
  }
  static const drydock_step& step_of(const drydock_stage& stage, const std::string& step) {
    if (step == "observe") return stage.observe;
    if (step == "plan") return stage.plan;
    if (step == "run") return stage.run;
    if (step == "verify") return stage.verify;
    if (step == "rollback") return stage.rollback;
    if (step == "settle") return stage.settle;
    throw std::invalid_argument("there is no step " + step);
  }
  void fill(drydock_call& call, Current& current) {
    const auto pointers = [](const std::vector<std::string>& from, std::vector<const char*>& to) {
      for (const std::string& item : from) to.push_back(item.c_str());
      to.push_back(nullptr);
      return to.data();
    };
    current.planned_dir = current.step == "plan" ? planned_ : "";
    // A test may change the world between two looks.
    current.planning_dir = current.step == "plan" ? planning_ : "";
    const bool before_a_run = current.step == "observe" && !changed_;
    current.private_dir = current.step == "plan" || before_a_run ? "" : private_;
    call.struct_size = sizeof call;
    call.host = table();
    call.host_data = &current;
    call.stage_id = stage_id.c_str();
    call.step = current.step.c_str();
    call.deployment_dir = deployment_.c_str();
    call.planned_dir = current.planned_dir.c_str();
    call.planning_dir = current.planning_dir.c_str();
    call.private_dir = current.private_dir.c_str();
    call.snapshot_dir = snapshot_.c_str();
    call.next_dir = next_.c_str();
    call.run_label = current.step == "plan" || before_a_run ? "" : run_label.c_str();
    call.run_id = current.step == "plan" || before_a_run ? 0 : run_id;
    call.attempt = ++attempts_[current.step];
    call.interrupted = interrupted ? 1 : 0;
    if (deadline.count() > 0) {
      const auto now = std::chrono::steady_clock::now().time_since_epoch();
      call.deadline_ms =
          (std::chrono::duration_cast<std::chrono::milliseconds>(now) + deadline).count();
    }
    call.may_fetch = may_fetch ? 1 : 0;
    call.cancel_fd = cancel_pipe_[0];
    call.project = project.c_str();
    call.compose_files = pointers(compose_files, current.compose_files);
    call.profiles = pointers(profiles, current.profiles);
    call.model_before = model_before.c_str();
  }

  // What stage.h's struct of functions points to: testing_host.hpp.
  struct HostFunctions;
  static const drydock_host* table();

  void keep(const std::string& key, std::string_view value) {
    for (Note& known : notes) {
      if (known.key == key) {
        known.value = value;
        return;
      }
    }
    notes.push_back({key, std::string(value)});
  }

  std::string root_, deployment_, private_, planned_, planning_, snapshot_, next_;
  Option options_ = Option::object();
  std::map<std::string, std::string> secrets_;
  std::function<Result(const Process&)> answer_;
  std::map<std::string, unsigned> attempts_;
  int cancel_pipe_[2] = {-1, -1};
  std::function<void()> on_death_;
  int die_at_remember_ = 0, die_before_remember_ = 0, die_at_process_ = 0;
  bool changed_ = false;  // a step that may change things has begun
  Current* current_ = nullptr;
};

}  // namespace drydock::testing

#include "drydock/testing_host.hpp"
