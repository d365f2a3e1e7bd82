// drydock/stage.hpp: stages in C++17, on top of the C boundary of stage.h. Header-only.
//
//   #include <drydock/stage.hpp>
//
//   struct Greet {
//     static constexpr auto name = "greet";
//     static constexpr auto summary = "Write a greeting into a file";
//     static constexpr auto options = R"({
//       "type": "object", "additionalProperties": false, "required": ["file"],
//       "properties": {"file": {"type": "string", "description": "file to write"}}})";
//
//     static void plan(drydock::Call& call) {
//       call.change({"file", "add", call.text("/file")});
//     }
//     static void run(drydock::Call& call) {
//       call.remember("file", call.text("/file"));
//       std::ofstream(call.deployment(call.text("/file"))) << "hello\n";
//     }
//     static void rollback(drydock::Call& call) {
//       if (auto file = call.recall("file")) std::filesystem::remove(call.deployment(*file));
//     }
//   };
//
//   DRYDOCK_PLUGIN("org.example.greet", "1.0.0", Greet)
//
// A stage type is a struct with static members: name, summary, options (JSON Schema); the steps
// observe, plan, run, verify, rollback, settle, of which only run is required; and where wanted
// notes_version, and STEP_only_with (the JSON Pointer of an option without which that step does not
// exist). A step returns normally or throws: Failed, BadOptions, Unknown (in plan), or what the
// Call throws by itself; any other std::exception counts as Failed. No exception leaves the plugin,
// but one that leaves a thread that the step started ends the worker, as in any program.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "drydock/stage.h"
#include "drydock/stage_types.hpp"

namespace drydock {

// One step of one stage, as the plugin sees it. Borrows everything from the host; lives as long as
// the step. The members may be called from any thread of the step.
class Call {
 public:
  explicit Call(const drydock_call* call) : call_(call), host_(call->host) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  std::string stage_id() const { return call_->stage_id; }
  std::string step() const { return call_->step; }
  std::string deployment_dir() const { return call_->deployment_dir; }
  std::string planned_dir() const { return call_->planned_dir; }
  std::string planning_dir() const { return call_->planning_dir; }
  std::string private_dir() const { return call_->private_dir; }
  std::string snapshot_dir() const { return call_->snapshot_dir; }
  std::string next_dir() const { return call_->next_dir; }
  std::string run_label() const { return call_->run_label; }
  std::uint64_t run_id() const { return call_->run_id; }
  unsigned attempt() const { return call_->attempt; }
  bool interrupted() const { return call_->interrupted != 0; }
  bool may_fetch() const { return call_->may_fetch != 0; }
  int cancel_fd() const { return call_->cancel_fd; }
  // What is left until the deadline; nullopt when there is none. Never negative.
  std::optional<std::chrono::milliseconds> time_left() const {
    if (call_->deadline_ms == 0) return std::nullopt;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
    return std::max(std::chrono::milliseconds(0),
                    std::chrono::milliseconds(call_->deadline_ms) - now);
  }
  std::string project() const { return call_->project; }
  std::vector<std::string> compose_files() const { return list(call_->compose_files); }
  std::vector<std::string> profiles() const { return list(call_->profiles); }
  // The resolved Compose model from before the run's first change, as a compose file; "": none.
  std::string model_before() const { return call_->model_before; }

  // `path` below the deployment; an absolute path stays as it is.
  std::string deployment(const std::string& path) const {
    return path.empty() || path[0] == '/' ? path : deployment_dir() + "/" + path;
  }
  // The file that `path` of the deployment will be when this stage runs: in plan the planned copy,
  // where an earlier stage's plan left one; else the deployment's own.
  std::string planned(const std::string& path) const {
    if (*call_->planned_dir != '\0') {
      const std::string own = deployment_dir() + "/";
      const bool inside = path.compare(0, own.size(), own) == 0;
      if (inside || path.empty() || path[0] != '/') {
        std::string copy = planned_dir() + "/" + (inside ? path.substr(own.size()) : path);
        struct stat status {};
        if (::stat(copy.c_str(), &status) == 0) return copy;
      }
    }
    return deployment(path);
  }

  // --- options, by JSON Pointer; defaults are applied ------------------------------------------
  bool has(const std::string& pointer) const { return value(pointer).type != DRYDOCK_NULL; }
  // The option as text, "" when it is absent. Numbers and booleans as JSON writes them.
  std::string text(const std::string& pointer) const {
    const drydock_value found = value(pointer);
    switch (found.type) {
      case DRYDOCK_BOOLEAN:
        return found.boolean != 0 ? "true" : "false";
      case DRYDOCK_INTEGER:
        return std::to_string(found.integer);
      default:
        return std::string(found.text.data == nullptr ? "" : found.text.data, found.text.size);
    }
  }
  // true only for a BOOLEAN that is true.
  bool flag(const std::string& pointer) const { return value(pointer).boolean != 0; }
  // Also sizes in bytes. 0 when it is absent.
  std::int64_t integer(const std::string& pointer) const { return value(pointer).integer; }
  std::chrono::milliseconds duration(const std::string& pointer) const {
    return std::chrono::milliseconds(value(pointer).integer);
  }
  // Members of an array or object; 0 when it is absent.
  std::size_t size(const std::string& pointer) const { return value(pointer).size; }
  // An array of texts; a single text counts as an array of one.
  std::vector<std::string> texts(const std::string& pointer) const {
    const drydock_value found = value(pointer);
    if (found.type == DRYDOCK_NULL) return {};
    if (found.type != DRYDOCK_ARRAY) return {text(pointer)};
    std::vector<std::string> result;
    for (std::size_t i = 0; i < found.size; ++i) {
      result.push_back(text(pointer + "/" + std::to_string(i)));
    }
    return result;
  }
  std::vector<std::string> keys(const std::string& pointer) const {
    std::vector<std::string> result;
    drydock_bytes key{};
    for (std::size_t i = 0; host_->option_key(call_, pointer.c_str(), i, &key) == DRYDOCK_OK; ++i) {
      result.emplace_back(key.data, key.size);
    }
    return result;
  }
  // The option at pointer + "/" + key, with the key escaped as RFC 6901 asks.
  static std::string member(const std::string& pointer, std::string_view key) {
    std::string result = pointer + "/";
    for (char c : key) {
      if (c == '~')
        result += "~0";
      else if (c == '/')
        result += "~1";
      else
        result += c;
    }
    return result;
  }
  // A writeOnly option; nullopt when it is absent.
  std::optional<std::string> secret(const std::string& pointer) const {
    drydock_bytes bytes{};
    const drydock_status status = host_->secret(call_, pointer.c_str(), &bytes);
    if (status == DRYDOCK_NOT_FOUND) return std::nullopt;
    check(status);
    return std::string(bytes.data, bytes.size);
  }

  // --- what a person sees ----------------------------------------------------------------------
  void debug(std::string_view text) const { host_->log(call_, DRYDOCK_LOG_DEBUG, bytes(text)); }
  void info(std::string_view text) const { host_->log(call_, DRYDOCK_LOG_INFO, bytes(text)); }
  void warn(std::string_view text) const { host_->log(call_, DRYDOCK_LOG_WARNING, bytes(text)); }
  void error(std::string_view text) const { host_->log(call_, DRYDOCK_LOG_ERROR, bytes(text)); }
  void progress(std::uint64_t done, std::uint64_t total, const char* unit) const {
    host_->progress(call_, done, total, unit);
  }
  bool cancelled() const { return host_->cancelled(call_) != 0; }
  void throw_if_cancelled() const {
    if (cancelled()) throw Cancelled();
  }

  // --- what is kept ----------------------------------------------------------------------------
  void output(const std::string& name, std::string_view value, std::uint32_t flags = 0) const {
    check(host_->output(call_, name.c_str(), bytes(value), flags));
  }
  void artifact(const std::string& name, const std::string& path, const std::string& text) const {
    check(host_->artifact(call_, name.c_str(), path.c_str(), text.c_str()));
  }
  // On disk when this returns. Call it before the change that it describes.
  void remember(const std::string& key, std::string_view value) const {
    check(host_->remember(call_, key.c_str(), bytes(value)));
  }
  std::optional<std::string> recall(const std::string& key) const {
    drydock_bytes found{};
    const drydock_status status = host_->recall(call_, key.c_str(), &found);
    if (status == DRYDOCK_NOT_FOUND) return std::nullopt;
    check(status);
    return std::string(found.data, found.size);
  }
  // All notes whose key begins with `prefix`, in the order in which they were first remembered.
  std::vector<std::pair<std::string, std::string>> notes(std::string_view prefix = "") const {
    std::vector<std::pair<std::string, std::string>> result;
    drydock_bytes key{}, found{};
    for (std::size_t i = 0; host_->note_at(call_, i, &key, &found) == DRYDOCK_OK; ++i) {
      const std::string_view name(key.data, key.size);
      if (name.substr(0, prefix.size()) == prefix)
        result.emplace_back(name, std::string(found.data, found.size));
    }
    return result;
  }

  // What run will read; see stage.h.
  void input(const std::string& path) const { check(host_->input(call_, path.c_str())); }
  void change(const Change& planned) const {
    drydock_change raw{};
    raw.struct_size = sizeof raw;
    raw.what = planned.what.c_str();
    raw.action = planned.action.c_str();
    raw.name = planned.name.c_str();
    raw.before = bytes(planned.before);
    raw.after = bytes(planned.after);
    raw.detail = planned.detail.empty() ? nullptr : planned.detail.c_str();
    raw.disk_bytes = planned.disk_bytes;
    raw.rollback_loses = planned.rollback_loses.empty() ? nullptr : planned.rollback_loses.c_str();
    check(host_->change(call_, &raw));
  }
  // A fact that must be equal before the run and after its rollback.
  void fact(const std::string& name, std::string_view value) const {
    check(host_->fact(call_, name.c_str(), bytes(value), DRYDOCK_MUST_RETURN));
  }
  // The same for a secret value: the host keeps only an HMAC of it.
  void secret_fact(const std::string& name, std::string_view value) const {
    check(
        host_->fact(call_, name.c_str(), bytes(value), DRYDOCK_MUST_RETURN | DRYDOCK_FACT_SECRET));
  }
  void informational_fact(const std::string& name, std::string_view value) const {
    check(host_->fact(call_, name.c_str(), bytes(value), DRYDOCK_INFORMATIONAL));
  }

  // --- commands --------------------------------------------------------------------------------

  // Runs to the end, whatever the exit code. Throws Cancelled, and what on_line throws, after which
  // the command is ended. When the command cannot be started the step ends as FAILED with the
  // host's reason: that is nothing a step can catch.
  Exit run(const Process& process) const {
    std::vector<const char*> arguments = pointers(process.arguments);
    std::vector<const char*> environment = pointers(process.environment);
    Lines lines{process.on_line, nullptr};
    drydock_process raw{};
    raw.struct_size = sizeof raw;
    raw.arguments = arguments.data();
    raw.environment = environment.data();
    raw.directory = process.directory.empty() ? nullptr : process.directory.c_str();
    raw.input = bytes(process.input);
    raw.input_file = process.input_file.empty() ? nullptr : process.input_file.c_str();
    raw.output_file = process.output_file.empty() ? nullptr : process.output_file.c_str();
    raw.timeout_ms = process.timeout.count();
    raw.on_line = process.on_line ? &Lines::deliver : nullptr;
    raw.user = &lines;
    drydock_exit ended{};
    ended.struct_size = sizeof ended;
    const drydock_status status = host_->run_process(call_, &raw, &ended);
    if (lines.thrown) std::rethrow_exception(lines.thrown);
    check(status);
    return Exit{ended.code, ended.signal, ended.timed_out != 0};
  }
  // Runs and keeps what it printed, instead of logging it. Lines end with '\n' in the result.
  Captured capture(Process process) const {
    Captured captured;
    process.on_line = [&captured](Stream stream, std::string_view line) {
      (stream == Stream::out ? captured.out : captured.err).append(line).append("\n");
    };
    captured.exit = run(process);
    return captured;
  }
  // `docker compose` on the deployment's project, files and profiles; in plan on the planned files.
  Process compose(std::vector<std::string> arguments) const {
    Process process;
    process.arguments = {"docker",        "compose", "--ansi", "never", "--project-directory",
                         deployment_dir()};
    if (!project().empty()) add(process, "--project-name", project());
    const std::string own_env = deployment(".env");
    if (const std::string planned_env = planned(".env"); planned_env != own_env) {
      add(process, "--env-file", planned_env);
    }
    for (const std::string& file : compose_files()) add(process, "--file", planned(file));
    for (const std::string& profile : profiles()) add(process, "--profile", profile);
    for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
    return process;
  }

  const drydock_call* raw() const { return call_; }

 private:
  struct Lines {
    const std::function<void(Stream, std::string_view)>& on_line;
    std::exception_ptr thrown;
    static drydock_status deliver(void* user, std::int32_t stream, drydock_bytes line) noexcept {
      auto* self = static_cast<Lines*>(user);
      try {
        self->on_line(stream == 1 ? Stream::out : Stream::err,
                      std::string_view(line.data, line.size));
        return DRYDOCK_OK;
      } catch (...) {
        self->thrown = std::current_exception();
        return DRYDOCK_FAILED;
      }
    }
  };
  // The host refused; it has the sentence already.
  struct HostRefused {
    drydock_status status;
  };
  template <class>
  friend struct StageType;

  static drydock_bytes bytes(std::string_view text) { return {text.data(), text.size()}; }
  static std::vector<std::string> list(const char* const* items) {
    std::vector<std::string> result;
    for (; items != nullptr && *items != nullptr; ++items) result.emplace_back(*items);
    return result;
  }
  static std::vector<const char*> pointers(const std::vector<std::string>& items) {
    std::vector<const char*> result;
    for (const std::string& item : items) result.push_back(item.c_str());
    result.push_back(nullptr);
    return result;
  }
  static void add(Process& process, const char* option, const std::string& value) {
    process.arguments.emplace_back(option);
    process.arguments.push_back(value);
  }
  static void check(drydock_status status) {
    if (status == DRYDOCK_CANCELLED) throw Cancelled();
    if (status != DRYDOCK_OK) throw HostRefused{status};
  }
  drydock_value value(const std::string& pointer) const {
    drydock_value found{};
    found.struct_size = sizeof found;
    const drydock_status status = host_->option(call_, pointer.c_str(), &found);
    if (status == DRYDOCK_NOT_FOUND) return drydock_value{};
    check(status);
    return found;
  }

  const drydock_call* call_;
  const drydock_host* host_;
};

// The C descriptor of a stage type, made from its static members.
template <class Stage>
struct StageType {
  static const drydock_stage* descriptor() {
    static const drydock_stage made = make();
    return &made;
  }

 private:
  // Turns exceptions into a status: the only place where that happens.
  template <void (*Step)(Call&)>
  static drydock_status guarded(const drydock_call* raw) noexcept {
    const auto fail = [raw](const char* text) {
      raw->host->fail(raw, drydock_bytes{text, std::char_traits<char>::length(text)});
    };
    try {
      Call call(raw);
      Step(call);
      return DRYDOCK_OK;
    } catch (const Failed& e) {
      return fail(e.what()), DRYDOCK_FAILED;
    } catch (const BadOptions& e) {
      return fail(e.what()), DRYDOCK_BAD_OPTIONS;
    } catch (const Unknown& e) {
      return fail(e.what()), DRYDOCK_UNKNOWN;
    } catch (const Cancelled&) {
      return DRYDOCK_CANCELLED;
    } catch (const Call::HostRefused& e) {
      return e.status;
    } catch (const std::bad_alloc&) {
      return DRYDOCK_NO_MEMORY;
    } catch (const std::exception& e) {
      return fail(e.what()), DRYDOCK_FAILED;
    } catch (...) {
      return fail("the plugin threw something that is no exception"), DRYDOCK_BUG;
    }
  }

// A member that a stage type may lack: its value, or a default.
#define DRYDOCK_OPTIONAL_STEP_(step)                                                      \
  template <class S, class = void>                                                        \
  struct step##_of {                                                                      \
    static constexpr bool given = false;                                                  \
    static constexpr drydock_status (*perform)(const drydock_call*) = nullptr;            \
  };                                                                                      \
  template <class S>                                                                      \
  struct step##_of<S, std::void_t<decltype(&S::step)>> {                                  \
    static_assert(std::is_convertible<decltype(&S::step), void (*)(Call&)>::value,        \
                  "a step is: static void " #step "(drydock::Call& call)");               \
    static constexpr bool given = true;                                                   \
    static constexpr drydock_status (*perform)(const drydock_call*) = &guarded<&S::step>; \
  };                                                                                      \
  template <class S, class = void>                                                        \
  struct step##_only_with_of {                                                            \
    static constexpr const char* pointer = nullptr;                                       \
  };                                                                                      \
  template <class S>                                                                      \
  struct step##_only_with_of<S, std::void_t<decltype(S::step##_only_with)>> {             \
    static constexpr const char* pointer = S::step##_only_with;                           \
  };
  DRYDOCK_OPTIONAL_STEP_(observe)
  DRYDOCK_OPTIONAL_STEP_(plan)
  DRYDOCK_OPTIONAL_STEP_(run)
  DRYDOCK_OPTIONAL_STEP_(verify)
  DRYDOCK_OPTIONAL_STEP_(rollback)
  DRYDOCK_OPTIONAL_STEP_(settle)
#undef DRYDOCK_OPTIONAL_STEP_

  template <class S, class = void>
  struct notes_version_of : std::integral_constant<std::uint32_t, 1> {};
  template <class S>
  struct notes_version_of<S, std::void_t<decltype(S::notes_version)>>
      : std::integral_constant<std::uint32_t, S::notes_version> {};

  static drydock_stage make() {
    drydock_stage stage{};
    stage.struct_size = sizeof stage;
    stage.name = Stage::name;
    stage.summary = Stage::summary;
    stage.options_schema = Stage::options;
    stage.notes_version = notes_version_of<Stage>::value;
    stage.observe = {observe_of<Stage>::perform, observe_only_with_of<Stage>::pointer};
    stage.plan = {plan_of<Stage>::perform, plan_only_with_of<Stage>::pointer};
    static_assert(run_of<Stage>::given,
                  "a stage type has the step: static void run(drydock::Call& call)");
    stage.run = {run_of<Stage>::perform, nullptr};
    stage.verify = {verify_of<Stage>::perform, verify_only_with_of<Stage>::pointer};
    stage.rollback = {rollback_of<Stage>::perform, rollback_only_with_of<Stage>::pointer};
    stage.settle = {settle_of<Stage>::perform, settle_only_with_of<Stage>::pointer};
    return stage;
  }
};

template <class... Stages>
const drydock_plugin* plugin(const char* id, const char* version) {
  static const drydock_stage* const stages[] = {StageType<Stages>::descriptor()...};
  static const drydock_plugin made = {
      sizeof(drydock_plugin), DRYDOCK_ABI_MAJOR, DRYDOCK_ABI_MINOR, id, version, stages,
      sizeof...(Stages)};
  return &made;
}

}  // namespace drydock

// Registers the plugin: exports drydock_plugin_v1 and writes the note. Once per .so file.
#define DRYDOCK_PLUGIN(plugin_id, plugin_version, ...)                \
  extern "C" {                                                        \
  DRYDOCK_NOTE(plugin_id, plugin_version);                            \
  DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {      \
    return ::drydock::plugin<__VA_ARGS__>(plugin_id, plugin_version); \
  }                                                                   \
  }
