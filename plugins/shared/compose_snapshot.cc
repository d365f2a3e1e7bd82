#include "compose_snapshot.h"

#include <filesystem>
#include <vector>

#include "compose_answers.h"
#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"

namespace drydock::compose {
namespace {

namespace fs = std::filesystem;

// `docker compose` on the deployment's files, or on copies of them in another folder.
std::optional<Process> compose_on(const Call& call, const std::string& folder) {
  const auto place_of = [&](const std::string& file) {
    const fs::path relative = fs::path(file).lexically_relative(call.deployment_dir());
    const bool inside = !relative.empty() && *relative.begin() != "..";
    return inside ? folder + "/" + relative.string() : file;
  };
  Process process;
  process.arguments = {
      "docker", "compose", "--ansi", "never", "--project-directory", call.deployment_dir()};
  if (!call.project().empty()) {
    process.arguments.insert(process.arguments.end(), {"--project-name", call.project()});
  }
  const std::string env = place_of(call.deployment_dir() + "/.env");
  if (fs::exists(env)) process.arguments.insert(process.arguments.end(), {"--env-file", env});
  for (const std::string& file : call.compose_files()) {
    if (!fs::exists(place_of(file))) return std::nullopt;
    process.arguments.insert(process.arguments.end(), {"--file", place_of(file)});
  }
  for (const std::string& profile : call.profiles()) {
    process.arguments.insert(process.arguments.end(), {"--profile", profile});
  }
  return process;
}

}  // namespace

std::optional<SnapshotModel> resolve_snapshot(const Call& call, const std::string& folder) {
  if (call.snapshot_dir().empty() || call.compose_files().empty()) return std::nullopt;
  const auto compose = compose_on(call, call.snapshot_dir());
  if (!compose) return std::nullopt;
  SnapshotModel result;
  result.file = folder + "/snapshot-model.json";
  Process resolve = *compose;
  resolve.arguments.insert(resolve.arguments.end(), {"config", "--format", "json"});
  resolve.output_file = result.file;
  resolve.on_line = [](Stream, std::string_view) {};
  if (!call.run(resolve).ok()) return std::nullopt;
  try {
    result.hashes = config_hashes(call, read_model(result.file), *compose);
  } catch (const Failed&) {
    return std::nullopt;
  }
  return result;
}

std::map<std::string, std::string> hashes_of_own_files(const Call& call, bool all_profiles) {
  auto compose = compose_on(call, call.deployment_dir());
  if (!compose || call.model_before().empty()) return {};
  if (all_profiles) compose->arguments.insert(compose->arguments.end(), {"--profile", "*"});
  return config_hashes(call, read_model(call.model_before()), *compose);
}

}  // namespace drydock::compose
