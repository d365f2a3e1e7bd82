// The command line as a value. `drydock [-C DIR] COMMAND [options]`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace drydock {

class Masker;

struct Arguments {
  std::string command;                  // "" with --help or --version alone
  std::vector<std::string> positional;  // PIPELINE, RUN or NAME; of backups and plugin: first what
                                        // to do
  std::string directory;                // -C
  std::vector<std::string> words;       // all of it, as given
  std::size_t command_at = 0;           // in words
  std::string state_dir, uses, key;
  std::string plan_file;  // plan --out, run --plan, plugin pack --out
  std::uint64_t from = 1;
  std::chrono::milliseconds lock_wait{0};
  bool prune = false;
  bool set_aside = false;
  std::optional<std::uint64_t> keep;
  std::optional<std::chrono::milliseconds> older_than;
  std::vector<std::string> vars, vars_files, with, plugin_dirs;
  std::vector<std::string> only;      // backups restore: of a backup only these databases
  std::string stage;                  // backups: of the run only this stage
  bool trial_restore = false;         // backups verify --restore
  std::string language, dir;          // plugin new
  std::optional<std::uint64_t> seed;  // plugin check
  bool without_run = false;           // the same
  std::string sha256;                 // plugin install
  bool system = false;                // plugin install: for all users
  bool detach = false, follow = false;
  bool installation = false;        // status
  bool tell_until_started = false;  // how --detach starts the process that performs the run
  bool from_stdin = false;          // variables and secrets as a document on standard input
  // rollout
  std::string wave, comment, until, retry, environment;
  std::string state;  // where that of rollouts is: a URL, a file with it, or env:NAME
  std::optional<std::chrono::milliseconds> since;
  bool abandon = false, watch = false;
  bool yes = false, accept_loss = false, accept_partial_rollback = false, json = false,
       events = false, verbose = false, all = false, fetch = false, force = false,
       of_rollback = false, no_limits = false;
  bool help = false, version = false;
  // What the command learns to be secret, for the sentence that it may end with. Null: nobody else
  // wants to know.
  std::shared_ptr<Masker> masker;
};

// Throws Error: an unknown command or option (with the nearest one), a value that is missing.
Arguments parse_command_line(const std::vector<std::string>& words);

// The text of `drydock --help` (no command) and `drydock COMMAND --help`, with an example; of a
// command with actions, as `drydock backups restore --help`, only what is about the one that is
// given.
std::string help_text(const Arguments& arguments);

}  // namespace drydock
