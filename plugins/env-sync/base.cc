#include "base.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "compose_proof.h"
#include "file_store.h"
#include "image_reference.h"
#include "templates.h"

namespace drydock::env_sync {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

// Only reads objects that are there: no hook, no filter, no fetch. So a repository that belongs to
// somebody else is no danger, and root may look at an operator's.
Process git_command(const Call& call, std::vector<std::string> arguments) {
  Process process;
  process.arguments = {"git", "-c", "safe.directory=*", "-c", "protocol.allow=never", "--no-pager"};
  for (std::string& argument : arguments) process.arguments.push_back(std::move(argument));
  process.environment = {"GIT_TERMINAL_PROMPT=0", "LC_ALL=C"};
  process.directory = call.deployment_dir();
  return process;
}

Captured git(const Call& call, std::vector<std::string> arguments) {
  return call.capture(git_command(call, std::move(arguments)));
}

bool in_a_repository(const std::string& dir) {
  for (fs::path at = dir;; at = at.parent_path()) {
    std::error_code error;
    if (fs::exists(at / ".git", error)) return true;
    if (at == at.parent_path()) return false;
  }
}

// `path` is looked for below the deployment, then below the repository's root.
std::optional<std::string> blob(const Call& call, const std::string& ref, const std::string& path) {
  // Through a file: lines would lose how they end.
  const std::string copy =
      (call.planning_dir().empty() ? call.private_dir() : call.planning_dir()) + "/template.git";
  std::optional<std::string> text;
  for (const char* below : {"./", ""}) {
    Process process = git_command(call, {"cat-file", "blob", ref + ":" + below + path});
    process.output_file = copy;
    process.on_line = [](Stream, std::string_view) {};
    if (call.run(process).ok()) text = files::read(copy, largest_env_file);
    if (text) break;
  }
  std::error_code none;
  fs::remove(copy, none);
  return text;
}

std::optional<std::string> template_of(const Call& call, const std::string& ref,
                                       const std::vector<std::string>& names) {
  std::vector<std::string> missing;
  const auto list = [&](const std::string& glob) {
    std::vector<std::string> found;
    for (const std::string& path : lines(git(call, {"ls-tree", "-r", "--name-only", ref}).out)) {
      if (matches_path(glob, path)) found.push_back(path);
    }
    return found;
  };
  std::vector<NamedText> files = read_named(
      names, list, [&](const std::string& name) { return blob(call, ref, name); }, missing);
  if (files.empty()) return std::nullopt;
  return joined(std::move(files));
}

// How many services use an image with that tag: what runs, else what the old files say.
std::map<std::string, int> running_tags(const Call& call) {
  std::map<std::string, int> tags;
  if (in_path("docker") && !call.compose_files().empty()) {
    Process ps;
    ps.arguments = {
        "docker",   "ps",
        "--filter", "label=com.docker.compose.project.working_dir=" + call.deployment_dir(),
        "--format", "{{.Image}}"};
    const Captured answer = call.capture(ps);
    if (answer.exit.ok()) {
      for (const std::string& image : lines(answer.out)) ++tags[tag_of(image)];
    }
  }
  if (tags.empty() && !call.model_before().empty()) {
    const auto model = nlohmann::json::parse(files::read(call.model_before()), nullptr, false);
    if (model.is_object() && model.contains("services") && model["services"].is_object()) {
      for (const auto& [name, service] : model["services"].items()) {
        if (service.is_object()) ++tags[tag_of(service.value("image", ""))];
      }
    }
  }
  tags.erase("");
  return tags;
}

std::size_t agreeing(const EnvFile& base, const EnvFile& ours) {
  const EnvValues left = evaluate_here(base), right = evaluate_here(ours);
  std::size_t count = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::string_view *a = left.find(left.key_at(i)), *b = right.find(left.key_at(i));
    if (a != nullptr && b != nullptr && *a == *b) ++count;
  }
  return count;
}

// Of the tags that git knows too the one of most services; of several such the one that fits best.
Base of_running_tag(const Call& call, const EnvFile& ours) {
  if (!in_path("git") || !in_a_repository(call.deployment_dir())) return {};
  const std::map<std::string, int> tags = running_tags(call);
  Base best;
  int most = 0;
  std::size_t best_fit = 0;
  for (const auto& [tag, services] : tags) {
    if (services < most) continue;
    const auto text = template_of(call, "refs/tags/" + tag, call.texts("/template"));
    if (!text) continue;
    EnvFile file = EnvFile::parse(*text);
    const std::size_t fit = agreeing(file, ours);
    if (services == most && fit <= best_fit) continue;
    most = services;
    best_fit = fit;
    best = {std::move(file), tag + " (git tag of what runs)"};
  }
  return best;
}

Base automatic(const Call& call, const EnvFile& ours) {
  const std::string snapshot = call.snapshot_dir();
  if (!snapshot.empty()) {
    std::vector<std::string> missing;
    std::vector<NamedText> files = read_named(
        call.texts("/template"),
        [&](const std::string& glob) { return files_matching({snapshot}, glob); },
        [&](const std::string& name) {
          return files::read_if_present(snapshot + "/" + name, largest_env_file);
        },
        missing);
    if (!files.empty()) {
      const std::string name =
          files.size() == 1 ? files[0].name : std::to_string(files.size()) + " templates";
      return {EnvFile::parse(joined(std::move(files))), name + " of the last snapshot"};
    }
  }
  return of_running_tag(call, ours);
}

// "git:REF:path"; without a path the template's own.
Base of_git(const Call& call, const std::string& named) {
  const std::size_t colon = named.find(':');
  const std::string ref = named.substr(0, colon);
  const std::vector<std::string> paths = colon == named.npos
                                             ? call.texts("/template")
                                             : std::vector<std::string>{named.substr(colon + 1)};
  if (ref.empty() || ref[0] == '-') {
    throw BadOptions("the base git:" + named + " names no commit; write git:REF:path");
  }
  if (!in_path("git")) {
    throw Failed("the base git:" + named + " needs git, which is not installed; give a file");
  }
  const auto text = template_of(call, ref, paths);
  if (!text) {
    const Captured known = git(call, {"cat-file", "-e", ref + "^{commit}"});
    throw Failed("the base git:" + named + " does not exist: " +
                 (known.exit.ok() ? ref + " has no file " + paths[0]
                                  : "git knows no " + ref +
                                        " here (a shallow clone has no old tags: git fetch "
                                        "--depth 1 origin tag " +
                                        ref + ")") +
                 "; give another one, a file, auto or none");
  }
  return {EnvFile::parse(*text), ref + " (git)"};
}

}  // namespace

bool in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "/usr/bin:/bin" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

Base read_base(Call& call, const EnvFile& ours) {
  const std::string wanted = call.text("/base");
  if (wanted == "none") return {};
  if (wanted.empty() || wanted == "auto") return automatic(call, ours);
  if (wanted.rfind("git:", 0) == 0) return of_git(call, wanted.substr(4));
  const std::string path = call.deployment(wanted);
  std::optional<std::string> text = files::read_if_present(path, largest_env_file);
  if (!text) {
    throw Failed("the base " + path + " does not exist; give a file, git:REF:path, auto or none");
  }
  return {EnvFile::parse(std::move(*text)), wanted};
}

}  // namespace drydock::env_sync
