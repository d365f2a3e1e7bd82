#include "checkout.h"

#include <filesystem>
#include <fstream>

#include "file_store.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

std::string first_line(const std::string& file) {
  const auto text = files::read_if_present(file, 64 * 1024);
  return text ? text->substr(0, text->find('\n')) : "";
}

// `.git` is the folder, or a file that names it (linked work trees, submodules).
std::string git_dir_of(const fs::path& root) {
  const fs::path at = root / ".git";
  if (fs::is_directory(at)) return fs::canonical(at).string();
  const std::string line = first_line(at.string());
  const std::string mark = "gitdir: ";
  std::error_code error;
  fs::path named = line.rfind(mark, 0) == 0 ? line.substr(mark.size()) : "";
  if (named.is_relative()) named = root / named;
  const fs::path found = fs::canonical(named, error);
  if (error || line.rfind(mark, 0) != 0) {
    throw Failed(at.string() + " leads to no git repository (" + line +
                 "); repair the checkout (`git worktree repair`), or take the release from a "
                 "folder, an archive or another repository");
  }
  return found.string();
}

std::string common_dir_of(const std::string& git_dir) {
  const std::string named = first_line(git_dir + "/commondir");
  if (named.empty()) return git_dir;
  return fs::canonical(fs::path(named).is_absolute() ? fs::path(named) : fs::path(git_dir) / named)
      .string();
}

fs::path root_above(const std::string& dir) {
  for (fs::path at = fs::canonical(dir);; at = at.parent_path()) {
    std::error_code error;
    if (fs::exists(at / ".git", error)) return at;
    if (at == at.parent_path()) return {};
  }
}

void refuse_unfinished(const Checkout& checkout) {
  const std::map<std::string, std::string> unfinished = {
      {"MERGE_HEAD", "a merge"},    {"rebase-merge", "a rebase"},
      {"rebase-apply", "a rebase"}, {"CHERRY_PICK_HEAD", "a cherry-pick"},
      {"REVERT_HEAD", "a revert"},  {"BISECT_LOG", "a bisect"}};
  for (const auto& [file, what] : unfinished) {
    if (!fs::exists(checkout.git_dir + "/" + file)) continue;
    throw Failed("the git checkout " + checkout.root + " is in the middle of " + what +
                 "; finish or abort it first (`git status` says how)");
  }
}

void refuse_what_cannot_be_switched(const Checkout& checkout, const Git& git) {
  // As the repository is set up, not as Git sets it for one command.
  const auto set = [&git](const char* name) {
    for (const std::string& value :
         lines_of(git.attempt({"config", "--type=bool", "--get-all", name}).out)) {
      if (value == "true") return true;
    }
    return false;
  };
  const std::string instead =
      "; take the release from a folder, an archive, or with `repository` from another repository";
  if (set("core.sparseCheckout")) {
    throw Failed("the git checkout " + checkout.root + " is sparse, which is not switched" +
                 instead);
  }
  if (!git.line({"config", "--get", "extensions.partialClone"}).empty()) {
    throw Failed("the git repository of " + checkout.root +
                 " is a partial clone, which is not switched" + instead);
  }
}

}  // namespace

std::string Checkout::head_name() const {
  const std::string heads = "refs/heads/";
  return branch.rfind(heads, 0) == 0 ? branch.substr(heads.size()) : head.substr(0, 12);
}

bool in_a_checkout(const std::string& dir) { return !root_above(dir).empty(); }

Checkout find_checkout(const Call& call) {
  const fs::path root = root_above(call.deployment_dir());
  if (root.empty()) {
    throw Failed("the deployment " + call.deployment_dir() +
                 " lies in no git checkout; say which `repository` the release is in, or take it "
                 "from a folder or an archive");
  }
  Checkout checkout;
  checkout.root = root.string();
  checkout.git_dir = git_dir_of(root);
  checkout.common_dir = common_dir_of(checkout.git_dir);
  const fs::path below = fs::canonical(call.deployment_dir()).lexically_relative(root);
  checkout.folder = below == "." ? "" : below.string() + "/";
  const Git git = checkout.git(call);
  checkout.branch = git.line({"symbolic-ref", "--quiet", "HEAD"});
  const Captured head = git.attempt({"rev-parse", "--verify", "--quiet", "HEAD^{commit}"});
  if (!head.exit.ok()) {
    throw Failed("the git repository of " + checkout.root + " has no commit checked out (" +
                 (head.err.empty() ? "HEAD names none" : lines_of(head.err).back()) +
                 "); repair it, or say which `repository` the release is in");
  }
  checkout.head = head.out.substr(0, head.out.find('\n'));
  checkout.shallow = fs::exists(checkout.common_dir + "/shallow");
  refuse_unfinished(checkout);
  refuse_what_cannot_be_switched(checkout, git);
  return checkout;
}

LocalChanges parse_status(const std::string& printed) {
  LocalChanges result;
  for (const std::string& line : lines_of(printed)) {
    if (line.size() < 4) continue;
    if (line[0] == 'u') {
      throw Failed("git has the conflict of an earlier merge in " +
                   unquoted(line.substr(line.rfind('\t') == line.npos ? line.rfind(' ') + 1
                                                                      : line.rfind('\t') + 1)) +
                   "; settle it first (`git status` says how)");
    }
    if (line[0] != '1') continue;
    // "1 XY sub mH mI mW hH hI path"
    std::size_t at = 0;
    for (int field = 0; field < 8; ++field) at = line.find(' ', at) + 1;
    const std::string path = unquoted(line.substr(at));
    result.paths[path] = line.substr(0, at);
    if (line[2] != '.' && line[3] != '.') result.staged_and_changed.push_back(path);
  }
  return result;
}

LocalChanges local_changes(const Git& git) {
  return parse_status(git.ask({"status", "--porcelain=v2", "--untracked-files=no", "--no-renames",
                               "--ignore-submodules=all"},
                              "see what was changed in the checkout"));
}

}  // namespace drydock::source
