#include "process_worker.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>

#include "conversation.h"
#include "text.h"
#include "wire_messages.h"

namespace drydock {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

// What a step may print and log; beyond that lines are only counted.
constexpr std::size_t log_limit = 16u << 20;

// A worker that performs steps: forwards what they report to the listener.
class Performance : public Conversation::Subject {
 public:
  Performance(const StepRequest& request, StepListener& listener, const WorkerPatience& patience,
              std::function<void()> at_work)
      : last(request.steps.empty() ? Step::run : request.steps.front()),
        request_(request),
        listener_(listener),
        patience_(patience),
        at_work_(std::move(at_work)) {}

  bool ask(WorkerSession& worker) override {
    if (!worker.send("request", request_body(request_))) return false;
    for (const Note& note : request_.notes) {
      if (!worker.send("note", note_body(note))) return false;
    }
    listener_.spawned(worker.group(), worker.start_time());
    return true;
  }

  void begin(WorkerSession& worker) override {
    // The same clock on both sides: it is one machine.
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    const std::int64_t deadline =
        request_.timeout ? std::chrono::duration_cast<milliseconds>(now + *request_.timeout).count()
                         : 0;
    worker.send("begin",
                {{"deadline_ms", deadline}, {"command_grace_ms", patience_.stop.count() * 2 / 3}});
  }

  bool take(const Message& message, WorkerSession& worker) override {
    const json& body = message.body;
    if (message.kind == "log") {
      LogLine line = read_log(body);
      log(line.level, line.text);
    } else if (message.kind == "progress") {
      const Progress progress = read_progress(body);
      listener_.progress(progress.done, progress.total, progress.unit);
    } else if (message.kind == "fact") {
      listener_.fact(read_fact(body));
    } else if (message.kind == "change") {
      listener_.change(read_change(body));
    } else if (message.kind == "input") {
      listener_.input(from_wire(body));
    } else if (message.kind == "output") {
      listener_.output(read_output(body));
    } else if (message.kind == "artifact") {
      listener_.artifact(read_artifact(body));
    } else if (message.kind == "remember") {
      const auto refused = listener_.remember(read_note(body));
      worker.send("remembered", refused ? to_wire(*refused) : nlohmann::json(nullptr));
    } else if (message.kind == "step") {
      last = read_step(body);
      listener_.step_begins(last);
      at_work_();
    } else if (message.kind == "done") {
      StepDone step = read_done(body);
      done = std::move(step.done);
      return done.status != Status::ok || step.step == request_.steps.back();
    } else if (message.kind == "refused") {
      wont_load = from_wire(body);
      return true;
    } else {
      throw WireError("sent a message '" + message.kind.substr(0, 40) + "' that is not known");
    }
    return false;
  }

  void line(WorkerSession::Stream stream, std::string_view text) override {
    log(stream == WorkerSession::Stream::err ? LogLevel::warning : LogLevel::info,
        std::string(text));
  }

  void left_behind(const EndedProcess& process) override {
    listener_.log(LogLevel::warning, "The step left a process behind, which was ended: " +
                                         std::to_string(process.pid) + " (" + process.command +
                                         ").");
  }

  void idle() override { listener_.idle(); }

  void say_what_was_dropped() {
    if (dropped_lines_ == 0) return;
    listener_.log(LogLevel::warning,
                  "The step printed more than " + format_size(std::int64_t{log_limit}) +
                      ": the last " + std::to_string(dropped_lines_) + " lines (" +
                      format_size(static_cast<std::int64_t>(dropped_bytes_)) + ") were dropped.");
  }

  Step last;
  Done done;
  std::optional<std::string> wont_load;

 private:
  void log(LogLevel level, const std::string& text) {
    if (logged_ + text.size() > log_limit) {
      ++dropped_lines_;
      dropped_bytes_ += text.size();
      return;
    }
    logged_ += text.size() + 1;
    listener_.log(level, text);
  }

  const StepRequest& request_;
  StepListener& listener_;
  const WorkerPatience& patience_;
  std::function<void()> at_work_;
  std::size_t logged_ = 0, dropped_lines_ = 0, dropped_bytes_ = 0;
};

// A worker that says what a plugin file is, and performs nothing. What it prints meanwhile
// interests nobody.
template <class Answer>
class Question : public Conversation::Subject {
 public:
  using Result = std::variant<Answer, Crashed, TimedOut, WontLoad>;

  Question(const char* asked, json about, const char* answer, Answer (*read)(const json&))
      : asked_(asked), about_(std::move(about)), answer_(answer), read_(read) {}

  bool ask(WorkerSession& worker) override { return worker.send(asked_, about_); }
  void begin(WorkerSession&) override {}
  bool take(const Message& message, WorkerSession&) override {
    if (message.kind == answer_) {
      result_ = read_(message.body);
    } else if (message.kind == "refused") {
      result_ = WontLoad{from_wire(message.body)};
    } else {
      throw WireError("sent a message '" + message.kind.substr(0, 40) + "' that is not known");
    }
    return true;
  }
  void line(WorkerSession::Stream, std::string_view) override {}
  void left_behind(const EndedProcess&) override {}
  void idle() override {}

  Result hold(const std::string& stage_binary, WorkerPatience patience) {
    // It changes nothing and is short, so a cancel does not wait for it either.
    patience.stop = patience.terminate = milliseconds(0);
    WorkerSession worker(stage_binary);
    if (!worker.started()) {
      return Crashed{0, "could not be started: " + worker.why_not_started()};
    }
    Conversation conversation(worker, *this, patience, nullptr, patience.probe);
    const Conversation::Ending ending = conversation.hold();
    if (std::holds_alternative<Conversation::Answered>(ending)) return std::move(result_);
    if (const auto* refused = std::get_if<Conversation::Refused>(&ending)) {
      return WontLoad{refused->reason};
    }
    if (const auto* crashed = std::get_if<Crashed>(&ending)) return *crashed;
    if (const auto* timed_out = std::get_if<TimedOut>(&ending)) return *timed_out;
    return WontLoad{"The plugin file cannot be asked: its path is too long."};
  }

 private:
  const char* asked_;
  json about_;
  const char* answer_;
  Answer (*read_)(const json&);
  Result result_;
};

std::string out_of_memory(const MemoryLimit& limit) {
  if (limit.bytes == 0) return "The stage ran out of memory: free some, or give the machine more.";
  return "The stage ran out of its limits.memory of " + format_memory(limit.bytes) + ": " +
         limit.remedy + ".";
}

// The step's own answer, in the light of what it was asked to do.
Outcome answer(const Performance& performance, const Conversation& conversation,
               const StepRequest& request) {
  if (performance.wont_load) return WontLoad{*performance.wont_load};
  const Done& done = performance.done;
  const bool stopped = done.status == Status::failed || done.status == Status::cancelled;
  // A command that it ran may have been ended first, and it took that for a failure.
  if (conversation.was_timed_out() && stopped) return TimedOut{*request.timeout};
  if (conversation.was_cancelled() && stopped) return Done{Status::cancelled, done.reason};
  if (done.status == Status::no_memory) return Done{done.status, out_of_memory(request.memory)};
  return done;
}

// A step that ignores that it gets no memory does not say so: it dies.
Crashed with_limit(Crashed crashed, const MemoryLimit& limit) {
  if (limit.bytes > 0) {
    crashed.advice = "its limits.memory is " + format_memory(limit.bytes) + ": " + limit.remedy;
  }
  return crashed;
}

}  // namespace

ProcessWorker::ProcessWorker(std::string stage_binary, const Cancellation& cancellation,
                             WorkerPatience patience)
    : stage_binary_(std::move(stage_binary)), cancellation_(cancellation), patience_(patience) {}

ProcessWorker::~ProcessWorker() = default;

std::unique_ptr<WorkerSession> ProcessWorker::take_next(const StepRequest& request) {
  if (expected_) {
    // Those before it were skipped.
    const auto found = std::find(expected_->begin(), expected_->end(), request.plugin_identity);
    if (found == expected_->end()) {
      expected_.reset();
    } else {
      expected_->erase(expected_->begin(), found + 1);
    }
  }
  const bool fits = !loaded_by_next_ || loaded_by_next_ == request.plugin_identity;
  loaded_by_next_.reset();
  // Somebody may have ended it while it waited: the kernel, when memory ran out; or the plugin.
  if (!next_ || !fits || !next_->is_alive()) {
    next_ = std::make_unique<WorkerSession>(stage_binary_);
  }
  return std::move(next_);
}

void ProcessWorker::prepare() {
  if (expected_ && expected_->empty()) return;  // the last one is at work
  if (!next_) next_ = std::make_unique<WorkerSession>(stage_binary_);
  if (!expected_ || loaded_by_next_) return;
  const FileIdentity& plugin = expected_->front();
  if (next_->send("load", plugin_body(plugin))) loaded_by_next_ = plugin;
}

void ProcessWorker::expect(std::vector<FileIdentity> plugins) {
  expected_.emplace(plugins.begin(), plugins.end());
  prepare();
}

StepResult ProcessWorker::perform(const StepRequest& request, StepListener& listener) {
  Performance performance(request, listener, patience_, [this] { prepare(); });
  const std::unique_ptr<WorkerSession> worker = take_next(request);
  if (!worker->started()) {
    return {performance.last, Crashed{0, "could not be started: " + worker->why_not_started()}};
  }
  if (request.memory.bytes > 0 && !worker->limit_memory(request.memory.bytes)) {
    return {performance.last,
            Crashed{0, "could not be limited to " + format_memory(request.memory.bytes) +
                           " of memory: " + std::strerror(errno)}};
  }
  Conversation conversation(*worker, performance, patience_,
                            request.cancellable ? &cancellation_ : nullptr, request.timeout);
  const Conversation::Ending ending = conversation.hold();
  performance.say_what_was_dropped();

  StepResult result{performance.last, Done{}};
  if (std::holds_alternative<Conversation::Answered>(ending)) {
    result.outcome = answer(performance, conversation, request);
  } else if (std::holds_alternative<Conversation::TooLarge>(ending)) {
    result.outcome =
        Done{Status::bad_options, "The options and notes of stage '" + request.stage_id +
                                      "' are larger than a worker can be told (" +
                                      format_size(std::int64_t{max_frame}) + "): shorten them."};
  } else if (const auto* refused = std::get_if<Conversation::Refused>(&ending)) {
    result.outcome = WontLoad{refused->reason};
  } else if (const auto* stopped = std::get_if<Conversation::Stopped>(&ending)) {
    const std::string ended = "did not stop within " + format_duration(stopped->waited) +
                              " after the cancel, and was ended.";
    result.outcome =
        Done{Status::cancelled,
             "It " + (stopped->died.empty() ? ended : stopped->died + " when it was cancelled.")};
  } else if (const auto* crashed = std::get_if<Crashed>(&ending)) {
    result.outcome = with_limit(*crashed, request.memory);
  } else {
    result.outcome = std::get<TimedOut>(ending);
  }
  return result;
}

ProbeResult ProcessWorker::probe(const FileIdentity& plugin_file) {
  return Question<PluginDescription>("probe", plugin_body(plugin_file), "plugin", read_description)
      .hold(stage_binary_, patience_);
}

InspectionResult ProcessWorker::inspect(const std::string& plugin_file, bool ask) {
  return Question<PluginInspection>("inspect",
                                    {{"plugin_file", to_wire(plugin_file)}, {"ask", ask}},
                                    "inspected", read_inspection)
      .hold(stage_binary_, patience_);
}

std::string describe(const Outcome& outcome) {
  if (const auto* crashed = std::get_if<Crashed>(&outcome)) {
    const std::string advice = crashed->advice.empty() ? "" : "; " + crashed->advice;
    if (crashed->signal == 0) return "crashed: it " + crashed->detail + advice;
    const char* name = ::sigabbrev_np(crashed->signal);
    std::string text =
        "crashed (" +
        (name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(crashed->signal));
    if (crashed->signal == SIGKILL) text += ": somebody killed it, or memory ran out";
    return text + ")" + advice;
  }
  if (const auto* timed_out = std::get_if<TimedOut>(&outcome)) {
    return "ran longer than its timeout of " + format_duration(timed_out->limit);
  }
  if (const auto* wont_load = std::get_if<WontLoad>(&outcome)) return wont_load->reason;
  const Done& done = std::get<Done>(outcome);
  if (!done.reason.empty()) return done.reason;
  switch (done.status) {
    case Status::ok:
      return "done";
    case Status::cancelled:
      return "cancelled";
    default:
      return "failed without a reason";
  }
}

}  // namespace drydock
