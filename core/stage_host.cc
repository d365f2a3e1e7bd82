#include "stage_host.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "abi_struct.h"
#include "wire_messages.h"

namespace drydock {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t largest_note = 1u << 20;
constexpr std::size_t longest_text = 64u << 10;  // of a log line and of a reason
constexpr std::size_t longest_name = 4096;       // of notes, facts, outputs
constexpr std::chrono::milliseconds progress_period(100);

std::string copy(drydock_bytes bytes) {
  return bytes.data == nullptr ? std::string() : std::string(bytes.data, bytes.size);
}
std::string copy(const char* text) { return text == nullptr ? std::string() : text; }

std::string cut(std::string text) {
  if (text.size() > longest_text) text = text.substr(0, longest_text) + " ... (cut)";
  return text;
}

bool is_one_of(const char* word, std::initializer_list<const char*> allowed) {
  return word != nullptr && std::any_of(allowed.begin(), allowed.end(), [word](const char* each) {
           return std::string_view(word) == each;
         });
}

// What `${{ stages.ID.outputs.NAME }}` can name.
bool is_output_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_name(const char* name) {
  return name != nullptr && *name != '\0' && std::char_traits<char>::length(name) <= longest_name;
}

std::vector<const char*> pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const std::string& text : texts) result.push_back(text.c_str());
  result.push_back(nullptr);
  return result;
}

StageHost& host_of(const drydock_call* call) { return *static_cast<StageHost*>(call->host_data); }

// A member of StageHost as a function of the C table.
template <auto member>
struct Table;
template <class Result, class... Arguments, Result (StageHost::*member)(Arguments...)>
struct Table<member> {
  static Result call(const drydock_call* call, Arguments... arguments) noexcept {
    return (host_of(call).*member)(arguments...);
  }
};
template <class Result, class... Arguments, Result (StageHost::*member)(Arguments...) const>
struct Table<member> {
  static Result call(const drydock_call* call, Arguments... arguments) noexcept {
    return (host_of(call).*member)(arguments...);
  }
};

const drydock_host table = {
    sizeof(drydock_host),
    &Table<&StageHost::log>::call,
    &Table<&StageHost::progress>::call,
    &Table<&StageHost::fail>::call,
    &Table<&StageHost::cancelled>::call,
    &Table<&StageHost::option>::call,
    &Table<&StageHost::option_key>::call,
    &Table<&StageHost::secret>::call,
    &Table<&StageHost::output>::call,
    &Table<&StageHost::artifact>::call,
    &Table<&StageHost::remember>::call,
    &Table<&StageHost::recall>::call,
    &Table<&StageHost::note_at>::call,
    &Table<&StageHost::change>::call,
    &Table<&StageHost::input>::call,
    &Table<&StageHost::fact>::call,
    &Table<&StageHost::run_process>::call,
};

}  // namespace

StageHost::StageHost(StageChannel& channel, const StepRequest& request, const StageTimes& times)
    : channel_(channel),
      request_(request),
      times_(times),
      options_(request.options, request.secrets),
      cancel_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      compose_files_(pointers(request.compose_files)),
      profiles_(pointers(request.profiles)) {
  for (const Note& note : request.notes) keep(note.key, note.value);
  commands_.deployment_dir = request.deployment_dir;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    commands_.environment.emplace_back(*entry);
  }
  commands_.cancel_fd = cancel_fd_.get();
  commands_.grace = times.command_grace;
  commands_.line = [this](int, std::string_view line) {
    log(DRYDOCK_LOG_INFO, {line.data(), line.size()});
  };
}

const drydock_call* StageHost::begin(Step step) {
  step_ = step;
  {
    const std::lock_guard lock(mutex_);
    reason_.clear();
    bug_ = false;
    last_progress_ = {};
    complete_told_ = false;
  }
  call_ = {};
  call_.struct_size = sizeof call_;
  call_.host = &table;
  call_.host_data = this;
  call_.stage_id = request_.stage_id.c_str();
  call_.step = name_of(step).data();  // a literal
  call_.deployment_dir = request_.deployment_dir.c_str();
  // Beside plans, a rehearsal has planned files.
  call_.planned_dir = step == Step::observe ? "" : request_.planned_dir.c_str();
  call_.planning_dir = request_.planning_dir.c_str();
  call_.private_dir = step == Step::plan ? "" : request_.private_dir.c_str();
  call_.snapshot_dir = request_.snapshot_dir.c_str();
  call_.next_dir = request_.next_dir.c_str();
  call_.run_label = step == Step::plan ? "" : request_.run_label.c_str();
  call_.run_id = request_.run_id;
  call_.attempt = request_.attempt;
  call_.interrupted = request_.interrupted ? 1 : 0;
  call_.deadline_ms = times_.deadline_ms;
  call_.may_fetch = step == Step::plan && request_.may_fetch ? 1 : 0;
  call_.cancel_fd = cancel_fd_.get();
  call_.project = request_.project.c_str();
  call_.compose_files = compose_files_.data();
  call_.profiles = profiles_.data();
  call_.model_before = request_.model_before.c_str();
  return &call_;
}

Done StageHost::end(drydock_status returned) {
  const std::lock_guard lock(mutex_);
  if (bug_) return {Status::bug, reason_};
  switch (returned) {
    case DRYDOCK_OK:
      return {Status::ok, ""};
    case DRYDOCK_FAILED:
      return {Status::failed, reason_.empty() ? "The stage failed and gave no reason." : reason_};
    case DRYDOCK_BAD_OPTIONS:
      return {Status::bad_options, reason_};
    case DRYDOCK_CANCELLED:
      return {Status::cancelled, reason_};
    case DRYDOCK_BUG:
      return {Status::bug, reason_.empty() ? "The stage reported a bug of its own." : reason_};
    case DRYDOCK_UNKNOWN:
      if (step_ == Step::plan) return {Status::unknown, reason_};
      return {Status::bug, "The stage returned the status UNKNOWN from its step " +
                               std::string(name_of(step_)) + ", and only plan may."};
    case DRYDOCK_NO_MEMORY:
      return {Status::no_memory, ""};  // the runner knows the limit
    default:
      return {Status::bug, "The stage returned the status " + std::to_string(returned) +
                               ", which a step must not return."};
  }
}

void StageHost::remembered(std::optional<std::string> refused) {
  const std::lock_guard lock(answer_mutex_);
  answered_ = true;
  answer_ = std::move(refused);
  answer_came_.notify_one();
}

void StageHost::cancel() {
  // Readable from now on; a second cancel adds to the counter and changes nothing.
  ::eventfd_write(cancel_fd_.get(), 1);
}

drydock_status StageHost::broke(const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  // The first broken rule explains the others.
  if (!bug_) reason_ = "The stage broke a rule of the plugin boundary: " + sentence + ".";
  bug_ = true;
  return DRYDOCK_BUG;
}

void StageHost::set_reason(std::string sentence) {
  const std::lock_guard lock(mutex_);
  if (!bug_) reason_ = cut(std::move(sentence));
}

drydock_status StageHost::send(std::string_view kind, const nlohmann::json& body,
                               const char* what) {
  if (channel_.send(kind, body)) return DRYDOCK_OK;
  return broke(std::string(what) + " was larger than 4 MiB");
}

drydock_status StageHost::send_later(std::string_view kind, const nlohmann::json& body,
                                     const char* what) {
  if (channel_.send_later(kind, body)) return DRYDOCK_OK;
  return broke(std::string(what) + " was larger than 4 MiB");
}

drydock_status StageHost::log(std::int32_t level, drydock_bytes text) {
  if (level < DRYDOCK_LOG_DEBUG || level > DRYDOCK_LOG_ERROR) {
    return broke("log() was called with the level " + std::to_string(level));
  }
  return send("log", log_body({static_cast<LogLevel>(level), cut(copy(text))}), "a log line");
}

drydock_status StageHost::progress(std::uint64_t done, std::uint64_t total, const char* unit) {
  {
    const std::lock_guard lock(mutex_);
    const auto now = Clock::now();
    const bool complete = total != 0 && done >= total && !complete_told_;
    if (!complete && now - last_progress_ < progress_period) return DRYDOCK_OK;
    last_progress_ = now;
    complete_told_ = complete || (complete_told_ && done >= total);
  }
  return send("progress", progress_body({done, total, copy(unit).substr(0, 64)}), "progress");
}

drydock_status StageHost::fail(drydock_bytes text) {
  set_reason(copy(text));
  return DRYDOCK_OK;
}

std::int32_t StageHost::cancelled() const {
  pollfd waiting{cancel_fd_.get(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1 ? 1 : 0;
}

drydock_status StageHost::option(const char* pointer, drydock_value* out) {
  if (pointer == nullptr || !is_whole(out)) {
    return broke("option() was called without a pointer, or with a value without its size");
  }
  return options_.value(pointer, *out);
}

drydock_status StageHost::option_key(const char* pointer, std::size_t index, drydock_bytes* out) {
  if (pointer == nullptr || out == nullptr) return broke("option_key() was called with NULL");
  return options_.key(pointer, index, *out);
}

drydock_status StageHost::secret(const char* pointer, drydock_bytes* out) {
  if (pointer == nullptr || out == nullptr) return broke("secret() was called with NULL");
  return options_.secret(pointer, *out);
}

drydock_status StageHost::output(const char* name, drydock_bytes value, std::uint32_t flags) {
  const bool planned = (flags & DRYDOCK_OUTPUT_PLANNED) != 0;
  if (is_step(Step::plan) ? !planned : !is_step(Step::run) && !is_step(Step::verify)) {
    return broke("output() was called in " + std::string(name_of(step_)) +
                 ", and only run and verify may, and plan with the flag PLANNED");
  }
  if (!is_name(name) || !is_output_name(name)) {
    return broke("output() was called without a name of letters, digits, '_' and '-'");
  }
  if ((flags & ~std::uint32_t{DRYDOCK_OUTPUT_SECRET | DRYDOCK_OUTPUT_PROMOTE |
                              DRYDOCK_OUTPUT_PLANNED}) != 0) {
    return broke("output() was called with the flags " + std::to_string(flags));
  }
  return send_later("output",
                    output_body({name, copy(value), (flags & DRYDOCK_OUTPUT_SECRET) != 0,
                                 (flags & DRYDOCK_OUTPUT_PROMOTE) != 0, planned}),
                    "an output");
}

drydock_status StageHost::artifact(const char* name, const char* path, const char* description) {
  if (is_step(Step::observe) || is_step(Step::plan)) {
    return broke("artifact() was called in " + std::string(name_of(step_)) +
                 ", which changes nothing and so keeps nothing");
  }
  if (!is_name(name) || !is_name(path)) {
    return broke("artifact() was called without a name or a path");
  }
  return send_later("artifact", artifact_body({name, path, copy(description)}), "an artifact");
}

drydock_status StageHost::remember(const char* key, drydock_bytes value) {
  if (is_step(Step::observe) || is_step(Step::plan)) {
    return broke("remember() was called in " + std::string(name_of(step_)) +
                 ", which changes nothing and so has nothing to remember");
  }
  if (!is_name(key)) return broke("remember() was called without a key");
  if (value.size > largest_note) {
    return broke("the note '" + std::string(key) + "' has " + std::to_string(value.size) +
                 " bytes, and 1 MiB is allowed; put it into a file of the private directory");
  }
  const std::lock_guard one_at_a_time(remembering_);
  const Note note{key, copy(value)};
  {
    const std::lock_guard lock(answer_mutex_);
    answered_ = false;
  }
  channel_.send("remember", note_body(note));
  std::unique_lock lock(answer_mutex_);
  answer_came_.wait(lock, [this] { return answered_; });
  if (answer_) return broke(*answer_);
  lock.unlock();
  keep(note.key, note.value);
  return DRYDOCK_OK;
}

void StageHost::keep(const std::string& key, std::string value) {
  const std::lock_guard lock(mutex_);
  const std::string_view kept = kept_texts_.emplace_back(std::move(value));
  const auto known = std::find_if(notes_.begin(), notes_.end(),
                                  [&](const KeptNote& note) { return note.key == key; });
  if (known == notes_.end()) {
    notes_.push_back({kept_texts_.emplace_back(key), kept});
  } else {
    known->value = kept;
  }
}

drydock_status StageHost::recall(const char* key, drydock_bytes* out) {
  if (key == nullptr || out == nullptr) return broke("recall() was called with NULL");
  const std::lock_guard lock(mutex_);
  for (const KeptNote& note : notes_) {
    if (note.key != key) continue;
    *out = {note.value.data(), note.value.size()};
    return DRYDOCK_OK;
  }
  return DRYDOCK_NOT_FOUND;
}

drydock_status StageHost::note_at(std::size_t index, drydock_bytes* key, drydock_bytes* value) {
  if (key == nullptr || value == nullptr) return broke("note_at() was called with NULL");
  const std::lock_guard lock(mutex_);
  if (index >= notes_.size()) return DRYDOCK_NOT_FOUND;
  *key = {notes_[index].key.data(), notes_[index].key.size()};
  *value = {notes_[index].value.data(), notes_[index].value.size()};
  return DRYDOCK_OK;
}

drydock_status StageHost::change(const drydock_change* theirs) {
  if (!is_step(Step::plan)) {
    return broke("change() was called in " + std::string(name_of(step_)) + ", and only plan may");
  }
  const drydock_change change = is_whole(theirs) ? own_copy(theirs) : drydock_change{};
  if (!is_one_of(change.what, {"file", "variable", "image", "service", "database", "revision",
                               "command", "request", "rollback"}) ||
      !is_one_of(change.action, {"add", "change", "remove", "keep", "start", "stop", "retire",
                                 "pull", "save", "run", "check", "lose"}) ||
      change.name == nullptr) {
    return broke(
        "change() was called without its size, with a what or an action that stage.h does "
        "not name, or without a name");
  }
  if (is_one_of(change.action, {"lose"}) && !is_one_of(change.what, {"rollback"})) {
    return broke("change() was called with the action lose of something else than rollback");
  }
  if (change.disk_bytes < -1) {
    return broke("change() was called with " + std::to_string(change.disk_bytes) +
                 " bytes of disk");
  }
  PlannedChange planned;
  planned.what = change.what;
  planned.action = change.action;
  planned.name = change.name;
  planned.before = copy(change.before);
  planned.after = copy(change.after);
  planned.detail = copy(change.detail);
  planned.disk_bytes = change.disk_bytes;
  planned.rollback_loses = copy(change.rollback_loses);
  return send_later("change", change_body(planned), "a change");
}

drydock_status StageHost::input(const char* path) {
  if (!is_step(Step::plan)) {
    return broke("input() was called in " + std::string(name_of(step_)) + ", and only plan may");
  }
  if (!is_name(path)) return broke("input() was called without a path");
  return send_later("input", to_wire(path), "an input");
}

drydock_status StageHost::fact(const char* name, drydock_bytes value, std::uint32_t kind) {
  // In `run` a stage says what it found when it began to change things, which proves nothing.
  const bool found = is_step(Step::run) && (kind & DRYDOCK_MUST_RETURN) == 0;
  if (!is_step(Step::observe) && !found) {
    return broke("fact() was called in " + std::string(name_of(step_)) +
                 ", and only observe may, and run for what is informational");
  }
  if (!is_name(name)) return broke("fact() was called without a name");
  if ((kind & ~std::uint32_t{DRYDOCK_MUST_RETURN | DRYDOCK_FACT_SECRET}) != 0) {
    return broke("fact() was called with the kind " + std::to_string(kind));
  }
  return send_later("fact",
                    fact_body({name, copy(value), (kind & DRYDOCK_MUST_RETURN) != 0,
                               (kind & DRYDOCK_FACT_SECRET) != 0}),
                    "a fact");
}

drydock_status StageHost::run_process(const drydock_process* process, drydock_exit* out) {
  if (!is_whole(process) || !is_whole(out)) {
    return broke("run_process() was called without a process or an exit, or without their sizes");
  }
  std::string reason;
  drydock_exit ended = own_copy(out);
  const drydock_status status = run_command(commands_, own_copy(process), ended, reason);
  hand_over(ended, out);
  if (status == DRYDOCK_BUG) return broke(reason);
  if (!reason.empty()) set_reason(std::move(reason));
  return status;
}

}  // namespace drydock
