// drydock: parse the command line, do what it says, turn an Error into its sentence and its exit
// code.
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "command_table.h"
#include "commands.h"
#include "json_text.h"
#include "secrets.h"
#include "text.h"
#include "version.h"

namespace {

using drydock::Arguments;
using drydock::ExitCode;

struct Entry {
  const char* name;
  ExitCode (*perform)(const Arguments&);
};

constexpr std::array<Entry, 17> entries = {{
    {"init", drydock::command_init},
    {"validate", drydock::command_validate},
    {"plan", drydock::command_plan},
    {"run", drydock::command_run},
    {"rehearse", drydock::command_rehearse},
    {"attach", drydock::command_attach},
    {"cancel", drydock::command_cancel},
    {"resume", drydock::command_resume},
    {"rollback", drydock::command_rollback},
    {"status", drydock::command_status},
    {"history", drydock::command_history},
    {"backups", drydock::command_backups},
    {"rollout", drydock::command_rollout},
    {"show", drydock::command_show},
    {"logs", drydock::command_logs},
    {"stages", drydock::command_stages},
    {"plugin", drydock::command_plugin},
}};

// The first file that is opened would else be what everybody takes for standard output, and get
// what is printed.
void open_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0)
      ::open("/dev/null", O_RDWR);  // gets the lowest number that is free
  }
}

// A core has every secret in it, and is left in the deployment. Also for what is started from here.
void leave_no_core() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CORE, &limit) != 0) return;
  limit.rlim_cur = 0;
  ::setrlimit(RLIMIT_CORE, &limit);
}

// Whether it changes nothing, so that nothing is done where nobody could be told.
bool only_tells(const Arguments& arguments) {
  constexpr std::array tellers = {"validate",       "plan",           "status",      "history",
                                  "show",           "logs",           "stages",      "backups list",
                                  "backups verify", "plugin check",   "plugin list", "rollout plan",
                                  "rollout status", "rollout history"};
  if (arguments.help || arguments.command.empty()) return true;
  std::string name = arguments.command;
  if (!drydock::actions_of(*drydock::find_command(name)).empty()) {
    name += " " + arguments.positional.front();
  }
  return !arguments.prune && std::find(tellers.begin(), tellers.end(), name) != tellers.end();
}

// A reader that has read enough (`| head`) misses nothing.
bool reader_has_left() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP)) != 0;
}

// What was printed may have got nowhere. The code of a run says what became of the application, and
// stays.
int end(const Arguments& arguments, ExitCode code) {
  std::cout.flush();
  if (!std::cout && !reader_has_left()) {
    std::cerr << "drydock: what was printed could not be written whole; is the disk of standard "
                 "output full?\n";
    if (code == ExitCode::done && only_tells(arguments)) code = ExitCode::refused;
  }
  return static_cast<int>(code);
}

// A sentence quotes what was found, which may be the value of a secret.
int fail(std::string sentence, ExitCode code, bool json, const drydock::Masker& masker,
         std::vector<std::string> details = {}) {
  sentence = masker.mask_sentence(std::move(sentence));
  for (std::string& detail : details) detail = masker.mask_sentence(std::move(detail));
  if (json) {
    nlohmann::json document = {{"error", sentence}, {"exit_code", static_cast<int>(code)}};
    if (!details.empty()) document["details"] = details;
    std::cout << drydock::indented(document);
  }
  std::cerr << "drydock: " << drydock::make_visible(sentence) << "\n";
  for (const std::string& detail : details) {
    std::cerr << "  " << drydock::make_visible(detail) << "\n";
  }
  return static_cast<int>(code);
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_streams();
  leave_no_core();
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> words(argv + 1, argv + argc);
  // Known also where the rest of the command line is wrong.
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();
  const auto masker = std::make_shared<drydock::Masker>();
  Arguments arguments;
  try {
    arguments = drydock::parse_command_line(words);
    arguments.masker = masker;
    if (arguments.version) {
      std::cout << "drydock " << drydock::version << " (plugin ABI " << drydock::abi_version
                << ")\n";
      return end(arguments, ExitCode::done);
    }
    if (arguments.help || arguments.command.empty()) {
      std::cout << drydock::help_text(arguments);
      return end(arguments, arguments.help ? ExitCode::done : ExitCode::refused);
    }
    for (const Entry& entry : entries) {
      if (arguments.command == entry.name) return end(arguments, entry.perform(arguments));
    }
  } catch (const drydock::Error& e) {
    return fail(e.what(), e.code(), json, *masker, e.details());
  } catch (const std::exception& e) {
    return fail("something that Drydock did not foresee went wrong (" + std::string(e.what()) +
                    "); `drydock status` says whether a run was interrupted",
                ExitCode::needs_person, json, *masker);
  }
  return static_cast<int>(ExitCode::refused);
}
