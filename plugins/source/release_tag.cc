#include "release_tag.h"

#include <filesystem>

#include "digest.h"
#include "file_store.h"

namespace drydock::source {
namespace fs = std::filesystem;
namespace {

std::optional<Tag> look_up(const Git& git, const std::string& name) {
  Tag tag{name, git.line({"rev-parse", "--verify", "--quiet", "refs/tags/" + name}),
          git.line({"rev-parse", "--verify", "--quiet", "refs/tags/" + name + "^{commit}"}), ""};
  if (tag.object.empty() || tag.commit.empty()) return std::nullopt;
  return tag;
}

// What a fetch needs beside the URL.
struct Way {
  std::string url;
  std::string settings;  // the configuration of the checkout: proxies, credentials, ssh
  std::string objects;   // of the checkout, so that only what is new comes; "": all comes
  bool shallow = true;   // the tag's commit without its history
};

Captured fetch(const Call& call, const Git& git, const Way& way, const std::string& name) {
  git.ask({"init", "--quiet", "--bare", "--template=", git.git_dir()}, "make a git repository");
  if (!way.objects.empty()) {
    files::make_directories(git.git_dir() + "/objects/info");
    files::write(git.git_dir() + "/objects/info/alternates", way.objects + "\n");
  }
  call.info("fetch the tag " + name);
  const std::string refspec = "+refs/tags/" + name + ":refs/tags/" + name;
  std::vector<std::string> arguments;
  if (!way.settings.empty()) arguments = {"-c", "include.path=" + way.settings};
  arguments.insert(arguments.end(), {"fetch", "--quiet", "--no-tags", "--no-write-fetch-head"});
  if (way.shallow) arguments.push_back("--depth=1");
  arguments.insert(arguments.end(), {"--", way.url, refspec});
  return git.attempt(std::move(arguments));
}

Failed not_fetched(const Captured& captured, const Way& way, const std::string& name) {
  const Failed refused = git_refused(captured, "fetch the tag " + name);
  if (captured.err.find("couldn't find remote ref") != std::string::npos) {
    return Failed("the repository " + way.url + " has no tag " + name + "; `git ls-remote --tags " +
                  way.url + "` lists those that it has");
  }
  return Failed(std::string(refused.what()) + "; check the network, and that `git ls-remote " +
                way.url + "` works for the user who runs drydock");
}

// Into a bare repository of ours. What an earlier plan has fetched serves when the remote does not
// answer; what a killed fetch left behind is thrown away.
std::optional<Tag> fetched_tag(const Call& call, const Way& way, const std::string& name) {
  const std::string dir = kept_release_dir(call) + "/" + sha256(way.url).substr(0, 16) + ".git";
  const Git git(call, dir);
  std::optional<Tag> tag;
  // Once for the look and the plan.
  const std::string mark = call.planning_dir().empty()
                               ? ""
                               : call.planning_dir() + "/fetched-" + sha256(dir + "\n" + name);
  if (may_fill(call) && (mark.empty() || !fs::exists(mark))) {
    files::make_directories(kept_release_dir(call));
    Captured captured = fetch(call, git, way, name);
    if (!captured.exit.ok() && captured.err.find(".lock") != std::string::npos) {
      fs::remove_all(dir);
      captured = fetch(call, git, way, name);
    }
    tag = look_up(git, name);
    if (!captured.exit.ok()) {
      const Failed refused = not_fetched(captured, way, name);
      if (!tag) throw refused;
      call.warn(std::string(refused.what()) + "; what was fetched earlier is used");
    }
    if (!mark.empty()) files::write(mark, "");
  } else if (fs::exists(dir)) {
    tag = look_up(git, name);
  }
  if (tag) tag->fetched = dir;
  return tag;
}

std::string remote_of(const Git& git, const Checkout& checkout) {
  const std::string of_branch = git.line({"config", "branch." + checkout.head_name() + ".remote"});
  if (!checkout.branch.empty() && !of_branch.empty() && of_branch != ".") return of_branch;
  const std::vector<std::string> remotes = lines_of(git.attempt({"remote"}).out);
  for (const std::string& remote : remotes) {
    if (remote == "origin") return remote;
  }
  return remotes.size() == 1 ? remotes[0] : "";
}

}  // namespace

void check_tag_name(const Call& call, const std::string& name) {
  const Git anywhere(call, call.deployment_dir());
  if (name.empty() || name[0] == '-' ||
      !anywhere.holds({"check-ref-format", "refs/tags/" + name})) {
    throw BadOptions("git: ref: '" + name + "' is no name of a tag; name one, such as 1.14.1");
  }
}

std::string kept_release_dir(const Call& call) { return call.next_dir() + "/" + call.stage_id(); }

bool may_fill(const Call& call) {
  return call.may_fetch() || (call.step() != "observe" && call.step() != "plan");
}

std::optional<Tag> tag_of_checkout(const Call& call, const Checkout& checkout,
                                   const std::string& name) {
  const Git git = checkout.git(call);
  if (auto own = look_up(git, name)) return own;
  const std::string remote = remote_of(git, checkout);
  const std::string url = remote.empty() ? "" : git.line({"remote", "get-url", remote});
  if (url.empty()) {
    throw Failed("the git repository of " + checkout.root + " has no tag " + name +
                 ", and no remote to fetch it from; fetch it, or say which `repository` has it");
  }
  Way way{url, checkout.common_dir + "/config", "", checkout.shallow};
  if (!checkout.shallow) way.objects = checkout.common_dir + "/objects";
  // A relative path of a remote counts from the checkout.
  if (const fs::path path = fs::path(checkout.root) / url; fs::is_directory(path)) {
    way.url = fs::canonical(path).string();
  }
  return fetched_tag(call, way, name);
}

std::optional<Tag> tag_of_repository(const Call& call, const std::string& url,
                                     const std::string& name) {
  if (url.empty() || url[0] == '-') {
    throw BadOptions("git: repository: '" + url + "' is neither a URL nor a path");
  }
  Way way{url, "", "", true};
  if (const fs::path path = call.deployment(url); fs::is_directory(path)) {
    way.url = fs::canonical(path).string();
  }
  return fetched_tag(call, way, name);
}

}  // namespace drydock::source
