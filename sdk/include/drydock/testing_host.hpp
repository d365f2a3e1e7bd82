// drydock/testing_host.hpp: the functions of the fake host of testing.hpp, which includes this.
// Each holds the step's lock, and none returns to a step that has died.
#pragma once

#include "drydock/testing.hpp"

namespace drydock::testing {

struct FakeHost::HostFunctions {
  static drydock_status log(const drydock_call* call, std::int32_t level, drydock_bytes line) {
    const Entry entry(call);
    entry.host.logs.push_back({level, std::string(view(line))});
    return DRYDOCK_OK;
  }
  static drydock_status progress(const drydock_call* call, std::uint64_t done, std::uint64_t total,
                                 const char* unit) {
    const Entry entry(call);
    entry.host.progress.push_back({done, total, text(unit)});
    return DRYDOCK_OK;
  }
  static drydock_status fail(const drydock_call* call, drydock_bytes sentence) {
    const Entry entry(call);
    entry.current.failure = view(sentence);
    return DRYDOCK_OK;
  }
  static std::int32_t cancelled(const drydock_call* call) {
    const Entry entry(call);
    return is_readable(call->cancel_fd) ? 1 : 0;
  }
  static drydock_status option(const drydock_call* call, const char* pointer, drydock_value* out) {
    const Entry entry(call);
    if (out == nullptr || out->struct_size < sizeof *out) {
      return entry.violation("option() needs struct_size set to sizeof(drydock_value)");
    }
    const Option* found = entry.host.options_.find(pointer);
    if (found == nullptr) return DRYDOCK_NOT_FOUND;
    *out = found->raw();
    return DRYDOCK_OK;
  }
  static drydock_status option_key(const drydock_call* call, const char* pointer, std::size_t index,
                                   drydock_bytes* out) {
    const Entry entry(call);
    const Option* found = entry.host.options_.find(pointer);
    const std::string* key = found == nullptr ? nullptr : found->key_at(index);
    if (key == nullptr) return DRYDOCK_NOT_FOUND;
    *out = {key->data(), key->size()};
    return DRYDOCK_OK;
  }
  static drydock_status secret(const drydock_call* call, const char* pointer, drydock_bytes* out) {
    const Entry entry(call);
    const auto found = entry.host.secrets_.find(pointer);
    if (found == entry.host.secrets_.end()) return DRYDOCK_NOT_FOUND;
    *out = {found->second.data(), found->second.size()};
    return DRYDOCK_OK;
  }
  static drydock_status output(const drydock_call* call, const char* name, drydock_bytes value,
                               std::uint32_t flags) {
    const Entry entry(call);
    const std::string& step = entry.current.step;
    if (step == "plan" ? (flags & DRYDOCK_OUTPUT_PLANNED) == 0
                       : step != "run" && step != "verify") {
      return entry.violation("only run and verify put out values, and plan with the flag PLANNED");
    }
    if (text(name).empty() || text(name).find_first_not_of(name_characters) != std::string::npos) {
      return entry.violation("an output's name is of letters, digits, '_' and '-'");
    }
    if ((flags & ~std::uint32_t{DRYDOCK_OUTPUT_SECRET | DRYDOCK_OUTPUT_PROMOTE |
                                DRYDOCK_OUTPUT_PLANNED}) != 0) {
      return entry.violation("output() with flags that stage.h does not name");
    }
    entry.host.outputs[name] = {std::string(view(value)), (flags & DRYDOCK_OUTPUT_SECRET) != 0,
                                (flags & DRYDOCK_OUTPUT_PROMOTE) != 0,
                                (flags & DRYDOCK_OUTPUT_PLANNED) != 0};
    return DRYDOCK_OK;
  }
  static drydock_status artifact(const drydock_call* call, const char* name, const char* path,
                                 const char* description) {
    const Entry entry(call);
    if (!entry.current.changes_things()) return entry.violation("it keeps no artifacts");
    entry.host.artifacts.push_back({text(name), text(path), text(description)});
    return DRYDOCK_OK;
  }
  static drydock_status remember(const drydock_call* call, const char* key, drydock_bytes value) {
    bool dies = false;
    {
      const Entry entry(call);
      FakeHost& host = entry.host;
      if (!entry.current.changes_things()) {
        return entry.violation("it must not remember; only run, verify, rollback and settle may");
      }
      if (value.size > std::size_t{1024} * 1024) {
        return entry.violation("the note " + text(key) + " is larger than 1 MiB");
      }
      for (const auto& secret : host.secrets_) {
        if (secret.second.size() >= 6 && view(value).find(secret.second) != std::string::npos) {
          return entry.violation("the note " + text(key) + " contains the secret " + secret.first);
        }
      }
      const int n = ++entry.current.remembered;
      dies = n == host.die_before_remember_ || n == host.die_at_remember_;
      if (n != host.die_before_remember_) host.keep(key, view(value));
    }
    if (dies) die(*static_cast<Current*>(call->host_data));
    return DRYDOCK_OK;
  }
  static drydock_status recall(const drydock_call* call, const char* key, drydock_bytes* out) {
    const Entry entry(call);
    const std::optional<std::string> found = entry.host.note(key);
    if (!found) return DRYDOCK_NOT_FOUND;
    *out = entry.lend(*found);
    return DRYDOCK_OK;
  }
  static drydock_status note_at(const drydock_call* call, std::size_t index, drydock_bytes* key,
                                drydock_bytes* value) {
    const Entry entry(call);
    if (index >= entry.host.notes.size()) return DRYDOCK_NOT_FOUND;
    *key = entry.lend(entry.host.notes[index].key);
    *value = entry.lend(entry.host.notes[index].value);
    return DRYDOCK_OK;
  }
  static drydock_status input(const drydock_call* call, const char* path) {
    const Entry entry(call);
    if (entry.current.step != "plan") return entry.violation("only plan reports inputs");
    entry.host.inputs.push_back(text(path));
    return DRYDOCK_OK;
  }
  static drydock_status change(const drydock_call* call, const drydock_change* change) {
    const Entry entry(call);
    if (entry.current.step != "plan") return entry.violation("only plan reports changes");
    if (change->struct_size < sizeof *change) {
      return entry.violation("change() needs struct_size set to sizeof(drydock_change)");
    }
    if (!is_one_of(change->what, {"file", "variable", "image", "service", "database", "revision",
                                  "command", "request", "rollback"}) ||
        !is_one_of(change->action, {"add", "change", "remove", "keep", "start", "stop", "retire",
                                    "pull", "save", "run", "check", "lose"}) ||
        (is_one_of(change->action, {"lose"}) && !is_one_of(change->what, {"rollback"})) ||
        change->name == nullptr || change->disk_bytes < -1) {
      return entry.violation("change() with '" + text(change->what) + "', '" +
                             text(change->action) + "' and " + std::to_string(change->disk_bytes) +
                             " bytes, which stage.h does not allow");
    }
    entry.host.changes.push_back({text(change->what), text(change->action), text(change->name),
                                  std::string(view(change->before)),
                                  std::string(view(change->after)), text(change->detail),
                                  change->disk_bytes, text(change->rollback_loses)});
    return DRYDOCK_OK;
  }
  static drydock_status fact(const drydock_call* call, const char* name, drydock_bytes value,
                             std::uint32_t kind) {
    const Entry entry(call);
    const bool found = entry.current.step == "run" && (kind & DRYDOCK_MUST_RETURN) == 0;
    if (entry.current.step != "observe" && !found)
      return entry.violation("only observe reports facts, and run what is informational");
    if ((kind & ~std::uint32_t{DRYDOCK_MUST_RETURN | DRYDOCK_FACT_SECRET}) != 0) {
      return entry.violation("fact() with a kind that stage.h does not name");
    }
    entry.host.facts[name] = {std::string(view(value)), (kind & DRYDOCK_MUST_RETURN) != 0,
                              (kind & DRYDOCK_FACT_SECRET) != 0};
    return DRYDOCK_OK;
  }
  static drydock_status run_process(const drydock_call* call, const drydock_process* raw,
                                    drydock_exit* out) {
    Process process;
    std::size_t number = 0;
    std::function<Result(const Process&)> answer;
    {
      const Entry entry(call);
      if (raw->struct_size < sizeof *raw || out->struct_size < sizeof *out) {
        return entry.violation("run_process() needs struct_size set in both structs");
      }
      if (raw->arguments == nullptr || raw->arguments[0] == nullptr) {
        return entry.violation("run_process() needs at least one argument: the program");
      }
      for (auto item = raw->environment; item != nullptr && *item != nullptr; ++item) {
        if (text(*item).find('=') == std::string::npos || **item == '=') {
          return entry.violation("run_process() needs variables as NAME=value");
        }
      }
      if (raw->timeout_ms < 0) return entry.violation("run_process() with a negative timeout");
      process = from(*raw);
      entry.host.processes.push_back(process);
      number = entry.host.processes.size();
      answer = entry.host.answer_;
      if (is_readable(call->cancel_fd)) return DRYDOCK_CANCELLED;
      ++entry.current.answering;
    }
    if (process.directory.empty()) process.directory = call->deployment_dir;
    if (!process.output_file.empty()) {
      const detail::Descriptor made(detail::open_output(process.output_file, O_TRUNC));
      ::fchmod(made.fd, 0600);
    }
    // Unlocked, as the answer may cancel or end the step.
    const Result result = answer ? answer(process) : Result();
    static_cast<Current*>(call->host_data)->answered();
    int die_at = 0;
    {
      const Entry entry(call);
      die_at = entry.host.die_at_process_;
    }
    if (static_cast<std::size_t>(die_at) == number) die(*static_cast<Current*>(call->host_data));
    if (!result.cannot_start.empty()) {
      const Entry entry(call);
      entry.current.failure = result.cannot_start;
      return DRYDOCK_FAILED;
    }
    bool heard = true;
    if (process.output_file.empty()) {
      heard = deliver(call, *raw, 1, result.out);
    } else if (!result.out.empty()) {  // of a real command it stands there
      const detail::Descriptor file(detail::open_output(process.output_file, O_APPEND));
      if (!detail::write_all(file.fd, result.out)) {
        throw std::runtime_error("cannot write " + process.output_file);
      }
    }
    heard = heard && deliver(call, *raw, 2, result.err);
    if (is_readable(call->cancel_fd)) return DRYDOCK_CANCELLED;
    out->code = result.signal != 0 || result.timed_out || !heard ? -1 : result.code;
    out->signal = heard ? result.signal : SIGTERM;
    out->timed_out = result.timed_out ? 1 : 0;
    out->stopped = heard ? 0 : 1;
    return DRYDOCK_OK;
  }
  // False: on_line wants no more of it.
  static bool deliver(const drydock_call* call, const drydock_process& raw, std::int32_t stream,
                      std::string_view output) {
    while (!output.empty()) {
      const std::string_view line = output.substr(0, output.find('\n'));
      output.remove_prefix(std::min(output.size(), line.size() + 1));
      if (raw.on_line == nullptr)
        log(call, DRYDOCK_LOG_INFO, {line.data(), line.size()});
      else if (raw.on_line(raw.user, stream, {line.data(), line.size()}) != DRYDOCK_OK)
        return false;
    }
    return true;
  }
  static Process from(const drydock_process& raw) {
    Process process;
    for (auto item = raw.arguments; *item != nullptr; ++item) process.arguments.emplace_back(*item);
    for (auto item = raw.environment; item != nullptr && *item != nullptr; ++item) {
      process.environment.emplace_back(*item);
    }
    process.directory = text(raw.directory);
    process.input = view(raw.input);
    process.input_file = text(raw.input_file);
    process.output_file = text(raw.output_file);
    process.timeout = std::chrono::milliseconds(raw.timeout_ms);
    return process;
  }

 private:
  static constexpr const char* name_characters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  static bool is_one_of(const char* word, std::initializer_list<const char*> allowed) {
    return word != nullptr && std::any_of(allowed.begin(), allowed.end(), [word](const char* each) {
             return std::string_view(word) == each;
           });
  }
  static std::string_view view(drydock_bytes bytes) {
    return bytes.size == 0 ? std::string_view() : std::string_view(bytes.data, bytes.size);
  }
  static std::string text(const char* value) { return value == nullptr ? "" : value; }
};

inline const drydock_host* FakeHost::table() {
  using F = HostFunctions;
  static const drydock_host functions = {
      sizeof(drydock_host), &F::log,    &F::progress, &F::fail,     &F::cancelled,  &F::option,
      &F::option_key,       &F::secret, &F::output,   &F::artifact, &F::remember,   &F::recall,
      &F::note_at,          &F::change, &F::input,    &F::fact,     &F::run_process};
  return &functions;
}

}  // namespace drydock::testing
