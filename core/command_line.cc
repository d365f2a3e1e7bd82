#include "command_line.h"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <charconv>
#include <sstream>

#include "error.h"
#include "text.h"

namespace drydock {
namespace {

namespace po = boost::program_options;

enum OptionGroup : unsigned {
  none = 0,
  pipeline = 1,
  output = 2,
  stream = 4,
  consent = 8,
  fetches = 16,
  loses = 32,
  starts = 64,
  follows = 128,
  forces = 256,
  prunes = 512,
  keeps = 1024,
  authors = 2048,
  rolls = 4096,
  looks = 8192
};

struct Command {
  const char* name;
  const char* operand;  // what a word without an option means; "" when there is none
  const char* summary;
  unsigned groups;
  const char* text;
  const char* example;
};

constexpr std::array<Command, 17> commands = {{
    {"init", "", "Get to know a deployment: find its project, keep a first snapshot", output,
     "Finds the Compose project by the labels of what runs from the folder, else by Compose's own "
     "rules; recognises applications that a ready pipeline exists for; makes .drydock/ and stores "
     "the "
     "first snapshot of the compose files, env files and templates.",
     "drydock -C /srv/app init"},
    {"validate", "[PIPELINE]", "Check a pipeline without looking at the deployment",
     pipeline | output,
     "Checks syntax, stage types, options and expressions. Changes and starts nothing.",
     "drydock validate upgrade.yaml"},
    {"plan", "[PIPELINE]", "Show what a run would change, and what a rollback would lose",
     pipeline | output | stream | fetches,
     "Observes and plans every stage. Writes nothing into the deployment; with --fetch it may fill "
     "caches (images, a release's files), so that less is unknown. With --out the plan is saved, "
     "and "
     "`drydock run --plan FILE` carries out just that. With --rollback: what undoing a run would "
     "put "
     "back, and what it would lose.",
     "drydock -C /srv/app plan --var to=1.14.1"},
    {"run", "[PIPELINE]", "Upgrade: every stage forward, or everything back",
     pipeline | output | stream | consent | starts,
     "Plans, asks, then runs every stage. When one fails, all are rolled back and the result is "
     "verified. Without a terminal it needs --yes. With --detach it goes on when this command has "
     "ended; a --key that a run has already attaches to that run instead of starting another.",
     "drydock -C /srv/app run --var to=1.14.1 --yes"},
    {"rehearse", "[PIPELINE]", "Try the migration on a copy of the database, with the new release",
     pipeline | output | stream | consent,
     "Plans as `plan --fetch` does, then carries out nothing but the stages that can be rehearsed, "
     "with "
     "the files and images of the new release: the migration on a copy of the database, which is "
     "dropped again. The application goes on meanwhile. The next plan says how long it took. "
     "Without a terminal it needs --yes.",
     "drydock -C /srv/app rehearse --var to=1.14.1"},
    {"attach", "[RUN]", "Show a run that is going on until it ends (default: the last)",
     output | stream, "Ends with the run's own exit code. Ctrl-C leaves the run going on.",
     "drydock -C /srv/app attach"},
    {"cancel", "[RUN]", "Cancel a run that is going on: it is rolled back", output,
     "Asks the run to cancel and returns; `drydock attach` shows how it is rolled back.",
     "drydock -C /srv/app cancel 7"},
    {"resume", "[RUN]", "Go on with a run that was interrupted or stopped",
     output | stream | consent | forces,
     "Begins again with the stage that it was in; what was done stays done. Refused when the "
     "pipeline, its variables, a plugin or what a stage reads has changed since.",
     "drydock -C /srv/app resume --yes"},
    {"rollback", "[RUN]",
     "Put back what a run changed, whether it was interrupted, failed or finished",
     output | stream | consent | loses,
     "Works from the journal alone; safe to repeat. Without a terminal it needs --yes, and for a "
     "run that "
     "finished well --accept-loss: what was written since then is lost.",
     "drydock -C /srv/app rollback --yes"},
    {"status", "", "What runs, what was done last, and whether something waits for you",
     output | looks,
     "Names an interrupted run, a run that is going on, and the services of the deployment. With "
     "--installation also what a rollout asks of a host before it begins.",
     "drydock -C /srv/app status"},
    {"history", "", "All runs of this deployment; with --prune, removes old ones",
     output | consent | prunes,
     "Newest first. --prune removes finished runs with their logs, backups and snapshots, after it "
     "has said what goes: those that neither --keep nor --older-than keeps; without both, all but "
     "the newest 10. The last run that can be undone always stays, as does one that waits. Without "
     "a terminal --prune needs --yes.",
     "drydock -C /srv/app history --prune --keep 5 --older-than 90d"},
    {"backups", "list|verify|restore|prune [RUN]",
     "What runs have kept: list it, check it, put it back, remove it",
     output | stream | consent | keeps,
     "list: each backup with its size, rows and revision. verify: that each is, byte for byte, "
     "what "
     "was written, and that a restore can read it to its end; with --restore it is restored into a "
     "database of its own, compared and dropped again. Ends with 5 when something is wrong. "
     "restore: a run of its own that puts databases back as they were, after it has backed up what "
     "stands there; `drydock rollback` undoes it. prune: `history --prune`, since a run without "
     "its backups could not be undone; with --set-aside only what restores have taken out of the "
     "way, the failed databases and files, of runs that have ended.",
     "drydock -C /srv/app backups restore 7 --only app"},
    {"rollout", "plan|run|status|approve|resume|rollback|history ROLLOUT",
     "One pipeline, many environments, in waves", output | rolls,
     "plan: every wave with its environments, and what each environment's own plan says. run: "
     "carries it out; a wave begins when the one before has ended well, has soaked, its gate holds "
     "and it was approved, as far as it says so. Ends with 6 where --until approval made it wait "
     "for one. status: how far it is; with --all how each environment is now. approve: lets the "
     "wave pass that --wave names. resume: goes on with a rollout whose supervisor has ended; runs "
     "that went on by themselves are found again. rollback: puts a wave back, the newest "
     "environment first. history: the runs of all environments that are known. ROLLOUT is its "
     "file, or its name where .drydock/ is in this folder or --state says where else.",
     "drydock rollout run rollout.yaml --var to=1.14.1 --yes"},
    {"show", "[RUN]", "One run: its stages, facts, and what it kept (default: the last)", output,
     "Compares the facts from before the run with those after its rollback.",
     "drydock -C /srv/app show 3"},
    {"logs", "[RUN]", "The log of one run (default: the last)", stream | follows,
     "Prints the run's log as text, or with --events as JSON Lines; with --follow also what is "
     "still to come, until the run has ended.",
     "drydock -C /srv/app logs 3 --events --follow --from 17"},
    {"stages", "[NAME]", "The stage types, or one with its options, defaults and an example",
     output, "Everything printed comes from the stage type's own schema.", "drydock stages backup"},
    {"plugin", "new|check|pack|install|list [NAME|FILE]",
     "Stage plugins: begin, check, pack, install and list them", output | authors,
     "new: a folder with a stage that works, its unit test, a scenario and a script for CI; it "
     "builds with the installed SDK alone. NAME becomes the name of the stage type. check: whether "
     "a plugin file keeps to what Drydock asks of it; its steps are tried in folders that are made "
     "for it, which are copies of -C DIR where that is given. Ends with 5 when something is wrong. "
     "pack: the file as one archive with a manifest and hashes. install: such an archive, whose "
     "SHA-256 you have from its author, for you or with --system for all. list: the folders that "
     "are searched, in their order, and what is found in them.",
     "drydock plugin new greet --language c"},
}};

const Command* find_command(const std::string& name) {
  for (const Command& command : commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::chrono::milliseconds duration_of(const std::string& option, const std::string& text) {
  if (const auto duration = parse_duration(text)) return *duration;
  throw Error("found '" + text + "' after " + option + ", allowed: a duration such as 30s or 10m");
}

// Boost would take -1 for the largest there is.
std::uint64_t number_of(const std::string& option, const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  throw Error("found '" + text + "' after " + option + ", allowed: a whole number such as 10");
}

po::options_description options_of(unsigned groups, Arguments& into) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("directory,C", po::value(&into.directory)->value_name("DIR"), "the deployment's folder");
  add("state-dir", po::value(&into.state_dir)->value_name("DIR"), "instead of DEPLOYMENT/.drydock");
  add("plugin-dir", po::value(&into.plugin_dirs)->value_name("DIR")->composing(),
      "a folder with stage plugins, searched before all others (repeatable)");
  if ((groups & pipeline) != 0) {
    add("var", po::value(&into.vars)->value_name("K=V")->composing(),
        "set a variable (repeatable)");
    add("vars-file", po::value(&into.vars_files)->value_name("FILE")->composing(),
        "variables from a YAML file");
    add("stdin", po::bool_switch(&into.from_stdin),
        "variables and secrets as a JSON document on standard input");
    add("uses", po::value(&into.uses)->value_name("TYPE"),
        "a single stage, without a pipeline file");
    add("with", po::value(&into.with)->value_name("K=V")->composing(),
        "an option of that stage (repeatable)");
  }
  if ((groups & fetches) != 0) {
    add("fetch", po::bool_switch(&into.fetch), "fill caches while planning");
    add("out", po::value(&into.plan_file)->value_name("FILE"), "save the plan for `run --plan`");
    add("rollback", po::bool_switch(&into.of_rollback),
        "what undoing a run would put back and lose; instead of a pipeline: its number");
  }
  if ((groups & consent) != 0) {
    add("yes,y", po::bool_switch(&into.yes), "do not ask");
    add("lock-wait",
        po::value<std::string>()->value_name("DURATION")->notifier([&](const auto& text) {
          into.lock_wait = duration_of("--lock-wait", text);
        }),
        "how long to wait for another run to end (default: 0s)");
  }
  if ((groups & starts) != 0) {
    add("plan", po::value(&into.plan_file)->value_name("FILE"),
        "carry out a saved plan, and nothing else; asks nothing");
    add("detach", po::bool_switch(&into.detach), "return once the run has started");
    add("accept-partial-rollback", po::bool_switch(&into.accept_partial_rollback),
        "with --yes or --plan: go on although a rollback could not put back all of it");
    add("key", po::value(&into.key)->value_name("KEY"), "a name that no two runs share");
  }
  if ((groups & follows) != 0) {
    add("follow,f", po::bool_switch(&into.follow), "wait for what is still to come");
    add("from", po::value<std::string>()->value_name("SEQ")->notifier([&](const auto& text) {
      into.from = number_of("--from", text);
    }),
        "with --events: from this event on");
  }
  if ((groups & loses) != 0) {
    add("accept-loss", po::bool_switch(&into.accept_loss),
        "undo a finished run; what was written since is lost");
    add("no-limits", po::bool_switch(&into.no_limits),
        "without the limits.memory that its stages ran with");
  }
  if ((groups & looks) != 0) {
    add("installation", po::bool_switch(&into.installation),
        "also Drydock's version, its plugins, the clock and the disk");
  }
  if ((groups & forces) != 0) {
    add("force", po::bool_switch(&into.force), "go on although something has changed since");
  }
  if ((groups & prunes) != 0) {
    add("prune", po::bool_switch(&into.prune), "remove old runs and what they kept");
    add("keep", po::value<std::string>()->value_name("N")->notifier([&](const auto& text) {
      into.keep = number_of("--keep", text);
    }),
        "with --prune: the newest N runs stay");
    add("older-than",
        po::value<std::string>()->value_name("DURATION")->notifier([&](const auto& text) {
          into.older_than = duration_of("--older-than", text);
        }),
        "with --prune: only runs that ended longer ago");
  }
  if ((groups & keeps) != 0) {
    add("stage", po::value(&into.stage)->value_name("ID"), "only what this stage of the run kept");
    add("only", po::value(&into.only)->value_name("NAME")->composing(),
        "restore: only this database (repeatable)");
    add("restore", po::bool_switch(&into.trial_restore), "verify: by restoring it on trial");
    add("keep", po::value<std::string>()->value_name("N")->notifier([&](const auto& text) {
      into.keep = number_of("--keep", text);
    }),
        "prune: the newest N runs stay");
    add("set-aside", po::bool_switch(&into.set_aside),
        "prune: no runs, but what restores have set aside (of all but the newest N runs that "
        "have)");
    add("older-than",
        po::value<std::string>()->value_name("DURATION")->notifier([&](const auto& text) {
          into.older_than = duration_of("--older-than", text);
        }),
        "prune: only runs that ended longer ago");
  }
  if ((groups & rolls) != 0) {
    add("var", po::value(&into.vars)->value_name("K=V")->composing(),
        "plan, run: set a variable for every environment (repeatable)");
    add("yes,y", po::bool_switch(&into.yes), "run: do not ask");
    add("until", po::value(&into.until)->value_name("approval"),
        "run, resume: end with 6 instead of waiting for an approval");
    add("abandon", po::bool_switch(&into.abandon),
        "run: give up an earlier one that has not ended; what goes on of it is named");
    add("retry", po::value(&into.retry)->value_name("failed"),
        "resume: the environments that failed, once more");
    add("wave", po::value(&into.wave)->value_name("WAVE"),
        "approve: the wave that waits; rollback: the one that is put back");
    add("comment", po::value(&into.comment)->value_name("TEXT"), "approve: why");
    add("accept-partial-rollback", po::bool_switch(&into.accept_partial_rollback),
        "run: go on where a rollback could not put back all of it");
    add("accept-loss", po::bool_switch(&into.accept_loss),
        "rollback: what was written into databases since is lost");
    add("all", po::bool_switch(&into.all), "status: every environment as it is now");
    add("watch", po::bool_switch(&into.watch), "status: until the rollout has ended");
    add("env", po::value(&into.environment)->value_name("ENVIRONMENT"),
        "history: only of this environment");
    add("since",
        po::value<std::string>()->value_name("DURATION")->notifier([&](const auto& text) {
          into.since = duration_of("--since", text);
        }),
        "history: only of this time, such as 30d");
    add("state", po::value(&into.state)->value_name("STATE"),
        "where rollouts are kept: a file with the URL of a PostgreSQL database, env:NAME of a "
        "variable with it, or a URL without a password (default: $DRYDOCK_STATE, else .drydock/ "
        "beside the rollout file)");
  }
  if ((groups & authors) != 0) {
    add("language", po::value(&into.language)->value_name("LANGUAGE"),
        "new: c++ (the default) or c");
    add("dir", po::value(&into.dir)->value_name("DIR"), "new: the folder to make (default: NAME)");
    add("with", po::value(&into.with)->value_name("FILE"),
        "check: options to try the steps with, a mapping of stage types (YAML or JSON); default: "
        "the "
        "schemas' examples");
    add("seed", po::value<std::string>()->value_name("N")->notifier([&](const auto& text) {
      into.seed = number_of("--seed", text);
    }),
        "check: another choice of odd options (default: 1)");
    add("without-run", po::bool_switch(&into.without_run),
        "check: leave out what performs run, where this machine has not what that needs; it is "
        "then "
        "shown as skipped");
    add("out", po::value(&into.plan_file)->value_name("FILE"),
        "pack: the archive (default: ID-VERSION-MACHINE.tar)");
    add("sha256", po::value(&into.sha256)->value_name("HEX"),
        "install: of the archive, from its author");
    add("system", po::bool_switch(&into.system), "install: for all users of this machine");
  }
  if ((groups & (fetches | starts)) != 0) {
    add("all", po::bool_switch(&into.all), "list every change of the plan, with its values whole");
  }
  if ((groups & output) != 0) add("json", po::bool_switch(&into.json), "print one JSON document");
  if ((groups & stream) != 0)
    add("events", po::bool_switch(&into.events), "stream events as JSON Lines");
  add("verbose,v", po::bool_switch(&into.verbose), "show every log line");
  add("help,h", po::bool_switch(&into.help), "this text");
  return options;
}

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

// Which of the options goes with what is to be done.
void check_backups(const Arguments& arguments) {
  static const std::vector<std::string> actions = {"list", "verify", "restore", "prune"};
  const std::string action = arguments.positional.empty() ? "" : arguments.positional.front();
  if (std::find(actions.begin(), actions.end(), action) == actions.end()) {
    throw Error("backups: found '" + action + "', allowed: list, verify, restore or prune" +
                did_you_mean(action, actions));
  }
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
  const bool two_operands = (command->groups & (keeps | authors | rolls)) != 0;
  const std::size_t most = *command->operand == '\0' ? 0 : two_operands ? 2 : 1;
  if (arguments.positional.size() > most) {
    throw Error(arguments.command + ": found '" + arguments.positional[most] + "', allowed: " +
                (most == 0 ? "options only" : "one " + std::string(command->operand)));
  }
  if (!arguments.with.empty() && arguments.uses.empty() && arguments.command != "plugin") {
    throw Error(arguments.command + ": --with needs --uses TYPE beside it");
  }
  if (!arguments.uses.empty() && !arguments.positional.empty()) {
    throw Error(arguments.command + ": found both --uses " + arguments.uses +
                " and the pipeline '" + arguments.positional.front() + "'; give one of them");
  }
  const bool of_saved_plan = arguments.command == "run" && !arguments.plan_file.empty();
  if (of_saved_plan &&
      !(arguments.positional.empty() && arguments.uses.empty() && arguments.vars.empty() &&
        arguments.vars_files.empty() && !arguments.from_stdin)) {
    throw Error(
        "run: --plan holds the pipeline and its variables; give nothing of these beside it");
  }
  if (!of_saved_plan && !arguments.plan_file.empty() && !arguments.uses.empty()) {
    throw Error("plan: --out needs a pipeline's file, and --uses has none");
  }
  if (!of_saved_plan && !arguments.plan_file.empty() && arguments.from_stdin) {
    throw Error("plan: --out saves no secrets; give variables with --var or --vars-file");
  }
  if (arguments.of_rollback && (arguments.fetch || !arguments.plan_file.empty() ||
                                !arguments.uses.empty() || !arguments.vars.empty())) {
    throw Error("plan: --rollback looks at a run that was; give nothing but its number beside it");
  }
  if (of_saved_plan) arguments.yes = true;  // that plan is what was agreed to
  constexpr std::size_t longest_key = 200;
  if (arguments.key.size() > longest_key || !is_utf8(arguments.key)) {
    throw Error(arguments.command + ": found a --key of " + std::to_string(arguments.key.size()) +
                " bytes, allowed: text of at most " + std::to_string(longest_key) + " bytes");
  }
  if (arguments.detach && !arguments.yes) {
    throw Error(arguments.command +
                ": --detach cannot ask, since nobody is there to answer; look at "
                "`drydock plan`, then add --yes");
  }
  if (arguments.command == "history" && !arguments.prune &&
      (arguments.yes || arguments.keep || arguments.older_than)) {
    throw Error("history: --keep, --older-than and --yes are about removing runs; add --prune");
  }
  if (arguments.command == "backups" && !arguments.help) check_backups(arguments);
  if (arguments.from != 1 && !arguments.events) {
    throw Error(arguments.command + ": --from counts events; add --events");
  }
  if (arguments.json && arguments.events) {
    throw Error(arguments.command + ": found both --json and --events; give one of them");
  }
  return arguments;
}

std::string help_text(const std::string& name) {
  std::ostringstream text;
  const Command* command = find_command(name);
  if (command == nullptr) {
    text << "Drydock upgrades a Docker Compose application as one transaction.\n\n"
            "Usage: drydock [-C DIR] COMMAND [options]\n\n";
    for (const Command& each : commands) {
      text << "  " << each.name << std::string(10 - std::string(each.name).size(), ' ')
           << each.summary << "\n";
    }
    text << "\n  drydock COMMAND --help   options and an example\n"
            "  drydock --version        this version\n\n"
            "Example: drydock -C /srv/app plan --var to=1.14.1\n";
    return text.str();
  }
  Arguments unused;
  text << "Usage: drydock [-C DIR] " << command->name << " " << command->operand << " [options]\n\n"
       << command->summary << ".\n"
       << command->text << "\n\n"
       << options_of(command->groups, unused) << "\nExample: " << command->example << "\n";
  return text.str();
}

}  // namespace drydock
