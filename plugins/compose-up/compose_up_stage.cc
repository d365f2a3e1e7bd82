#include "compose_up_stage.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <set>
#include <sstream>

#include "compose_before.h"
#include "compose_command.h"
#include "compose_engine.h"
#include "compose_facts.h"
#include "compose_health.h"
#include "compose_images.h"
#include "compose_json.h"
#include "compose_settle.h"
#include "compose_stops.h"
#include "up_decisions.h"

using namespace drydock::compose;
using drydock::BadOptions;
using drydock::Call;
using drydock::Failed;

namespace {

using Names = std::set<std::string>;

std::string joined(const Names& names, const char* between) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : between) + name;
  return result;
}

// The services to start: the chosen ones and what they depend on, as Compose takes them too. There
// is no way to leave the dependencies out, because `--no-deps` changes the configuration hash
// (Compose 2.26: measured), so that the next plain `up` would make every container anew.
Names scope_of(const Call& call, const Model& model) {
  Names all;
  for (const auto& [name, service] : model.services) all.insert(name);
  if (call.size("/services") == 0) return all;
  Names chosen;
  for (std::size_t i = 0; i < call.size("/services"); ++i) {
    Names present, asked;
    for (const std::string& name : call.texts("/services/" + std::to_string(i))) {
      asked.insert(name);
      if (model.has(name)) present.insert(name);
    }
    if (present.empty()) {
      throw BadOptions("compose-up: services: there is no active service " + joined(asked, " or ") +
                       " in the compose files of " + call.deployment_dir() + "; there are " +
                       joined(all, ", "));
    }
    chosen.merge(present);
  }
  return model.with_dependencies(chosen);
}

// One folder may be written in two ways. Files, sockets and the system's own folders (the engine's
// socket, /etc/localtime) are mounted by many and are nobody's data.
std::vector<Mount> data_mounts(const std::vector<Mount>& mounts) {
  std::vector<Mount> result;
  for (Mount mount : mounts) {
    if (mount.type == "bind") {
      mount.source = real_path(mount.source);
      std::error_code unknown;
      const auto status = std::filesystem::status(mount.source, unknown);
      const bool elsewhere = !std::filesystem::exists(status);  // the engine is another machine
      const std::string top = mount.source.substr(0, mount.source.find('/', 1));
      const bool systems_own =
          Names{"/", "/dev", "/etc", "/proc", "/run", "/sys", "/usr"}.count(top) != 0;
      if (systems_own || mount.source == "/tmp") continue;
      if (!elsewhere && !std::filesystem::is_directory(status)) continue;
    }
    result.push_back(std::move(mount));
  }
  return result;
}

// running: everything on the engine, whosoever's.
void refuse_held_mounts(const Call& call, Model model, const Names& scope,
                        std::vector<Container> existing, std::vector<Container> running,
                        const std::vector<Container>& retired) {
  for (auto& [name, service] : model.services) service.mounts = data_mounts(service.mounts);
  for (Container& one : existing) one.mounts = data_mounts(one.mounts);
  for (Container& one : running) one.mounts = data_mounts(one.mounts);
  Names retired_ids, shares;
  for (const Container& one : retired) retired_ids.insert(one.id);
  for (const std::string& share : call.texts("/shares")) {
    const bool is_path = share.find('/') != std::string::npos;
    shares.insert(is_path ? real_path(call.deployment(share)) : share);
  }
  if (const auto held = find_held_mount(model, scope, existing, running, retired_ids, shares)) {
    throw Failed("compose-up: " + held->sentence());
  }
}

// Which services inactive profiles have is asked only when it matters.
std::vector<Container> left_the_files(const Call& call, const Model& model,
                                      const std::vector<Container>& existing) {
  Names active;
  for (const auto& [name, service] : model.services) active.insert(name);
  std::vector<Container> result = to_retire(existing, active);
  return result.empty() ? result : to_retire(result, all_service_names(call));
}

void retire(const Call& call, const std::vector<Container>& retired) {
  for (const Container& one : retired) {
    call.info("retire service " + one.service +
              ", which the compose files no longer have: stop "
              "and remove container " +
              one.name + "; its volumes stay");
    stop_noted(call, {one.id});
    remove_containers(call, {one.id});
  }
}

// Whether `docker compose up` has begun and not ended: what it was replacing when it was cut off
// may still be stopping.
constexpr auto at_work_note = "compose up";
constexpr auto at_work = "at work", ended = "ended";

// `docker compose up`; when it fails, the service that is to blame is named and its log shown.
void bring_up(const Call& call, const Model& model, const Names& scope) {
  std::vector<std::string> arguments = {"up", "--detach", "--pull", "missing"};
  if (call.size("/services") != 0) arguments.insert(arguments.end(), scope.begin(), scope.end());
  drydock::Process process = call.compose(std::move(arguments));
  process.timeout = call.duration("/wait");
  const auto begin = std::chrono::steady_clock::now();
  call.remember(at_work_note, at_work);
  try {
    run_compose(call, std::move(process), "bring the services up");
    call.remember(at_work_note, ended);
  } catch (const Failed& failed) {
    const auto limit = call.duration("/wait");
    const bool by_itself = limit.count() == 0 || std::chrono::steady_clock::now() - begin < limit;
    if (by_itself) call.remember(at_work_note, ended);
    const auto culprit = first_not_ready(expectations(model, scope), project_containers(call));
    const bool has_run =
        culprit && !culprit->container.id.empty() && culprit->container.state != "created";
    if (!has_run) throw;
    throw Failed(std::string(failed.what()) + "; " + culprit->sentence() +
                 show_logs(call, culprit->container));
  }
}

// A container whose restart was held while it was stopped, and that `up` started as it was, would
// not come back when the engine restarts.
void let_restart(const Call& call, const Model& model, const Names& scope,
                 const std::vector<Container>& present) {
  const auto held = [](const Container& one) { return !one.runs() && one.serves(); };
  if (std::none_of(present.begin(), present.end(), held)) return;
  for (const Container& one : project_containers(call)) {
    const Container* before = find_id(present, one.id);
    if (before == nullptr || before->runs() || !one.serves() || scope.count(one.service) == 0) {
      continue;
    }
    const std::string& policy = model.services.at(one.service).restart_policy;
    if (one.runs() && one.restart_policy == "no" && policy != "no") {
      set_restart_policy(call, {one.id}, policy);
    }
  }
}

// What an earlier compose-up of this pipeline has planned is done by the time this one runs. The
// planning folder is how the plan of one stage leaves word to those of later ones.
class PlannedEarlier {
 public:
  explicit PlannedEarlier(const Call& call)
      : file_(call.planning_dir() + "/compose-up"), stage_(call.stage_id()) {
    std::ifstream before(file_);
    for (std::string stage, change; before >> stage && std::getline(before >> std::ws, change);) {
      if (stage != stage_) changes_.insert(change);
    }
  }
  // Whether this one is to be reported; later stages will not report it again.
  bool is_new(const std::string& change) {
    if (changes_.count(change) != 0) return false;
    std::ofstream(file_, std::ios::app) << stage_ << ' ' << change << '\n';
    return true;
  }

 private:
  std::string file_, stage_;
  Names changes_;
};

// What `run` remembers before its first change.
struct Noted {
  std::vector<Container> present;  // all that there was
  std::vector<Container> before;   // what no earlier stage of this run had made
  Names scope;
};

void remember_once(const Call& call, const std::vector<Container>& existing, const Names& scope) {
  if (call.recall("present"))
    return;  // a repeated run must not take its own work for the old state
  call.remember("scope", joined(scope, " "));
  call.remember("before", to_note(from_before_the_run(call, existing)));
  call.remember("present", to_note(existing));
}

std::optional<Noted> noted_by_run(const Call& call) {
  const auto present = call.recall("present");
  if (!present) return std::nullopt;
  Noted result{from_note(*present), from_note(call.recall("before").value_or("[]")), {}};
  std::istringstream names(call.recall("scope").value_or(""));
  for (std::string name; names >> name;) result.scope.insert(name);
  return result;
}

// What an `up` that was cut off may have begun to replace.
std::vector<std::string> possibly_stopping(const Call& call, const Noted& noted) {
  std::vector<std::string> ids;
  if (call.recall(at_work_note) != at_work) return ids;
  for (const Container& one : noted.present) {
    if (one.runs() && one.serves() && noted.scope.count(one.service) != 0) ids.push_back(one.id);
  }
  return ids;
}

}  // namespace

void ComposeUp::observe(Call& call) { report_containers(call, project_containers(call)); }

void ComposeUp::plan(Call& call) {
  const Model model = resolved_model(call);
  const Names scope = scope_of(call, model);
  const std::vector<Container> existing = project_containers(call);
  auto hashed = std::async(std::launch::async, config_hashes, std::cref(call), std::cref(model));
  const std::vector<Container> retired = left_the_files(call, model, existing);
  refuse_held_mounts(call, model, scope, existing, running_containers(call), retired);

  PlannedEarlier planned(call);
  for (const Container& one : retired) {
    if (!planned.is_new("retire " + one.id)) continue;
    call.change({"service", "retire", one.service, one.image, "",
                 "the compose files no longer have it; its volumes stay", 0,
                 kept_in_anonymous_volumes({one})});
  }
  Names references;
  for (const auto& [service_name, service] : model.services) {
    if (!service.image.empty()) references.insert(service.image);
  }
  for (const ServiceChange& change : decide_changes(existing, model, scope, hashed.get(),
                                                    planned_image_ids(call, references), true)) {
    if (!planned.is_new("service " + change.service)) continue;
    call.change({"service", change.action, change.service, change.image_before, change.image_after,
                 change.why, 0, change.rollback_loses});
  }
}

void ComposeUp::run(Call& call) {
  // What takes longest at the same time: from here on something may be down.
  auto looked = std::async(std::launch::async, [&] {
    return std::pair(project_containers(call), running_containers(call));
  });
  const Model model = resolved_model(call);
  const Names scope = scope_of(call, model);
  const auto [existing, running] = looked.get();
  remember_once(call, existing, scope);
  const std::vector<Container> retired = left_the_files(call, model, existing);
  refuse_held_mounts(call, model, scope, existing, running, retired);
  hold_images(call, model, scope);
  retire(call, retired);

  const auto begin = std::chrono::steady_clock::now();
  bring_up(call, model, scope);
  let_restart(call, model, scope, noted_by_run(call)->present);
  if (call.duration("/wait").count() == 0) return;
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  wait_until_ready(call, expectations(model, scope),
                   {std::max(call.duration("/wait") - spent, std::chrono::milliseconds(1000)),
                    call.duration("/healthy_for")});
}

void ComposeUp::verify(Call& call) {
  auto looked = std::async(std::launch::async, project_containers, std::cref(call));
  const auto [model, hashes] = resolved_with_hashes(call);
  const Names scope = scope_of(call, model);
  const std::vector<Container> existing = looked.get();
  for (const Container& one : left_the_files(call, model, existing)) {
    throw Failed("service " + one.service + " has left the compose files, but its container " +
                 one.name + " is there again; look for what starts it");
  }
  if (call.duration("/wait").count() != 0) {
    if (const auto culprit = first_not_ready(expectations(model, scope), existing)) {
      throw Failed(culprit->sentence() +
                   (culprit->container.id.empty() ? "" : show_logs(call, culprit->container)));
    }
  }
  Names references;
  for (const std::string& each : scope) {
    const std::string& image = model.services.at(each).image;
    if (!image.empty()) references.insert(image);
  }
  const auto changes =
      decide_changes(existing, model, scope, hashes, image_ids(call, references), false);
  for (const ServiceChange& change : changes) {
    if (change.action != "change") continue;
    throw Failed("service " + change.service + " runs " + change.image_before +
                 ", and the compose files ask for " + change.image_after + " (" + change.why +
                 "); is something else changing them or running `docker compose up`?");
  }
}

void ComposeUp::rollback(Call& call) {
  const auto noted = noted_by_run(call);
  if (!noted) return;  // it ended before it changed anything
  end_cut_off_stops(call, possibly_stopping(call, *noted));
  call.remember(at_work_note, ended);
  const Undo undo = decide_undo(noted->present, project_containers(call), noted->scope);
  std::vector<std::string> stop = undo.remove;
  for (const auto& [id, policy] : undo.stop) {
    set_restart_policy(call, {id}, policy);
    stop.push_back(id);
  }
  stop_containers(call, stop);
  remove_containers(call, undo.remove);
}

void ComposeUp::settle(Call& call) {
  const auto noted = noted_by_run(call);
  if (!noted) return;
  settle_noted(call, noted->before, {call.duration("/wait"), std::chrono::milliseconds(0)});
}
