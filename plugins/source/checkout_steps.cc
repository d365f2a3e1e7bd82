#include "checkout_steps.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "changed_files.h"
#include "digest.h"
#include "fields.h"
#include "file_store.h"
#include "first_failure.h"
#include "git_switch.h"
#include "git_upgrade.h"
#include "plan_report.h"
#include "switch_files.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

constexpr auto git_note = "git";  // everything that a rollback needs is kept
constexpr std::size_t most_conflicts = 20;

std::optional<Tag> wanted_tag(const Call& call, const Checkout& checkout) {
  check_tag_name(call, call.text("/git/ref"));
  return tag_of_checkout(call, checkout, call.text("/git/ref"));
}

Tag known_tag(const Call& call, const Checkout& checkout) {
  if (auto tag = wanted_tag(call, checkout)) return *tag;
  if (call.step() == "plan") {
    call.warn("the stages after this one are planned with the files as they are now");
  }
  throw Unknown("after the tag " + call.text("/git/ref") +
                " is fetched (`plan --fetch` fetches it now)");
}

// "docker/.env.example" of the checkout is ".env.example"; "api/app.py" is "../api/app.py".
std::string from_deployment(const Checkout& checkout, const std::string& path) {
  return fs::path("/" + path).lexically_relative("/" + checkout.folder + ".").lexically_normal();
}

std::string listed(const std::vector<std::string>& sentences) {
  std::string result;
  for (std::size_t i = 0; i < std::min(sentences.size(), most_conflicts); ++i) {
    result += (i == 0 ? "" : "; ") + sentences[i];
  }
  if (sentences.size() > most_conflicts) {
    result += "; and " + std::to_string(sentences.size() - most_conflicts) + " more";
  }
  return result;
}

// Exit code 2 when planned, as everything that a plan refuses.
void refuse(const Call& call, const GitUpgrade& upgrade) {
  if (!upgrade.conflicts.empty()) {
    throw Failed("the operator's changes and those of " + upgrade.tag.name +
                 " do not go together: " + listed(upgrade.conflicts) +
                 "; take your change back, or make the file what it is to be in " +
                 upgrade.tag.name + " (`git show " + upgrade.tag.name + ":PATH`), and repeat");
  }
  if (call.text("/local_changes") != "refuse") return;
  std::vector<std::string> changed = upgrade.merged;
  changed.insert(changed.end(), upgrade.kept.begin(), upgrade.kept.end());
  if (changed.empty()) return;
  throw Failed("files of the checkout " + upgrade.checkout.root + " were changed here (" +
               listed(changed) +
               "), and `local_changes: refuse` is set; take the changes back, or set `merge`");
}

// Compose would go on with a file that is no longer there.
void check_compose_file(const Call& call, const GitUpgrade& upgrade) {
  const auto compose_files = call.compose_files();
  if (compose_files.empty()) return;
  for (const Entry& entry : upgrade.entries) {
    const std::string place = upgrade.checkout.root + "/" + entry.path;
    if (entry.kind != Kind::gone || place != compose_files[0]) continue;
    const bool comes = std::any_of(upgrade.entries.begin(), upgrade.entries.end(), [&](auto& each) {
      return each.path == entry.path && each.kind != Kind::gone;
    });
    if (!comes) {
      throw Failed("the release " + upgrade.tag.name + " has no " + entry.path +
                   ", the compose file of this deployment; name the new one under the pipeline's "
                   "`deployment`");
    }
  }
}

// Later plans find the deployment's folder as it will be: with the operator's files where the
// release changes nothing, since compose files may include others.
void fill_planned(const Call& call, const GitUpgrade& upgrade, const std::string& folder) {
  const Checkout& checkout = upgrade.checkout;
  const auto copy = [&](const std::string& from, const std::string& path) {
    const std::string to = call.planned_dir() + "/" + path.substr(checkout.folder.size());
    files::make_directories(fs::path(to).parent_path().string());
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
  };
  std::set<std::string> changes;
  for (const Entry& entry : upgrade.entries) {
    changes.insert(entry.path);
    const bool below = entry.path.compare(0, checkout.folder.size(), checkout.folder) == 0;
    if (below && entry.kind == Kind::file) copy(folder + "/" + entry.path, entry.path);
  }
  std::vector<std::string> rest;
  std::uint64_t size = 0;
  const Git git = checkout.git(call).with_objects_of(upgrade.tag.fetched);
  for (const CommitFile& file : files_of(git, upgrade.tag.commit)) {
    const std::string here = checkout.root + "/" + file.path;
    const bool below = file.path.compare(0, checkout.folder.size(), checkout.folder) == 0;
    std::error_code none;
    const bool own = fs::is_regular_file(fs::symlink_status(here, none));
    if (!below || !own || changes.count(file.path) != 0 || file.path == checkout.folder + ".env") {
      continue;
    }
    size += fs::file_size(here, none);
    rest.push_back(file.path);
  }
  if (size > most_planned) return;
  for (const std::string& path : rest) copy(checkout.root + "/" + path, path);
}

std::vector<PlannedFile> planned_files(const GitUpgrade& upgrade) {
  const std::set<std::string> merged(upgrade.merged.begin(), upgrade.merged.end());
  std::set<std::string> coming;
  for (const Entry& entry : upgrade.entries) {
    if (entry.kind == Kind::file || entry.kind == Kind::link) coming.insert(entry.path);
  }
  std::vector<PlannedFile> files;
  for (const Entry& entry : upgrade.entries) {
    if (entry.kind == Kind::folder || entry.kind == Kind::gone_folder) continue;
    if (entry.kind == Kind::gone && coming.count(entry.path) != 0) continue;
    std::error_code none;
    const auto status = fs::symlink_status(upgrade.checkout.root + "/" + entry.path, none);
    PlannedFile file{from_deployment(upgrade.checkout, entry.path), entry.kind == Kind::gone
                                                                        ? "remove"
                                                                    : fs::exists(status) ? "change"
                                                                                         : "add"};
    file.size = entry.size;
    if (merged.count(entry.path) != 0) {
      file.detail = "your changes and the release's are merged";
      file.by_name = true;
    }
    files.push_back(std::move(file));
  }
  return files;
}

// The entries survive a kill of the run: what is to come must not be decided from half of it.
std::string entries_file(const Call& call) { return call.private_dir() + "/entries"; }

void save_entries(const Call& call, const std::vector<Entry>& entries) {
  std::vector<std::string> fields;
  for (const Entry& entry : entries) {
    fields.insert(fields.end(), {entry.path, std::to_string(static_cast<int>(entry.kind)),
                                 std::to_string(entry.mode), entry.target});
  }
  files::write(entries_file(call), joined_fields(fields));
}

// Once the tag is checked out, nobody can tell any more which files it has changed.
std::string observed_file(const Call& call) { return call.private_dir() + "/observed"; }

std::vector<std::string> paths_of(const std::vector<UpstreamChange>& changes,
                                  const Checkout& checkout) {
  std::vector<std::string> paths;
  for (const UpstreamChange& change : changes) {
    if (change.path != checkout.folder + ".env") paths.push_back(change.path);
  }
  return paths;
}

std::vector<Entry> saved_entries(const Call& call) {
  const std::vector<std::string> fields = fields_of(files::read(entries_file(call)));
  std::vector<Entry> entries;
  for (std::size_t i = 0; i + 4 <= fields.size(); i += 4) {
    Entry entry{fields[i], static_cast<Kind>(std::stoi(fields[i + 1]))};
    entry.mode = static_cast<mode_t>(std::stoul(fields[i + 2]));
    entry.target = fields[i + 3];
    entries.push_back(std::move(entry));
  }
  return entries;
}

ReleaseTree saved_release(const Call& call, const GitNote& note) {
  return ReleaseTree(call.private_dir() + "/after", note.root, saved_entries(call));
}

GitNote noted(const Call& call) {
  const auto text = call.recall(git_note);
  if (!text) throw Failed("the note of the git checkout is gone");
  return decoded(*text);
}

// Decides, and keeps all that a rollback needs. Repeatable: nothing is switched yet.
void prepare(Call& call) {
  const Checkout checkout = find_checkout(call);
  const Tag tag = known_tag(call, checkout);
  const std::string after = call.private_dir() + "/after";
  fs::remove_all(after);
  const GitUpgrade upgrade = prepare_upgrade(call, checkout, tag, after, Bytes::all);
  refuse(call, upgrade);
  check_compose_file(call, upgrade);
  files::make_directories(after);
  keep_git_state(call, upgrade);
  save_entries(call, upgrade.entries);
  files::write(observed_file(call), joined_fields(paths_of(upgrade.changes, checkout)));
  keep_old_files(ReleaseTree(after, checkout.root, upgrade.entries), call.private_dir());
  call.remember(git_note, encoded(note_for(call, upgrade)));
}

std::string state_of(const LocalChanges& local, const Checkout& checkout) {
  if (local.paths.empty()) return "none";
  std::string text;
  for (const auto& [path, line] : local.paths) {
    text += line + path + " " + fact_of(checkout.root + "/" + path) + "\n";
  }
  return std::to_string(local.paths.size()) + " files, " + sha256(text);
}

}  // namespace

void observe_checkout(Call& call) {
  const Checkout checkout = find_checkout(call);
  call.fact("git HEAD", checkout.head + (checkout.branch.empty() ? "" : " " + checkout.branch));
  call.fact("git changes", state_of(local_changes(checkout.git(call)), checkout));
  std::vector<std::string> paths;
  if (!call.private_dir().empty() && fs::exists(observed_file(call))) {
    paths = fields_of(files::read(observed_file(call)));
  } else if (const auto tag = wanted_tag(call, checkout)) {
    paths = paths_of(upstream_changes(call, checkout, *tag), checkout);
  }
  for (const std::string& path : paths) {
    call.fact("file " + from_deployment(checkout, path), fact_of(checkout.root + "/" + path));
  }
}

void plan_checkout(Call& call) {
  const Checkout checkout = find_checkout(call);
  const Tag tag = known_tag(call, checkout);
  const std::string folder = call.planning_dir() + "/source-" + call.stage_id();
  fs::remove_all(folder);
  const GitUpgrade upgrade = prepare_upgrade(call, checkout, tag, folder, Bytes::of_deployment);
  refuse(call, upgrade);
  check_compose_file(call, upgrade);
  fill_planned(call, upgrade, folder);
  fs::remove_all(folder);
  report(call, planned_files(upgrade));
  call.info("the checkout " + checkout.root + " goes from " + checkout.head_name() + " (" +
            checkout.head.substr(0, 12) + ") to the tag " + tag.name + " (" +
            tag.commit.substr(0, 12) + ")" +
            (checkout.branch.empty() ? "" : "; the branch stays where it is"));
  if (upgrade.base.own_commits != 0) {
    call.warn(std::to_string(upgrade.base.own_commits) + " commits of your own are not part of " +
              tag.name + ": their changes are merged into its files, and the commits stay on " +
              checkout.head_name());
  } else if (upgrade.base.commit == checkout.head && checkout.head != tag.commit) {
    call.info("what differs from " + checkout.head.substr(0, 12) + " (" +
              upgrade.base.counts_because +
              ") counts as changed here: " + std::to_string(upgrade.merged.size()) +
              " files are merged, " + std::to_string(upgrade.kept.size()) + " stay as they are");
  }
}

void run_checkout(Call& call) {
  const bool repeated = call.recall(git_note).has_value();
  if (!repeated) prepare(call);
  const GitNote note = noted(call);
  const ReleaseTree release = saved_release(call, note);
  const std::vector<Before> kept = read_list(call.private_dir());
  if (repeated) {
    remove_own_locks(call, note);
    remove_leftovers(kept, note.root);
  }
  // Containers that have mounted one are made anew.
  files::leave_changed(call.private_dir(), call.run_id(), changed_content(release));
  bring_tag(call, note);
  switch_to(release, kept, call);
  switch_commit(call, note);
  call.output("commit", note.commit, DRYDOCK_OUTPUT_PROMOTE);
  call.info(std::to_string(kept.size()) + " files and folders of " + note.root +
            " switched to the tag " + note.tag);
}

void verify_checkout(Call& call) {
  const GitNote note = noted(call);
  const ReleaseTree release = saved_release(call, note);
  for (const Entry& entry : release.entries()) {
    if (entry.kind == Kind::gone_folder || release.compare(entry) == Difference::none) continue;
    throw Failed(release.place(entry) + " is not what " + note.tag +
                 " makes of it; somebody changed it during the run");
  }
  verify_commit(call, note);
}

void rollback_checkout(Call& call) {
  if (!call.recall(git_note)) return;  // it died before its first change
  const GitNote note = noted(call);
  const std::vector<Before> kept = read_list(call.private_dir());
  remove_own_locks(call, note);
  remove_leftovers(kept, note.root);
  FirstFailure failure(call);
  failure.attempt([&] { switch_back(kept, note.root, call); });
  failure.attempt([&] { switch_commit_back(call, note); });
  failure.rethrow();
  files::take_back_changed(call.private_dir(), call.run_id());
}

}  // namespace drydock::source
