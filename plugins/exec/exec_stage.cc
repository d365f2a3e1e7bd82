#include "exec_stage.h"

#include <string>
#include <string_view>
#include <vector>

using drydock::BadOptions;
using drydock::Call;
using drydock::Exit;
using drydock::Failed;
using drydock::Process;
using drydock::Stream;

namespace {

// The one note: whether there is something to roll back.
constexpr auto state_note = "state";
constexpr auto started = "started";
constexpr auto rolled_back = "rolled back";

// What observe may print. A fact is compared and kept, so it should be a digest, not a dump.
constexpr std::size_t largest_fact = 64 * 1024;

// A list holds the arguments as they are; a text is for the shell, when the pipeline allows it.
std::vector<std::string> arguments_of(const Call& call, const std::string& pointer) {
  if (call.size(pointer) > 0) return call.texts(pointer);
  if (!call.flag("/shell")) {
    throw BadOptions("with." + pointer.substr(1) +
                     " is a text: write it as a list of program and arguments, or set shell: true");
  }
  return {"/bin/sh", "-c", call.text(pointer)};
}

std::string quoted(const std::string& argument) {
  constexpr std::string_view plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=@%+,-";
  if (!argument.empty() && argument.find_first_not_of(plain) == std::string::npos) return argument;
  std::string result = "'";
  for (char c : argument) {
    if (c == '\'')
      result += "'\\''";
    else
      result += c;
  }
  return result + "'";
}

// The command as one would type it.
std::string typed(const Call& call, const std::string& pointer) {
  if (call.size(pointer) == 0) return call.text(pointer);
  std::string result;
  for (const std::string& argument : call.texts(pointer)) {
    if (!result.empty()) result += ' ';
    result += quoted(argument);
  }
  return result;
}

Process process_for(const Call& call, const std::string& pointer) {
  Process process;
  process.arguments = arguments_of(call, pointer);
  process.directory = call.deployment(call.text("/directory"));
  process.environment = {"DRYDOCK_STEP=" + call.step(),
                         "DRYDOCK_RUN=" + std::to_string(call.run_id()),
                         "DRYDOCK_PRIVATE_DIR=" + call.private_dir()};
  for (const std::string& key : call.keys("/environment")) {
    process.environment.push_back(key + "=" + call.text(Call::member("/environment", key)));
  }
  for (const std::string& key : call.keys("/secret_environment")) {
    const auto value = call.secret(Call::member("/secret_environment", key));
    process.environment.push_back(key + "=" + value.value_or(""));
  }
  return process;
}

void throw_unless_ok(const Call& call, const std::string& pointer, const Exit& exit,
                     const std::string& last_words) {
  if (exit.ok()) return;
  throw Failed("with." + pointer.substr(1) + ": " + typed(call, pointer) + " ended with " +
               exit.describe() + " instead of exit code 0" +
               (last_words.empty() ? std::string() : ": " + last_words));
}

// Runs the command, logs what it prints, and gives the last line of its standard output.
std::string run_command(const Call& call, const std::string& pointer) {
  std::string last_out;
  std::string last_err;
  Process process = process_for(call, pointer);
  process.on_line = [&](Stream stream, std::string_view line) {
    call.info(line);
    if (!line.empty()) (stream == Stream::out ? last_out : last_err) = line;
  };
  const Exit exit = call.run(process);
  throw_unless_ok(call, pointer, exit, last_err);
  return last_out;
}

}  // namespace

void Exec::observe(Call& call) {
  const drydock::Captured captured = call.capture(process_for(call, "/observe"));
  throw_unless_ok(call, "/observe", captured.exit, captured.err.substr(0, captured.err.find('\n')));
  if (captured.out.size() > largest_fact) {
    throw Failed("with.observe: " + typed(call, "/observe") + " printed " +
                 std::to_string(captured.out.size()) + " bytes, at most " +
                 std::to_string(largest_fact) + " are kept: print a checksum instead");
  }
  call.fact("observed", captured.out);
}

void Exec::plan(Call& call) {
  for (const char* pointer : {"/command", "/verify", "/observe", "/rollback"}) {
    if (call.has(pointer)) arguments_of(call, pointer);
  }
  drydock::Change change{"command", "run", typed(call, "/command")};
  change.detail = call.has("/rollback") ? "a rollback runs: " + typed(call, "/rollback")
                                        : "a rollback does not undo it";
  call.change(change);
}

void Exec::run(Call& call) {
  // Without a rollback command nobody reads the note, and each note costs a write to the disk.
  if (call.has("/rollback")) call.remember(state_note, started);
  const std::string result = run_command(call, "/command");
  if (!result.empty()) call.output("result", result);
}

void Exec::verify(Call& call) { run_command(call, "/verify"); }

void Exec::rollback(Call& call) {
  if (call.recall(state_note) != started) return;
  run_command(call, "/rollback");
  call.remember(state_note, rolled_back);
}
