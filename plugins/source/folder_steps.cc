#include "folder_steps.h"

#include <filesystem>

#include "changed_files.h"
#include "file_store.h"
#include "origin.h"
#include "plan_report.h"
#include "release_tree.h"
#include "switch_files.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

constexpr auto list_note = "list";  // the list of what is switched, and the old bytes, are kept

std::optional<ReleaseTree> known_release(const Call& call) {
  const Origin origin = origin_of(call);
  const auto folder = release_folder(call, origin);
  if (!folder) return std::nullopt;
  return ReleaseTree(*folder, call.deployment_dir(),
                     call.has("/exclude") ? call.texts("/exclude") : default_exclude(),
                     origin != Origin::folder);
}

ReleaseTree release_of(const Call& call) {
  if (auto release = known_release(call)) return *release;
  if (call.step() == "plan") {
    call.warn("the stages after this one are planned with the files as they are now");
  }
  throw Unknown("after the release is fetched (`plan --fetch` fetches it now)");
}

// Compose would go on with the old file, or with two of them.
void check_compose_file(const Call& call, const ReleaseTree& release) {
  const auto compose_files = call.compose_files();
  const std::string own = call.deployment_dir() + "/";
  if (compose_files.empty() || compose_files[0].compare(0, own.size(), own) != 0) return;
  const std::string name = compose_files[0].substr(own.size());
  if (release.has(name)) return;
  throw Failed("the release " + release.directory() + " has no " + name +
               ", the compose file of this deployment; is `directory` the folder that holds it?");
}

// The operator changed the file since the last run (or init).
bool is_edited(const Call& call, const ReleaseTree& release, const Entry& entry) {
  if (call.snapshot_dir().empty() || entry.kind != Kind::file) return false;
  const std::string pristine = call.snapshot_dir() + "/" + entry.path;
  return fs::is_regular_file(pristine) && !files::same_content(pristine, release.place(entry));
}

void put_into_planned(const Call& call, const ReleaseTree& release, const Entry& entry) {
  const std::string copy = call.planned_dir() + "/" + entry.path;
  if (entry.kind != Kind::file) return;  // links lead to files that are there themselves
  files::make_directories(fs::path(copy).parent_path().string());
  fs::copy_file(release.at(entry), copy, fs::copy_options::overwrite_existing);
}

PlannedFile planned(const Call& call, const Entry& entry, Difference difference, bool edited) {
  PlannedFile file{entry.path, difference == Difference::absent ? "add" : "change"};
  if (difference == Difference::mode) file.detail = "execute permission only";
  if (edited) {
    call.warn(entry.path + " was edited here and is replaced by the release's");
    file.by_name = true;
    file.detail = "edited here since the last run; your bytes are kept in .drydock/backups/RUN/" +
                  call.stage_id() + "/before/" + entry.path;
  }
  file.size = entry.size;
  return file;
}

}  // namespace

void observe_folder(Call& call) {
  if (const auto release = known_release(call)) {
    for (const Entry& entry : release->entries()) {
      call.fact((entry.kind == Kind::folder ? "folder " : "file ") + entry.path,
                fact_of(release->place(entry)));
    }
    return;
  }
  if (call.private_dir().empty() || !fs::exists(call.private_dir() + "/list")) return;
  for (const Before& before : read_list(call.private_dir())) {
    const bool folder = before.was == Before::Was::folder_absent;
    call.fact((folder ? "folder " : "file ") + before.path, fact_of(call.deployment(before.path)));
  }
}

void plan_folder(Call& call) {
  const ReleaseTree release = release_of(call);
  check_compose_file(call, release);
  if (origin_of(call) == Origin::folder) call.input(call.text("/directory"));
  std::uint64_t size = 0;
  for (const Entry& entry : release.entries()) size += entry.size;
  std::vector<PlannedFile> changes;
  std::size_t files = 0;
  for (const Entry& entry : release.entries()) {
    const Difference difference = release.compare(entry);
    if (difference != Difference::none || size <= most_planned) {
      put_into_planned(call, release, entry);
    }
    if (entry.kind == Kind::folder) continue;
    ++files;
    if (difference == Difference::none) continue;
    const bool edited = difference == Difference::content && is_edited(call, release, entry);
    changes.push_back(planned(call, entry, difference, edited));
  }
  report(call, changes);
  call.info(std::to_string(changes.size()) + " of " + std::to_string(files) +
            " files of the release are new or different");
}

void run_folder(Call& call) {
  const ReleaseTree release = release_of(call);
  check_compose_file(call, release);
  const bool kept_before = call.recall(list_note).has_value();
  const std::vector<Before> kept =
      kept_before ? read_list(call.private_dir()) : keep_old_files(release, call.private_dir());
  if (!kept_before) call.remember(list_note, std::to_string(kept.size()));
  if (kept_before) remove_leftovers(kept, call.deployment_dir());
  // Containers that have mounted one are made anew.
  files::leave_changed(call.private_dir(), call.run_id(), changed_content(release));
  switch_to(release, kept, call);
  call.info(std::to_string(kept.size()) + " files and folders switched to " + release.directory());
}

void verify_folder(Call& call) {
  const ReleaseTree release = release_of(call);
  for (const Entry& entry : release.entries()) {
    if (release.compare(entry) == Difference::none) continue;
    throw Failed(release.place(entry) + " is not the release's " + release.at(entry) +
                 "; somebody changed one of them during the run");
  }
}

void rollback_folder(Call& call) {
  if (!call.recall(list_note)) return;  // it died before its first change
  const std::vector<Before> kept = read_list(call.private_dir());
  // A new folder is only removed when it is empty.
  remove_leftovers(kept, call.deployment_dir());
  switch_back(kept, call.deployment_dir(), call);
  files::take_back_changed(call.private_dir(), call.run_id());
}

}  // namespace drydock::source
