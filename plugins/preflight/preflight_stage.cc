#include "preflight_stage.h"

#include <future>
#include <string>
#include <vector>

#include "checks.h"
#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "image_reference.h"
#include "needs.h"
#include "path.h"
#include "ports.h"
#include "space.h"
#include "versions.h"
#include "world.h"

using namespace drydock::preflight;
using drydock::Call;
using drydock::Failed;
using drydock::compose::Container;
using drydock::compose::Model;

namespace {

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

std::vector<ReleaseStep> steps_of(const Call& call) {
  std::vector<ReleaseStep> steps;
  for (std::size_t i = 0; i < call.size("/releases/steps"); ++i) {
    const std::string at = "/releases/steps/" + std::to_string(i);
    steps.push_back({call.text(at + "/release"), call.text(at + "/text"),
                     call.text(at + "/command"), call.flag(at + "/acknowledge")});
  }
  return steps;
}

Path path_of(const Call& call, const std::vector<Container>& here) {
  Path path;
  if (!call.has("/releases")) return path;
  path.to = call.text("/releases/to");
  path.stops = call.texts("/releases/stops");
  path.each = call.texts("/releases/each");
  path.oldest = call.text("/releases/oldest");
  path.steps = steps_of(call);
  for (const std::string& release : call.texts("/releases/acknowledged")) {
    path.acknowledged.insert(release);
  }
  for (const Container& one : here) {
    if (one.serves() && one.service == call.text("/releases/service"))
      path.from = drydock::tag_of(one.image);
  }
  return path;
}

std::map<std::string, std::string> renamed_services(const Call& call) {
  std::map<std::string, std::string> renamed;
  for (const std::string& old : call.keys("/releases/renamed")) {
    renamed[old] = call.text(Call::member("/releases/renamed", old));
  }
  return renamed;
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string result;
  for (const std::string& part : parts) result += (result.empty() ? "" : between) + part;
  return result;
}

void check_needs(const std::string& model, const Machine& machine, Findings& findings) {
  for (const Need& need : engine_needs(model)) {
    const auto compared = compare_versions(machine.engine_version, need.version);
    if (!compared || *compared >= 0) continue;
    findings.refused.push_back(need.what + " needs the Docker engine " + need.version +
                               " or newer, and this one is " + machine.engine_version +
                               "; upgrade it first");
  }
}

// What the release's compose files ask for.
void check_files(const Call& call, const Engine& engine, const std::vector<Container>& here,
                 Findings& findings) {
  std::string text;
  try {
    text = resolved_text(call);
  } catch (const Failed& failed) {
    findings.refused.push_back(std::string(failed.what()) + " (Docker Compose " +
                               engine.machine.compose_version +
                               "; an older one does not know what newer files say)");
    return;
  }
  const Model model = drydock::compose::parse_model(text);
  check_needs(text, engine.machine, findings);
  if (!call.model_before().empty()) {
    const std::vector<std::string> moved = call.texts("/moved");
    check_volumes(drydock::compose::read_model(call.model_before()), model,
                  {moved.begin(), moved.end()}, findings, renamed_services(call));
  }
  if (!call.has("/ports") || call.flag("/ports")) {
    check_ports(published_ports(text), published_by_containers(call), bound_here(engine), findings);
  }
  check_space(demands_of(call, engine, model, here), findings);
}

void show_steps(const Call& call, const Path& path) {
  for (const ReleaseStep& step : steps_on_the_way(path)) {
    drydock::Change change{"command", "check", "release " + step.release};
    change.detail = step.text + (step.command.empty() ? "" : ": " + step.command);
    if (step.acknowledge) change.detail += " (acknowledged)";
    call.change(change);
  }
}

void check(const Call& call) {
  if (call.compose_files().empty()) {
    throw drydock::BadOptions("preflight looks at a Compose deployment, and " +
                              call.deployment_dir() + " has no compose file");
  }
  Findings findings;
  const Engine engine = ask_engine(call);
  check_machine(engine.machine, minimum_of(call), findings);
  const std::vector<Container> here = containers_here(call);
  check_project(call.project(), here, findings);
  const Path path = path_of(call, here);
  check_path(path, findings);
  check_files(call, engine, here, findings);
  if (!findings.refused.empty()) throw Failed(joined(findings.refused, "; "));
  if (call.step() == "plan") show_steps(call, path);
  if (!findings.not_known.empty()) {
    call.warn("not checked, because it cannot be told: " + joined(findings.not_known, "; "));
  }
  call.info("Docker engine " + engine.machine.engine_version + ", Docker Compose " +
            engine.machine.compose_version + ", project " + call.project() +
            ": nothing speaks against it");
}

}  // namespace

void Preflight::plan(Call& call) { check(call); }

// Again, since what was planned may be a while ago.
void Preflight::run(Call& call) { check(call); }
