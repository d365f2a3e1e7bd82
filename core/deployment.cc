#include "deployment.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "error.h"
#include "files.h"
#include "state_dir.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::uintmax_t largest_snapshot_file = std::uintmax_t{1} << 20;
constexpr int snapshot_depth = 4;

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// `.env`, `.env.example`, `middleware.env.example`, `envs/security.env`, ...
bool is_env_file(const std::string& name) {
  return name.rfind(".env", 0) == 0 || ends_with(name, ".env") || ends_with(name, ".env.example");
}

bool is_skipped_folder(const std::string& name) {
  constexpr std::array<std::string_view, 5> skipped = {".git", ".drydock", "volumes", "env-backup",
                                                       "node_modules"};
  return std::find(skipped.begin(), skipped.end(), name) != skipped.end();
}

void collect_env_files(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (entry.is_symlink(error)) continue;
    if (entry.is_directory(error)) {
      if (depth > 0 && !is_skipped_folder(name)) collect_env_files(entry.path(), depth - 1, found);
    } else if (entry.is_regular_file(error) && is_env_file(name)) {
      found.push_back(entry.path());
    }
  }
}

// Puts a file of an earlier snapshot there as well, if it has these bytes: nobody writes into a
// snapshot, so that one file may stand in several, and it is on the disk already.
bool share(const fs::path& earlier, const std::string& bytes, const fs::path& copy) {
  try {
    if (read_file(earlier.string(), largest_snapshot_file) != bytes) return false;
  } catch (const Error&) {  // where there is none
    return false;
  }
  return ::link(earlier.c_str(), copy.c_str()) == 0;
}

}  // namespace

json to_json(const Deployment& d) {
  return {{"dir", d.dir},
          {"state_dir", d.state_dir},
          {"project", d.compose.project},
          {"files", d.compose.files},
          {"profiles", d.compose.profiles},
          {"engine", d.compose.engine},
          {"snapshot_dir", d.snapshot_dir},
          {"model_before", d.model_before}};
}

Deployment deployment_from_json(const json& j) {
  Deployment d;
  d.dir = j.value("dir", "");
  d.state_dir = j.value("state_dir", "");
  d.compose.project = j.value("project", "");
  d.compose.files = j.value("files", std::vector<std::string>());
  d.compose.profiles = j.value("profiles", std::vector<std::string>());
  d.compose.engine = j.value("engine", "");
  d.snapshot_dir = j.value("snapshot_dir", "");
  d.model_before = j.value("model_before", "");
  return d;
}

std::string deployment_dir(const std::string& change_dir, const DeploymentSpec& spec) {
  const fs::path asked = fs::path(change_dir.empty() ? "." : change_dir) / spec.dir;
  std::error_code error;
  const fs::path dir = fs::canonical(asked, error);
  if (error) {
    throw Error("the deployment " + asked.lexically_normal().string() + " cannot be opened (" +
                error.message() + "); name it with -C DIR or `deployment: {dir: …}`");
  }
  if (!is_utf8(dir.string())) {
    throw Error("the deployment " + dir.string() +
                " has a name that is no UTF-8, which the journal cannot keep; rename the folder");
  }
  if (!fs::is_directory(dir)) {
    throw Error("the deployment " + dir.string() + " is a file; name the folder that holds it");
  }
  return dir.string();
}

std::string run_label(const Deployment& deployment, std::uint64_t run) {
  return "drydock.run=" + deployment.dir + "/" + std::to_string(run);
}

StepRequest request_for(const Deployment& deployment) {
  StepRequest request;
  request.deployment_dir = deployment.dir;
  request.snapshot_dir = deployment.snapshot_dir;
  request.next_dir = deployment.state_dir + "/next";
  request.project = deployment.compose.project;
  request.compose_files = deployment.compose.files;
  request.profiles = deployment.compose.profiles;
  request.model_before = deployment.model_before;
  return request;
}

void take_snapshot(const Deployment& deployment, const std::string& target) {
  std::vector<fs::path> files(deployment.compose.files.begin(), deployment.compose.files.end());
  collect_env_files(deployment.dir, snapshot_depth, files);

  // Built beside its place and renamed, so that a snapshot that exists is whole.
  const fs::path building = target + ".new";
  std::error_code error;
  fs::remove_all(building, error);
  make_private_dir(building.string());
  std::set<fs::path> folders;
  for (const fs::path& file : files) {
    const fs::path relative = file.lexically_relative(deployment.dir);
    if (relative.empty() || *relative.begin() == "..") continue;  // shared by several deployments
    if (fs::file_size(file, error) > largest_snapshot_file || error) continue;
    const fs::path copy = building / relative;
    make_private_dir(copy.parent_path().string());
    const std::string bytes = read_file(file.string(), largest_snapshot_file);
    const fs::path before = deployment.snapshot_dir;  // "": none
    if (before.empty() || !share(before / relative, bytes, copy)) {
      NewFile(copy.string(), bytes, 0600).take_name();
    }
    for (fs::path at = copy; at != building; folders.insert(at)) at = at.parent_path();
  }
  for (const fs::path& folder : folders) make_folder_durable(folder.string());
  fs::remove_all(target, error);
  fs::rename(building, target, error);
  if (error) {
    throw Error("the snapshot " + target + " cannot be put in place (" + error.message() +
                "); check the disk");
  }
}

}  // namespace drydock
