#include "command_line.h"

#include <algorithm>
#include <boost/program_options.hpp>

#include "command_options.h"
#include "command_table.h"
#include "error.h"
#include "text.h"

namespace drydock {
namespace {

namespace po = boost::program_options;

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const Command& command : commands) names.emplace_back(command.name);
  return names;
}

// Boost's own message, as a sentence of ours.
[[noreturn]] void refuse(const po::error& problem, const std::string& command,
                         const po::options_description& options) {
  std::vector<std::string> known;
  for (const auto& option : options.options()) known.push_back("--" + option->long_name());
  std::string hint;
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&problem)) {
    hint = did_you_mean(unknown->get_option_name(), known);
  }
  throw Error(command + ": " + problem.what() + hint + "; `drydock " + command +
              " --help` lists what is allowed");
}

void check_operands(const Command& command, const Arguments& arguments) {
  const std::size_t most = *command.operand == '\0' ? 0 : actions_of(command).empty() ? 1 : 2;
  if (arguments.positional.size() > most) {
    throw Error(arguments.command + ": found '" + arguments.positional[most] + "', allowed: " +
                (most == 0 ? "options only" : "one " + std::string(command.operand)));
  }
}

void check_action(const Command& command, const Arguments& arguments) {
  const std::vector<std::string> actions = actions_of(command);
  const std::string action = arguments.positional.empty() ? "" : arguments.positional.front();
  if (actions.empty() || std::find(actions.begin(), actions.end(), action) != actions.end()) return;
  throw Error(arguments.command + ": found " + (action.empty() ? "nothing" : "'" + action + "'") +
              ", allowed: " + join(actions, ", ") + did_you_mean(action, actions));
}

// Where the pipeline comes from, and its variables.
void check_pipeline_options(const Arguments& arguments) {
  if (!arguments.with.empty() && arguments.uses.empty() && arguments.command != "plugin") {
    throw Error(arguments.command + ": --with needs --uses TYPE beside it");
  }
  if (!arguments.uses.empty() && !arguments.positional.empty()) {
    throw Error(arguments.command + ": found both --uses " + arguments.uses +
                " and the pipeline '" + arguments.positional.front() + "'; give one of them");
  }
  const bool has_plan_file = !arguments.plan_file.empty();
  if (arguments.command == "run") {
    if (has_plan_file &&
        !(arguments.positional.empty() && arguments.uses.empty() && arguments.vars.empty() &&
          arguments.vars_files.empty() && !arguments.from_stdin)) {
      throw Error(
          "run: --plan holds the pipeline and its variables; give nothing of these beside it");
    }
  } else if (has_plan_file && !arguments.uses.empty()) {
    throw Error("plan: --out needs a pipeline's file, and --uses has none");
  } else if (has_plan_file && arguments.from_stdin) {
    throw Error("plan: --out saves no secrets; give variables with --var or --vars-file");
  }
  if (arguments.of_rollback &&
      (arguments.fetch || has_plan_file || !arguments.uses.empty() || !arguments.vars.empty())) {
    throw Error("plan: --rollback looks at a run that was; give nothing but its number beside it");
  }
}

// What of the other options goes together.
void check_run_options(const Arguments& arguments) {
  constexpr std::size_t longest_key = 200;
  if (arguments.key.size() > longest_key || !is_utf8(arguments.key)) {
    throw Error(arguments.command + ": found a --key of " + std::to_string(arguments.key.size()) +
                " bytes, allowed: text of at most " + std::to_string(longest_key) + " bytes");
  }
  const bool agreed = arguments.yes || !arguments.plan_file.empty();
  if (arguments.detach && !agreed) {
    throw Error(arguments.command +
                ": --detach cannot ask, since nobody is there to answer; look at "
                "`drydock plan`, then add --yes");
  }
  if (arguments.command == "history" && !arguments.prune &&
      (arguments.yes || arguments.keep || arguments.older_than)) {
    throw Error("history: --keep, --older-than and --yes are about removing runs; add --prune");
  }
  if (arguments.from != 1 && !arguments.events) {
    throw Error(arguments.command + ": --from counts events; add --events");
  }
  if (arguments.json && arguments.events) {
    throw Error(arguments.command + ": found both --json and --events; give one of them");
  }
}

// Which of the options goes with what is to be done.
void check_backups(const Arguments& arguments) {
  const std::string& action = arguments.positional.front();
  const auto only_for = [&](bool given, const std::string& option, const std::string& allowed) {
    if (!given || action == allowed) return;
    throw Error("backups " + action + ": " + option + " is for `backups " + allowed + "`");
  };
  only_for(arguments.trial_restore, "--restore", "verify");
  only_for(!arguments.only.empty(), "--only", "restore");
  only_for(arguments.set_aside, "--set-aside", "prune");
  only_for(arguments.keep.has_value(), "--keep", "prune");
  only_for(arguments.older_than.has_value(), "--older-than", "prune");
  if (action == "prune" && arguments.positional.size() > 1) {
    throw Error("backups prune: found '" + arguments.positional[1] +
                "'; runs go by --keep and --older-than");
  }
}

}  // namespace

Arguments parse_command_line(const std::vector<std::string>& words) {
  Arguments arguments;
  arguments.words = words;
  std::size_t at = 0;
  for (; at < words.size() && words[at].rfind('-', 0) == 0; ++at) {
    if (words[at] == "--help" || words[at] == "-h") {
      arguments.help = true;
    } else if (words[at] == "--version") {
      arguments.version = true;
    } else if (words[at] == "-C" && at + 1 < words.size()) {
      arguments.directory = words[++at];
    } else {
      throw Error("found '" + words[at] +
                  "' before the command; allowed there: -C DIR, --help, --version");
    }
  }
  if (at == words.size()) return arguments;

  arguments.command_at = at;
  arguments.command = words[at++];
  const Command* command = find_command(arguments.command);
  if (command == nullptr) {
    throw Error("'" + arguments.command + "' is no command" +
                did_you_mean(arguments.command, command_names()) +
                "; `drydock --help` lists all of them");
  }
  std::string before_command = arguments.directory;
  po::options_description options = options_of(command->groups, arguments);
  po::options_description with_operands = options;
  with_operands.add_options()("operand", po::value(&arguments.positional));
  if ((command->groups & starts) != 0) {
    with_operands.add_options()("tell-until-started",
                                po::bool_switch(&arguments.tell_until_started));
  }
  po::positional_options_description operands;
  operands.add("operand", -1);
  try {
    po::variables_map map;
    po::store(
        po::command_line_parser(
            std::vector<std::string>(words.begin() + static_cast<std::ptrdiff_t>(at), words.end()))
            .options(with_operands)
            .positional(operands)
            .style(po::command_line_style::unix_style & ~po::command_line_style::allow_guessing)
            .run(),
        map);
    po::notify(map);
  } catch (const po::error& problem) {
    refuse(problem, arguments.command, options);
  }
  if (arguments.directory.empty()) arguments.directory = before_command;
  check_operands(*command, arguments);
  check_pipeline_options(arguments);
  check_run_options(arguments);
  if (arguments.command == "run" && !arguments.plan_file.empty()) {
    arguments.yes = true;  // that plan is what was agreed to
  }
  if (arguments.help) return arguments;
  check_action(*command, arguments);
  if (arguments.command == "backups") check_backups(arguments);
  return arguments;
}

}  // namespace drydock
