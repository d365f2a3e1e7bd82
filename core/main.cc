// drydock: parse the command line, do what it says, turn an Error into its sentence and its exit
// code.
#include <array>
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "json_text.h"
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

int fail(const std::string& sentence, ExitCode code, bool json,
         const std::vector<std::string>& details = {}) {
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
  std::ios::sync_with_stdio(false);
  Arguments arguments;
  try {
    arguments = drydock::parse_command_line(std::vector<std::string>(argv + 1, argv + argc));
    if (arguments.version) {
      std::cout << "drydock " << drydock::version << " (plugin ABI " << drydock::abi_version
                << ")\n";
      return 0;
    }
    if (arguments.help || arguments.command.empty()) {
      std::cout << drydock::help_text(arguments.command);
      return arguments.help ? 0 : static_cast<int>(ExitCode::refused);
    }
    for (const Entry& entry : entries) {
      if (arguments.command == entry.name) return static_cast<int>(entry.perform(arguments));
    }
  } catch (const drydock::Error& e) {
    return fail(e.what(), e.code(), arguments.json, e.details());
  } catch (const std::exception& e) {
    return fail("something that Drydock did not foresee went wrong (" + std::string(e.what()) +
                    "); `drydock status` says whether a run was interrupted",
                ExitCode::needs_person, arguments.json);
  }
  return static_cast<int>(ExitCode::refused);
}
