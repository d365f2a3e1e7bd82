#include "origin.h"

#include <filesystem>

#include "archive.h"
#include "file_store.h"
#include "git_upgrade.h"
#include "release_tag.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

// Removes what was unpacked of other releases: one a stage is enough.
void remove_others(const std::string& dir, const std::string& mark, const std::string& but) {
  std::error_code none;
  for (const auto& found : fs::directory_iterator(dir, none)) {
    const std::string name = found.path().filename().string();
    if (name.rfind(mark, 0) == 0 && name != but) fs::remove_all(found.path(), none);
  }
}

// The tag's files, in a folder that is there only when it is whole.
std::optional<std::string> tree_of_repository(const Call& call) {
  const std::string ref = call.text("/git/ref");
  check_tag_name(call, ref);
  const auto tag = tag_of_repository(call, call.text("/git/repository"), ref);
  if (!tag) return std::nullopt;
  const std::string name = "tree-" + tag->commit, dir = kept_release_dir(call);
  const std::string tree = dir + "/" + name;
  if (fs::exists(tree)) return tree;
  if (!may_fill(call)) return std::nullopt;
  remove_others(dir, "tree-", name);
  const std::string building = tree + ".new";
  fs::remove_all(building);
  const Git git(call, tag->fetched);
  write_files(git, files_of(git, tag->commit), building);
  files::make_directories(building);
  fs::rename(building, tree);
  files::sync_directory(dir);
  return tree;
}

}  // namespace

Origin origin_of(const Call& call) {
  const bool git = call.has("/git"), archive = call.has("/archive");
  const bool of_repository = git && call.has("/git/repository");
  if (git && archive) {
    throw BadOptions("source: `git` and `archive` are two releases; give one of them");
  }
  if (!git && !archive && !call.has("/directory")) {
    throw BadOptions("source: say where the new release is, with `directory`, `git` or `archive`");
  }
  if (archive && !call.has("/sha256")) {
    throw BadOptions("source: the archive " + call.text("/archive") +
                     " needs its `sha256`: what a server gives can be anything");
  }
  if (!archive && call.has("/sha256")) {
    throw BadOptions("source: `sha256` is that of an `archive`, and there is none");
  }
  if (git && !of_repository && call.has("/directory")) {
    throw BadOptions(
        "source: the deployment's own place in its checkout counts; leave `directory` "
        "out, or name the `repository`");
  }
  if (archive) return Origin::archive;
  if (!git) return Origin::folder;
  return of_repository ? Origin::repository : Origin::checkout;
}

std::optional<std::string> release_folder(const Call& call, Origin origin) {
  if (origin == Origin::folder) return call.deployment(call.text("/directory"));
  const auto whole = origin == Origin::archive ? unpacked_archive(call) : tree_of_repository(call);
  if (!whole) return std::nullopt;
  const fs::path below = fs::path(call.text("/directory")).lexically_normal();
  if (below.is_absolute() || (!below.empty() && *below.begin() == "..")) {
    throw BadOptions("source: `directory` (" + call.text("/directory") +
                     ") is a folder within the release; write it without a leading / or ..");
  }
  return below.empty() || below == "." ? *whole : *whole + "/" + below.string();
}

}  // namespace drydock::source
