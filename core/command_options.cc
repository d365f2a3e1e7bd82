#include "command_options.h"

#include <charconv>
#include <chrono>
#include <cstdint>
#include <string>

#include "command_table.h"
#include "error.h"
#include "text.h"

namespace drydock {
namespace {

namespace po = boost::program_options;

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

template <class Duration>
auto* duration_option(Duration& into, const std::string& option) {
  return po::value<std::string>()->notifier(
      [&into, option](const std::string& text) { into = duration_of(option, text); });
}

template <class Number>
auto* number_option(Number& into, const std::string& option) {
  return po::value<std::string>()->notifier(
      [&into, option](const std::string& text) { into = number_of(option, text); });
}

}  // namespace

po::options_description options_of(unsigned groups, Arguments& into) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("directory,C", po::value(&into.directory)->value_name("DIR"), "the deployment's folder");
  add("state-dir", po::value(&into.state_dir)->value_name("DIR"),
      (groups & rolls) != 0 ? "instead of .drydock beside the rollout file"
                            : "instead of DEPLOYMENT/.drydock");
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
    add("lock-wait", duration_option(into.lock_wait, "--lock-wait")->value_name("DURATION"),
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
    add("from", number_option(into.from, "--from")->value_name("SEQ"),
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
    add("key", po::value(&into.key)->value_name("KEY"), "also which run has this key");
  }
  if ((groups & forces) != 0) {
    add("force", po::bool_switch(&into.force), "go on although something has changed since");
  }
  if ((groups & prunes) != 0) {
    add("prune", po::bool_switch(&into.prune), "remove old runs and what they kept");
    add("keep", number_option(into.keep, "--keep")->value_name("N"),
        "with --prune: the newest N runs stay");
    add("older-than", duration_option(into.older_than, "--older-than")->value_name("DURATION"),
        "with --prune: only runs that ended longer ago");
  }
  if ((groups & keeps) != 0) {
    add("stage", po::value(&into.stage)->value_name("ID"), "only what this stage of the run kept");
    add("only", po::value(&into.only)->value_name("NAME")->composing(),
        "restore: only this database (repeatable)");
    add("restore", po::bool_switch(&into.trial_restore), "verify: by restoring it on trial");
    add("keep", number_option(into.keep, "--keep")->value_name("N"),
        "prune: the newest N runs stay");
    add("set-aside", po::bool_switch(&into.set_aside),
        "prune: no runs, but what restores have set aside (of all but the newest N runs that "
        "have)");
    add("older-than", duration_option(into.older_than, "--older-than")->value_name("DURATION"),
        "prune: only runs that ended longer ago");
  }
  if ((groups & rolls) != 0) {
    add("var", po::value(&into.vars)->value_name("K=V")->composing(),
        "plan, run: set a variable for every environment (repeatable); resume: one that holds a "
        "secret");
    add("yes,y", po::bool_switch(&into.yes), "run, resume, rollback: do not ask");
    add("until", po::value(&into.until)->value_name("approval"),
        "run, resume: end with 6 instead of waiting for an approval");
    add("abandon", po::bool_switch(&into.abandon),
        "run: give up an earlier one that has not ended; what goes on of it is named; rollback: "
        "give up the environment that --env names, which a person puts back instead");
    add("retry", po::value(&into.retry)->value_name("failed"),
        "resume: the environments that failed, once more");
    add("wave", po::value(&into.wave)->value_name("WAVE"),
        "approve: the wave that waits; rollback: the one that is put back");
    add("comment", po::value(&into.comment)->value_name("TEXT"),
        "approve, rollback --abandon: why");
    add("accept-partial-rollback", po::bool_switch(&into.accept_partial_rollback),
        "run: go on where a rollback could not put back all of it");
    add("accept-loss", po::bool_switch(&into.accept_loss),
        "rollback: what was written into databases since is lost");
    add("all", po::bool_switch(&into.all), "status: every environment as it is now");
    add("watch", po::bool_switch(&into.watch), "status: until the rollout has ended");
    add("env", po::value(&into.environment)->value_name("ENVIRONMENT"),
        "history: only of this environment; rollback --abandon: this one");
    add("since", duration_option(into.since, "--since")->value_name("DURATION"),
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
        "the schemas' examples");
    add("seed", number_option(into.seed, "--seed")->value_name("N"),
        "check: another choice of odd options (default: 1)");
    add("without-run", po::bool_switch(&into.without_run),
        "check: leave out what performs run, where this machine has not what that needs; it is "
        "then shown as skipped");
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

}  // namespace drydock
