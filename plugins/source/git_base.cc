// Which commit the operator's changes count from.
#include <algorithm>
#include <set>

#include "file_store.h"
#include "git_upgrade.h"

namespace drydock::source {
namespace {

std::set<std::string> shallow_commits(const Checkout& checkout) {
  if (!checkout.shallow) return {};
  const std::vector<std::string> lines =
      lines_of(files::read(checkout.common_dir + "/shallow", std::size_t{16} << 20));
  return {lines.begin(), lines.end()};
}

// The newest published commits that the operator's own ones stand on.
std::set<std::string> published_below(const Git& git, const Checkout& checkout, const Tag& tag,
                                      std::size_t& own_commits) {
  std::vector<std::string> arguments = {"rev-list", "--boundary", "HEAD",
                                        "--not",    "--tags",     "--remotes"};
  // Its history may be missing where it was fetched alone.
  if (tag.fetched.empty() || !checkout.shallow) arguments.push_back(tag.commit);
  const std::set<std::string> shallow = shallow_commits(checkout);
  std::set<std::string> found;
  own_commits = 0;
  for (const std::string& line :
       lines_of(git.ask(std::move(arguments), "read the history of the checkout"))) {
    if (line[0] == '-') {
      found.insert(line.substr(1));
    } else if (shallow.count(line) != 0) {
      found.insert(line);
    } else {
      ++own_commits;
    }
  }
  if (found.size() < 2) return found;
  std::vector<std::string> independent = {"merge-base", "--independent"};
  independent.insert(independent.end(), found.begin(), found.end());
  const std::vector<std::string> newest = lines_of(git.attempt(std::move(independent)).out);
  return {newest.begin(), newest.end()};
}

std::string named(const std::string& commit) { return commit.substr(0, 12); }

}  // namespace

// A commit of a branch that was never pushed holds the operator's changes as much as a file that
// was never committed does. Releases are often tagged on branches of their own, so the merge base
// of two tags would take a release's fixes for somebody's edits.
BaseCommit base_of(const Git& git, const Checkout& checkout, const Tag& tag) {
  if (checkout.head == tag.commit) return {checkout.head, 0, "the tag itself"};
  if (git.holds({"merge-base", "--is-ancestor", checkout.head, tag.commit})) {
    return {checkout.head, 0, "part of the history of " + tag.name};
  }
  const std::string tagged = git.line({"for-each-ref", "--count=1", "--format=%(refname:short)",
                                       "--points-at", checkout.head, "refs/tags"});
  if (!tagged.empty()) return {checkout.head, 0, "tag " + tagged};
  const std::string branch = git.line({"for-each-ref", "--count=1", "--format=%(refname:short)",
                                       "--contains", checkout.head, "refs/remotes"});
  if (!branch.empty()) return {checkout.head, 0, "part of " + branch};
  if (shallow_commits(checkout).count(checkout.head) != 0) {
    return {checkout.head, 0, "the commit that was cloned"};
  }
  std::size_t own_commits = 0;
  const std::set<std::string> published = published_below(git, checkout, tag, own_commits);
  if (published.size() != 1) {
    throw Failed("which release the checkout " + checkout.root + " is made from cannot be told: " +
                 named(checkout.head) + " (" + checkout.head_name() + ") stands on " +
                 (published.empty() ? "no commit" : std::to_string(published.size()) + " commits") +
                 " that a tag or a remote branch has; fetch the tag of that release "
                 "(`git fetch origin tag TAG`), or rebase your commits onto it");
  }
  return {*published.begin(), own_commits, "what your own commits stand on"};
}

}  // namespace drydock::source
