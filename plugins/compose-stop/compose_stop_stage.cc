#include "compose_stop_stage.h"

#include <algorithm>
#include <set>

#include "compose_before.h"
#include "compose_engine.h"
#include "compose_facts.h"
#include "compose_json.h"
#include "compose_planned_stops.h"
#include "compose_settle.h"
#include "compose_stops.h"

namespace {

using drydock::Call;
using drydock::Failed;
using drydock::compose::Container;

std::set<std::string> wanted(const Call& call) {
  const std::vector<std::string> services = call.texts("/services");
  return {services.begin(), services.end()};
}

std::vector<Container> of_services(const std::vector<Container>& containers,
                                   const std::set<std::string>& services) {
  std::vector<Container> result;
  for (const Container& one : containers) {
    if (one.serves() && services.count(one.service) != 0) result.push_back(one);
  }
  return result;
}

// A misspelt service would go on writing. Releases differ in what they have, so a name is only
// suspicious when neither a container nor the files know it.
void warn_of_unknown_names(const Call& call, const std::vector<Container>& existing) {
  std::set<std::string> known, asked = wanted(call);
  for (const Container& one : existing) known.insert(one.service);
  if (std::includes(known.begin(), known.end(), asked.begin(), asked.end())) return;
  known.merge(drydock::compose::all_service_names(call));
  std::string all;
  for (const std::string& name : known) all += (all.empty() ? "" : ", ") + name;
  for (const std::string& name : wanted(call)) {
    if (known.count(name) == 0) {
      call.warn("compose-stop: there is no service " + name + " here; there are " + all);
    }
  }
}

}  // namespace

void ComposeStop::observe(Call& call) {
  drydock::compose::report_running(
      call, of_services(drydock::compose::project_containers(call), wanted(call)));
}

void ComposeStop::plan(Call& call) {
  const std::vector<Container> existing = drydock::compose::project_containers(call);
  for (const auto& [service, containers] :
       drydock::compose::by_service(of_services(existing, wanted(call)))) {
    const auto running = std::count_if(containers.begin(), containers.end(),
                                       [](const Container& one) { return one.runs(); });
    if (running == 0) continue;
    call.change({"service", "stop", service, "running", "stopped",
                 running == 1 ? "" : std::to_string(running) + " containers"});
  }
  drydock::compose::plan_to_stop(call, wanted(call));
  warn_of_unknown_names(call, existing);
}

void ComposeStop::run(Call& call) {
  const std::vector<Container> existing = drydock::compose::project_containers(call);
  // Everything that ran is noted, not only what is stopped here: from now on no other stage can see
  // how the whole application was. A repeated run must not overwrite that.
  if (!call.recall("containers")) {
    call.remember("containers",
                  drydock::compose::to_note(drydock::compose::from_before_the_run(call, existing)));
  }
  std::vector<std::string> all, running;
  for (const Container& one : of_services(existing, wanted(call))) {
    if (one.restart_policy != "no") all.push_back(one.id);
    if (one.runs()) running.push_back(one.id);
  }
  // With `restart: always` a container that was stopped comes back when the engine restarts.
  drydock::compose::set_restart_policy(call, all, "no");
  drydock::compose::stop_noted(
      call, running, call.has("/grace") ? std::optional(call.duration("/grace")) : std::nullopt);
}

void ComposeStop::verify(Call& call) {
  for (const Container& one :
       of_services(drydock::compose::project_containers(call), wanted(call))) {
    if (one.runs()) {
      throw Failed("service " + one.service + " runs though it was stopped (container " + one.name +
                   "); look for what starts it, a second `docker compose up` for example");
    }
  }
}

void ComposeStop::settle(Call& call) {
  const auto noted = call.recall("containers");
  if (!noted) return;  // it ended before it stopped anything
  drydock::compose::end_cut_off_stops(call);
  drydock::compose::settle_noted(call, drydock::compose::from_note(*noted),
                                 {call.duration("/wait"), std::chrono::milliseconds(0)});
}
