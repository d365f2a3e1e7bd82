#include "preflight_stage.h"

#include <limits.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <future>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "checks.h"
#include "compose_answers.h"
#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "image_reference.h"

using namespace drydock::preflight;
using drydock::Call;
using drydock::Failed;
using drydock::compose::Container;

namespace {

std::string one_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

bool is_this_machine(const std::string& name) {
  char own[HOST_NAME_MAX + 1] = "";
  return ::gethostname(own, sizeof own - 1) == 0 && name == own;
}

// The engine keeps its images in a folder of its own machine, which need not be this one.
std::int64_t free_space(const std::string& machine, const std::string& folder) {
  struct statvfs status {};
  if (!is_this_machine(machine) || folder.empty() || ::statvfs(folder.c_str(), &status) != 0)
    return -1;
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

Machine machine_of(const Call& call) {
  auto compose = std::async(std::launch::async, [&call] {
    return one_line(drydock::compose::ask_once(call, {{"docker", "compose", "version", "--short"}},
                                               "ask Docker Compose for its version"));
  });
  const std::string told = drydock::compose::ask_once(
      call, {{"docker", "info", "--format", "{{json .}}"}}, "ask the Docker engine about itself");
  const auto info = nlohmann::json::parse(told, nullptr, false);
  Machine machine;
  machine.compose_version = compose.get();
  if (!info.is_object()) return machine;
  machine.engine_version = info.value("ServerVersion", "");
  machine.memory = info.value("MemTotal", std::int64_t{-1});
  machine.cpus = info.value("NCPU", std::int64_t{-1});
  machine.free_disk = free_space(info.value("Name", ""), info.value("DockerRootDir", ""));
  return machine;
}

Minimum minimum_of(const Call& call) {
  return {call.text("/engine"), call.text("/compose"), call.integer("/memory"),
          call.integer("/cpus"), call.integer("/disk")};
}

// Of whatever project: those that were made from this folder.
std::vector<Container> containers_here(const Call& call) {
  const std::string here = drydock::compose::real_path(call.deployment_dir());
  std::vector<Container> result;
  for (Container& one : drydock::compose::running_containers(call)) {
    if (drydock::compose::real_path(one.working_dir) == here) result.push_back(std::move(one));
  }
  return result;
}

Path path_of(const Call& call, const std::vector<Container>& here) {
  Path path;
  if (!call.has("/releases")) return path;
  path.to = call.text("/releases/to");
  path.stops = call.texts("/releases/stops");
  for (const Container& one : here) {
    if (one.serves() && one.service == call.text("/releases/service"))
      path.from = drydock::tag_of(one.image);
  }
  return path;
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string result;
  for (const std::string& part : parts) result += (result.empty() ? "" : between) + part;
  return result;
}

void check(const Call& call) {
  if (call.compose_files().empty()) {
    throw drydock::BadOptions("preflight looks at a Compose deployment, and " +
                              call.deployment_dir() + " has no compose file");
  }
  Findings findings;
  const Machine machine = machine_of(call);
  check_machine(machine, minimum_of(call), findings);
  const std::vector<Container> here = containers_here(call);
  check_project(call.project(), here, findings);
  check_path(path_of(call, here), findings);
  if (!call.model_before().empty()) {
    const std::vector<std::string> moved = call.texts("/moved");
    check_volumes(drydock::compose::read_model(call.model_before()),
                  drydock::compose::resolved_model(call), {moved.begin(), moved.end()}, findings);
  }
  if (!findings.refused.empty()) throw Failed(joined(findings.refused, "; "));
  if (!findings.not_known.empty()) {
    call.warn("not checked, because it cannot be told: " + joined(findings.not_known, "; "));
  }
  call.info("Docker engine " + machine.engine_version + ", Docker Compose " +
            machine.compose_version + ", project " + call.project() +
            ": nothing speaks against it");
}

}  // namespace

void Preflight::plan(Call& call) { check(call); }

// Again, since what was planned may be a while ago.
void Preflight::run(Call& call) { check(call); }
