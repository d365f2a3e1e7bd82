// What --help prints, made from command_table.cc and the options' own texts.
#include <algorithm>
#include <sstream>

#include "command_line.h"
#include "command_options.h"
#include "command_table.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

namespace po = boost::program_options;
using Texts = std::vector<std::string>;

constexpr int width = 80;

// The words before ": ", as in "run, resume: do not ask"; none where these are not all `actions`.
Texts actions_before_colon(const std::string& text, const Texts& actions) {
  const std::size_t colon = text.find(": ");
  if (colon == std::string::npos) return {};
  Texts named = split(text.substr(0, colon), ',');
  for (std::string& each : named) {
    each.erase(0, each.find_first_not_of(' '));
    if (std::find(actions.begin(), actions.end(), each) == actions.end()) return {};
  }
  return named;
}

// A text says first which actions it is about, and again after each semicolon where that changes;
// one that says nothing of it is about all.
bool is_about(const std::string& text, const std::string& action, const Texts& actions) {
  bool of_others = false;
  for (const std::string& clause : split(text, ';')) {
    const Texts named = actions_before_colon(clause, actions);
    if (std::find(named.begin(), named.end(), action) != named.end()) return true;
    of_others = of_others || !named.empty();
  }
  return !of_others;
}

std::string overview() {
  std::ostringstream text;
  text << "Drydock upgrades a Docker Compose application as one transaction.\n\n"
          "Usage: drydock [-C DIR] COMMAND [options]\n\n";
  for (const Command& each : commands) {
    text << "  " << pad(each.name, 10) << each.summary << "\n";
  }
  text << "\n  drydock COMMAND --help   options and an example\n"
          "  drydock --version        this version\n\n"
          "Example: drydock -C /srv/app plan --var to=1.14.1\n";
  return text.str();
}

}  // namespace

std::string help_text(const Arguments& arguments) {
  const Command* command = find_command(arguments.command);
  if (command == nullptr) return overview();
  const Texts actions = actions_of(*command);
  const std::string given = arguments.positional.empty() ? "" : arguments.positional.front();
  const bool of_one = std::find(actions.begin(), actions.end(), given) != actions.end();
  const auto shown = [&](const std::string& text) {
    return !of_one || is_about(text, given, actions);
  };

  std::string operand = command->operand;
  if (of_one) operand.replace(0, operand.find(' '), given);
  std::ostringstream text;
  const std::string usage = std::string("Usage: drydock [-C DIR] ") + command->name +
                            (operand.empty() ? "" : " " + operand) + " [options]";
  for (const std::string& line : wrap(usage, width, "", "  ")) text << line << "\n";
  text << "\n" << command->summary << ".\n";
  for (const std::string& paragraph : split(command->text, '\n')) {
    if (!shown(paragraph)) continue;
    for (const std::string& line : wrap(paragraph, width, "", "  ")) text << line << "\n";
  }
  Arguments unused;
  const po::options_description all = options_of(command->groups, unused);
  po::options_description options("Options");
  for (const auto& option : all.options()) {
    if (shown(option->description())) options.add(option);
  }
  text << "\n" << options << "\n";
  std::string before = "Example: ";
  for (const std::string& example : split(command->example, '\n')) {
    if (of_one && example.find(std::string(command->name) + " " + given) == std::string::npos) {
      continue;
    }
    text << before << example << "\n";
    before = std::string(before.size(), ' ');
  }
  return text.str();
}

}  // namespace drydock
