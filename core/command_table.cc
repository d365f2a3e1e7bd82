#include "command_table.h"

#include "text.h"

namespace drydock {

const std::array<Command, 17> commands = {{
    {"init", "", "Get to know a deployment: find its project, keep a first snapshot", output,
     "Finds the Compose project by the labels of what runs from the folder, else by Compose's own "
     "rules; recognises applications that a ready pipeline exists for; makes .drydock/ and stores "
     "the first snapshot of the compose files, env files and templates.",
     "drydock -C /srv/app init"},
    {"validate", "[PIPELINE]", "Check a pipeline without looking at the deployment",
     pipeline | output,
     "Checks syntax, stage types, options and expressions. Changes and starts nothing.",
     "drydock validate upgrade.yaml"},
    {"plan", "[PIPELINE]", "Show what a run would change, and what a rollback would lose",
     pipeline | output | stream | fetches,
     "Observes and plans every stage. Writes nothing into the deployment; with --fetch it may fill "
     "caches (images, a release's files), so that less is unknown. With --out the plan is saved, "
     "and `drydock run --plan FILE` carries out just that. With --rollback: what undoing a run "
     "would put back, and what it would lose.",
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
     "with the files and images of the new release: the migration on a copy of the database, which "
     "is dropped again. The application goes on meanwhile. The next plan says how long it took. "
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
    {"rollback", "[RUN]", "Put back what an interrupted, failed or finished run changed",
     output | stream | consent | loses,
     "Works from the journal alone; safe to repeat. Without a terminal it needs --yes, and for a "
     "run that finished well --accept-loss: what was written since then is lost.",
     "drydock -C /srv/app rollback --yes"},
    {"status", "", "What runs, what was done last, and whether something waits for you",
     output | looks,
     "Names an interrupted run, a run that is going on, and the services of the deployment. With "
     "--installation also what a rollout asks of a host before it begins, with --key which run was "
     "begun with that key of `run --key`, or whether one is being planned.",
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
     "list: each backup with its size, rows and revision.\n"
     "verify: that each is, byte for byte, what was written, and that a restore can read it "
     "to its end; with --restore it is restored into a database of its own, compared and "
     "dropped again. Ends with 5 when something is wrong.\n"
     "restore: a run of its own that puts databases back as they were, after it has backed up "
     "what stands there; `drydock rollback` undoes it.\n"
     "prune: `history --prune`, since a run without its backups could not be undone; with "
     "--set-aside only what restores have taken out of the way, the failed databases and "
     "files, of runs that have ended.",
     "drydock -C /srv/app backups list\n"
     "drydock -C /srv/app backups verify 7 --restore\n"
     "drydock -C /srv/app backups restore 7 --only app\n"
     "drydock -C /srv/app backups prune --keep 5"},
    {"rollout", "plan|run|status|approve|resume|rollback|history ROLLOUT",
     "One pipeline, many environments, in waves", output | rolls,
     "plan: every wave with its environments, and what each environment's own plan says.\n"
     "run: carries it out; a wave begins when the one before has ended well, has soaked, its gate "
     "holds and it was approved, as far as it says so. Ends with 6 where --until approval made it "
     "wait for one.\n"
     "status: how far it is; with --all how each environment is now.\n"
     "approve: lets the wave pass that --wave names.\n"
     "resume: goes on with a rollout whose supervisor has ended; runs that went on by themselves "
     "are found again.\n"
     "rollback: puts a wave back, the newest environment first; with --abandon it records that a "
     "person does that with one environment, so that the rest can end.\n"
     "history: the runs of all environments that are known.\n"
     "ROLLOUT is its file, or its name where .drydock/ is in this folder or --state says where "
     "else.",
     "drydock rollout plan rollout.yaml --var to=1.14.1\n"
     "drydock rollout run rollout.yaml --var to=1.14.1 --yes\n"
     "drydock rollout status rollout.yaml --watch\n"
     "drydock rollout approve rollout.yaml --wave canary --comment fine\n"
     "drydock rollout resume rollout.yaml --retry failed\n"
     "drydock rollout rollback rollout.yaml --wave rest\n"
     "drydock rollout rollback rollout.yaml --abandon --env b --comment lost\n"
     "drydock rollout history --env prod-eu-1 --since 30d"},
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
     "new: a folder with a stage that works, its unit test, a scenario and a script for CI; "
     "it builds with the installed SDK alone. NAME becomes the name of the stage type.\n"
     "check: whether a plugin file keeps to what Drydock asks of it; its steps are tried in "
     "folders that are made for it, which are copies of -C DIR where that is given. Ends with "
     "5 when something is wrong.\n"
     "pack: the file as one archive with a manifest and hashes.\n"
     "install: such an archive, whose SHA-256 you have from its author, for you or with "
     "--system for all.\n"
     "list: the folders that are searched, in their order, and what is found in them.",
     "drydock plugin new greet --language c\n"
     "drydock plugin check build/greet.so --with options.yaml -C example\n"
     "drydock plugin pack build/greet.so\n"
     "drydock plugin install org.example.greet-1.0.0-x86_64.tar --sha256 HEX\n"
     "drydock plugin list"},
}};

const Command* find_command(const std::string& name) {
  for (const Command& command : commands) {
    if (name == command.name) return &command;
  }
  return nullptr;
}

std::vector<std::string> actions_of(const Command& command) {
  const std::string operand = command.operand;
  const std::string actions = operand.substr(0, operand.find(' '));
  if (actions.find('|') == std::string::npos) return {};
  return split(actions, '|');
}

}  // namespace drydock
