#include "compose_project.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "capture_command.h"
#include "error.h"
#include "files.h"
#include "spawn.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t largest_compose_file = std::size_t{4} << 20;
constexpr std::size_t largest_model_text = std::size_t{64} << 20;
constexpr std::chrono::seconds docker_timeout{20};
constexpr const char* working_dir_label = "com.docker.compose.project.working_dir";

CapturedCommand docker(const std::vector<std::string>& command, const std::string& dir) {
  CaptureRequest request;
  request.arguments = command;
  // As stages get it: a variable of the operator's shell counts before `.env` for Compose, and no
  // stage would start what the model then says.
  request.environment = scrubbed_environment();
  request.directory = dir;
  request.timeout = docker_timeout;
  request.limit = largest_model_text;
  return capture_command(request);
}

struct LabelledContainer {
  std::string project, service, image, state, status, config_files, one_off;
};

// Containers that Compose started from this folder; nullopt when no engine answers.
std::optional<std::vector<LabelledContainer>> containers_from(const std::string& dir) {
  const CapturedCommand listed = docker(
      {"docker", "ps", "--all", "--no-trunc", "--filter", std::string("label=") + working_dir_label,
       "--format",
       "{{.Label \"com.docker.compose.project\"}}\t{{.Label \"com.docker.compose.service\"}}\t"
       "{{.Image}}\t{{.State}}\t{{.Status}}\t"
       "{{.Label \"com.docker.compose.project.config_files\"}}\t"
       "{{.Label \"com.docker.compose.oneoff\"}}\t"
       "{{.Label \"com.docker.compose.project.working_dir\"}}"},
      dir);
  if (!listed.ok()) return std::nullopt;
  std::vector<LabelledContainer> containers;
  for (const std::string& line : split(listed.out, '\n')) {
    std::vector<std::string> fields = split(line, '\t');
    fields.resize(8);
    // Compose writes the folder as it was called, perhaps through a link.
    std::error_code error;
    if (fs::weakly_canonical(fields[7], error) != dir) continue;
    containers.push_back(
        {fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6]});
  }
  return containers;
}

// Compose's own rules: COMPOSE_FILE of `.env`, else the first of these names with its override
// beside it.
std::vector<std::string> files_by_rule(const std::string& dir, const Variables& env) {
  std::vector<std::string> files;
  if (const auto listed = env.find("COMPOSE_FILE");
      listed != env.end() && !listed->second.empty()) {
    const auto separator = env.find("COMPOSE_PATH_SEPARATOR");
    const char by =
        separator != env.end() && !separator->second.empty() ? separator->second[0] : ':';
    for (const std::string& file : split(listed->second, by)) {
      files.push_back((fs::path(dir) / file).lexically_normal().string());
    }
    return files;
  }
  for (const char* name :
       {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}) {
    const fs::path file = fs::path(dir) / name;
    if (!fs::exists(file)) continue;
    files.push_back(file.string());
    const std::string stem = file.stem().string();
    for (const char* end : {".override.yml", ".override.yaml"}) {
      const fs::path override_file = fs::path(dir) / (stem + end);
      if (fs::exists(override_file)) {
        files.push_back(override_file.string());
        break;
      }
    }
    break;
  }
  return files;
}

// Compose's normalisation of a folder's name.
std::string project_from_folder(const std::string& dir) {
  std::string name;
  for (char c : fs::path(dir).filename().string()) {
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (std::isdigit(static_cast<unsigned char>(lower)) || (lower >= 'a' && lower <= 'z') ||
        lower == '_' || lower == '-') {
      name += lower;
    }
  }
  name.erase(0, name.find_first_not_of("_-"));
  return name;
}

// The top-level `name:` of a compose file; "" when there is none. A full reading is Compose's
// business: its files use merges and anchors that ours refuse.
std::string name_in_file(const std::string& file) {
  std::istringstream text(read_file(file, largest_compose_file));
  for (std::string line; std::getline(text, line);) {
    if (line.rfind("name:", 0) != 0) continue;
    std::string name = line.substr(5);
    name = name.substr(0, name.find(" #"));
    name.erase(0, name.find_first_not_of(" \t\"'"));
    name.erase(name.find_last_not_of(" \t\r\"'") + 1);
    return name.find('$') == std::string::npos ? name : "";
  }
  return "";
}

std::string project_by_rule(const std::string& dir, const std::vector<std::string>& files,
                            const std::map<std::string, std::string>& env) {
  if (const auto named = env.find("COMPOSE_PROJECT_NAME");
      named != env.end() && !named->second.empty()) {
    return named->second;
  }
  for (auto file = files.rbegin(); file != files.rend(); ++file) {
    if (const std::string name = name_in_file(*file); !name.empty()) return name;
  }
  return project_from_folder(dir);
}

std::string engine_version() {
  const CapturedCommand asked =
      docker({"docker", "version", "--format", "{{.Server.Version}}"}, "/");
  if (!asked.ok()) return "";
  return "Docker " + asked.out.substr(0, asked.out.find('\n'));
}

std::vector<std::string> compose_command(const ComposeProject& project, const std::string& dir) {
  std::vector<std::string> command = {"docker", "compose", "--ansi", "never", "--project-directory",
                                      dir};
  if (!project.project.empty()) {
    command.insert(command.end(), {"--project-name", project.project});
  }
  for (const std::string& file : project.files) command.insert(command.end(), {"--file", file});
  for (const std::string& profile : project.profiles)
    command.insert(command.end(), {"--profile", profile});
  return command;
}

}  // namespace

ComposeProject find_compose_project(const DeploymentSpec& spec, const std::string& dir,
                                    const Variables& env) {
  ComposeProject found;
  if (spec.profiles) found.profiles = *spec.profiles;
  if (spec.files) {
    for (const std::string& file : *spec.files) {
      const std::string path = (fs::path(dir) / file).lexically_normal().string();
      if (!fs::exists(path)) {
        throw Error("the compose file " + path +
                    " of `deployment: {files: …}` does not exist; name one that does");
      }
      found.files.push_back(path);
    }
  } else {
    found.files = files_by_rule(dir, env);
  }
  // A folder without compose files is upgraded without an engine.
  if (found.files.empty()) return found;

  // Both at once: each takes longer than the rest of this.
  auto engine = std::async(std::launch::async, engine_version);
  const auto containers = containers_from(dir).value_or(std::vector<LabelledContainer>());
  found.engine = engine.get();
  std::set<std::string> running_projects;
  std::set<std::string> running_files;
  for (const LabelledContainer& container : containers) {
    running_projects.insert(container.project);
    running_files.insert(container.config_files);
  }
  if (spec.project) {
    found.project = *spec.project;
  } else if (running_projects.size() > 1) {
    throw Error("several Compose projects run from " + dir + " (" +
                join({running_projects.begin(), running_projects.end()}, ", ") +
                "); choose one with `deployment: {project: NAME}`");
  } else if (running_projects.size() == 1) {
    found.project = *running_projects.begin();
    // Started with other files than the rules find: those are the deployment's. Not so when only
    // some were: a rollback starts a service that the files of the time no longer had from a kept
    // model.
    const bool by_rule = running_files.count(join(found.files, ",")) != 0;
    const std::vector<std::string> started_with = split(*running_files.begin(), ',');
    const bool all_there =
        !started_with.empty() &&
        std::all_of(started_with.begin(), started_with.end(), [](const std::string& file) {
          return fs::exists(file) && file.find("/backups/") == std::string::npos;
        });
    if (!spec.files && !by_rule && all_there) found.files = started_with;
  } else {
    found.project = project_by_rule(dir, found.files, env);
  }
  return found;
}

std::optional<std::string> resolve_compose_model(const ComposeProject& project,
                                                 const std::string& dir,
                                                 const std::string& output) {
  std::vector<std::string> command = compose_command(project, dir);
  command.insert(command.end(), {"config", "--format", "json"});
  const CapturedCommand resolved = docker(command, dir);
  if (!resolved.ok()) return resolved.describe();
  write_file_atomically(output, resolved.out);
  return std::nullopt;
}

std::vector<std::string> names_in_model(const std::string& model_file) {
  std::vector<std::string> names;
  std::ifstream file(model_file);
  const nlohmann::json model = nlohmann::json::parse(file, nullptr, false);
  if (!model.is_object() || !model.contains("services")) return names;
  for (const auto& [service, settings] : model["services"].items()) {
    names.push_back(service);
    const auto image = settings.find("image");
    if (image != settings.end() && image->is_string()) names.push_back(*image);
  }
  return names;
}

std::optional<std::vector<RunningService>> services_of(const ComposeProject& project,
                                                       const std::string& dir) {
  const auto containers = containers_from(dir);
  if (!containers) return std::nullopt;
  std::vector<RunningService> services;
  for (const LabelledContainer& container : *containers) {
    if (container.project != project.project || container.one_off == "True") continue;
    std::string health;
    for (const char* word : {"unhealthy", "healthy", "health: starting"}) {
      if (health.empty() && container.status.find(std::string("(") + word) != std::string::npos)
        health = word;
    }
    services.push_back({container.service, container.image, container.state, health});
  }
  std::sort(services.begin(), services.end(),
            [](const RunningService& a, const RunningService& b) { return a.service < b.service; });
  return services;
}

std::vector<std::string> images_of(const ComposeProject& project, const std::string& dir) {
  std::set<std::string> images;
  std::vector<std::string> command = compose_command(project, dir);
  command.insert(command.end(), {"config", "--images"});
  const CapturedCommand listed = docker(command, dir);
  if (listed.ok()) {
    for (const std::string& image : split(listed.out, '\n')) images.insert(image);
  }
  if (const auto services = services_of(project, dir)) {
    for (const RunningService& service : *services) images.insert(service.image);
  }
  return {images.begin(), images.end()};
}

}  // namespace drydock
