// plugin: what authors of stages need.
#include "command_plugin.h"

#include <algorithm>
#include <array>

#include "commands.h"

namespace drydock {
namespace {

struct Subcommand {
  const char* name;
  const char* operand;  // "" when there is none
  ExitCode (*perform)(const Arguments&);
};

constexpr std::array<Subcommand, 5> subcommands = {{
    {"new", "NAME", command_plugin_new},
    {"check", "FILE", command_plugin_check},
    {"pack", "FILE", command_plugin_pack},
    {"install", "FILE", command_plugin_install},
    {"list", "", command_plugin_list},
}};

// One of those that the command line allows.
const Subcommand& subcommand_of(const std::string& name) {
  return *std::find_if(subcommands.begin(), subcommands.end(),
                       [&](const Subcommand& each) { return name == each.name; });
}

// Which of the options goes with what is to be done.
void check_options(const Arguments& arguments, const std::string& subcommand) {
  const auto only_for = [&](bool given, const std::string& option, const std::string& allowed) {
    if (!given || subcommand == allowed) return;
    throw Error("plugin " + subcommand + ": " + option + " is for `plugin " + allowed + "`");
  };
  only_for(!arguments.language.empty(), "--language", "new");
  only_for(!arguments.dir.empty(), "--dir", "new");
  only_for(!arguments.with.empty(), "--with", "check");
  only_for(arguments.seed.has_value(), "--seed", "check");
  only_for(arguments.without_run, "--without-run", "check");
  only_for(!arguments.plan_file.empty(), "--out", "pack");
  only_for(!arguments.sha256.empty(), "--sha256", "install");
  only_for(arguments.system, "--system", "install");
}

}  // namespace

ExitCode command_plugin(const Arguments& arguments) {
  const std::string& name = arguments.positional.front();
  const Subcommand& subcommand = subcommand_of(name);
  check_options(arguments, name);
  const bool wanted = *subcommand.operand != '\0';
  const bool given = arguments.positional.size() > 1;
  if (wanted && !given) {
    throw Error("plugin " + name + ": " + subcommand.operand + " is missing; `drydock plugin " +
                name + " " + subcommand.operand + "`");
  }
  if (!wanted && given) {
    throw Error("plugin " + name + ": found '" + arguments.positional[1] +
                "', allowed: options only");
  }
  return subcommand.perform(arguments);
}

}  // namespace drydock
