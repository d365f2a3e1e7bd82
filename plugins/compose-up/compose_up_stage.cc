#include "compose_up_stage.h"

#include <algorithm>
#include <functional>
#include <future>

#include "changed_files.h"
#include "compose_engine.h"
#include "compose_facts.h"
#include "compose_health.h"
#include "compose_images.h"
#include "compose_json.h"
#include "compose_planned_stops.h"
#include "compose_settle.h"
#include "compose_stops.h"
#include "up_decisions.h"
#include "up_mounts.h"
#include "up_notes.h"
#include "up_options.h"
#include "up_plan.h"
#include "up_start.h"
#include "up_way_back.h"

using namespace drydock::compose;
using drydock::Call;
using drydock::Failed;
using Kind = ServiceChange::Kind;

namespace {

Names ids_of(const std::vector<Container>& containers) {
  Names ids;
  for (const Container& one : containers) ids.insert(one.id);
  return ids;
}

Names references_of(const Model& model, const Names& services) {
  Names references;
  for (const std::string& name : services) {
    const std::string& image = model.services.at(name).image;
    if (!image.empty()) references.insert(image);
  }
  return references;
}

// For `run` and `verify`: what the run has changed by then.
Situation situation_of_run(const Call& call, Model model, Names scope,
                           std::vector<Container> existing, const Noted& noted) {
  Situation result;
  result.existing = std::move(existing);
  result.model = std::move(model);
  result.scope = std::move(scope);
  result.changed_files = drydock::files::changed_by_run(call.private_dir(), call.run_id());
  result.one_shot = one_shots_of(call, result.model);
  result.ran_before = ran_before_the_run(call);
  result.from_before = ids_of(noted.before);
  result.with_dependants = false;
  return result;
}

// Hashes and image ids, which take a command each. `ids`: as they are, or as they will be.
void look_closer(const Call& call, Situation& situation,
                 std::map<std::string, std::string> (*ids)(const Call&, const Names&)) {
  auto hashed =
      std::async(std::launch::async, [&] { return config_hashes(call, situation.model); });
  situation.images = ids(call, references_of(situation.model, situation.scope));
  situation.hashes = hashed.get();
}

// running: everything on the engine, whosoever's.
MountQuestion mount_question(const Call& call, const Situation& situation,
                             std::vector<Container> running,
                             const std::vector<Container>& retired) {
  MountQuestion question{situation.model,      situation.scope,    {},
                         situation.existing,   std::move(running), ids_of(retired),
                         declared_shares(call)};
  for (auto& [name, service] : question.model.services) {
    service.mounts = data_mounts(service.mounts);
  }
  for (Container& one : question.existing) one.mounts = data_mounts(one.mounts);
  for (Container& one : question.running) one.mounts = data_mounts(one.mounts);
  return question;
}

std::vector<std::string> allowed_mounts(const MountDecision& decision) {
  if (decision.refused) throw Failed("compose-up: " + decision.refused->sentence());
  return decision.stop_first;
}

// The files say what they said before the run, and everything is as they say: `up` would only do
// one-shot jobs again. (Whether networks changed Compose alone could tell, so the files must be
// the same.)
bool nothing_to_do(const Call& call, Situation& now, const Leavers& leavers) {
  if (call.model_before().empty() || !leavers.retired.empty() || !forced_anew(now).empty()) {
    return false;
  }
  if (read_model(call.model_before()).fingerprint != now.model.fingerprint) return false;
  if (now.hashes.empty()) look_closer(call, now, image_ids);
  const std::vector<ServiceChange> changes = decide_changes(now);
  return std::none_of(changes.begin(), changes.end(),
                      [](const ServiceChange& change) { return change.changes(); });
}

void retire(const Call& call, const std::vector<Container>& retired) {
  for (const Container& one : retired) {
    call.info("retire service " + one.service + ": stop and remove container " + one.name +
              "; its volumes stay");
    stop_noted(call, {one.id});
    remove_containers(call, {one.id});
  }
}

// A container whose restart was held while it was stopped, and that `up` started as it was, would
// not come back when the engine restarts.
void let_restart(const Call& call, const Model& model, const Noted& noted) {
  const auto held = [](const Container& one) { return !one.runs() && one.serves(); };
  if (std::none_of(noted.present.begin(), noted.present.end(), held)) return;
  for (const Container& one : project_containers(call)) {
    const Container* before = find_id(noted.present, one.id);
    if (before == nullptr || before->runs() || !one.serves() ||
        noted.scope.count(one.service) == 0) {
      continue;
    }
    const std::string& policy = model.services.at(one.service).restart_policy;
    if (one.runs() && one.restart_policy == "no" && policy != "no") {
      set_restart_policy(call, {one.id}, policy);
    }
  }
}

// Those that are replaced or go.
std::vector<Container> leaving(const Situation& situation, const Leavers& leavers,
                               const std::vector<ServiceChange>& changes) {
  std::vector<Container> result = leavers.retired;
  const Names replaced = services_made_anew(changes);
  for (const Container& one : situation.existing) {
    if (one.serves() && replaced.count(one.service) != 0) result.push_back(one);
  }
  return result;
}

// By the time that this stage runs, a compose-stop before it has stopped them.
std::vector<Container> still_running(const Call& call, std::vector<Container> running,
                                     const std::vector<Container>& existing) {
  const Names stopped = planned_stops(call);
  running.erase(std::remove_if(running.begin(), running.end(),
                               [&](const Container& one) {
                                 return stopped.count(one.service) != 0 &&
                                        find_id(existing, one.id) != nullptr;
                               }),
                running.end());
  return running;
}

}  // namespace

void ComposeUp::observe(Call& call) { report_containers(call, project_containers(call)); }

void ComposeUp::plan(Call& call) {
  Situation now;
  now.model = resolved_model(call);
  now.scope = scope_of(call, now.model);
  now.existing = project_containers(call);
  refuse_namesakes(call, now.scope, namesakes(call));
  const Leavers leavers = leavers_of(call, now.model, now.existing);
  look_closer(call, now, planned_image_ids);
  if (!call.model_before().empty()) now.before = read_model(call.model_before());
  now.one_shot = one_shots_of(call, now.model);
  now.changed_files = files_to_change(call);
  now.from_before = ids_of(now.existing);
  now.with_dependants = strategy_of(call) == Strategy::recreate;
  const std::vector<ServiceChange> changes = decide_changes(now);

  MountQuestion question = mount_question(
      call, now, still_running(call, running_containers(call), now.existing), leavers.retired);
  question.made_anew = services_made_anew(changes);
  allowed_mounts(decide_mounts(question));
  refuse_rolling(call, now.model, changes);
  warn_of_unknown_one_shots(call, now.model);
  report_plan(call, leavers, changes, without_way_back(call, leaving(now, leavers, changes)));
}

void ComposeUp::run(Call& call) {
  // What takes longest at the same time: from here on something may be down.
  auto looked = std::async(std::launch::async, [&] {
    return std::pair(project_containers(call), running_containers(call));
  });
  const bool in_turn = strategy_of(call) != Strategy::recreate;
  const Model model = resolved_model(call);
  const Names scope = scope_of(call, model);
  auto [existing, running] = looked.get();
  refuse_namesakes(call, scope, running);
  const Noted noted = remember_once(call, existing, scope);
  Situation now = situation_of_run(call, model, scope, std::move(existing), noted);
  now.with_dependants = !in_turn;
  const Leavers leavers = leavers_of(call, model, now.existing);
  hold_images(call, model, scope);
  if (in_turn) look_closer(call, now, image_ids);
  const auto wait = call.duration("/wait");
  if (nothing_to_do(call, now, leavers)) {
    call.info("all services run as the compose files ask for; there is nothing to start");
    let_restart(call, model, noted);  // an attempt that died may have started it
    if (wait.count() != 0) wait_until_ready(call, expected_of(call, model, scope), {wait});
    return;
  }

  MountQuestion question = mount_question(call, now, std::move(running), leavers.retired);
  MountDecision mounts = decide_mounts(question);
  if (mounts.refused) {  // not if the one that holds it is made anew, too
    if (!in_turn) look_closer(call, now, image_ids);
    question.made_anew = services_made_anew(decide_changes(now));
    mounts = decide_mounts(question);
  }
  const std::vector<std::string> stop_first = allowed_mounts(mounts);
  std::vector<ServiceChange> changes;
  if (in_turn) changes = decide_changes(now);
  refuse_rolling(call, model, changes);

  retire(call, leavers.retired);
  stop_noted(call, stop_first);
  const auto begin = std::chrono::steady_clock::now();
  if (in_turn) {
    start_in_turn(call, now, changes, noted);
  } else {
    start_all(call, model, scope, forced_anew(now));
  }
  let_restart(call, model, noted);
  if (wait.count() == 0) return;
  if (in_turn) {  // each was proven by itself
    wait_until_ready(call, expected_of(call, model, scope), {wait});
    return;
  }
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - begin);
  prove_up(call, model, noted, std::max(wait - spent, std::chrono::milliseconds(1000)));
}

void ComposeUp::verify(Call& call) {
  auto looked = std::async(std::launch::async, [&] { return project_containers(call); });
  auto [model, hashes] = resolved_with_hashes(call);
  const Names scope = scope_of(call, model);
  const std::vector<Container> existing = looked.get();
  for (const Container& one : leavers_of(call, model, existing).retired) {
    throw Failed("service " + one.service + " was retired, but its container " + one.name +
                 " is there again; look for what starts it");
  }
  Situation now =
      situation_of_run(call, model, scope, existing, noted_by_run(call).value_or(Noted()));
  now.hashes = std::move(hashes);
  now.images = image_ids(call, references_of(now.model, now.scope));
  for (const ServiceChange& change : decide_changes(now)) {
    if (change.kind != Kind::recreate && change.kind != Kind::scale) continue;
    throw Failed("service " + change.service + " runs " + change.image_before +
                 ", and the compose files ask for " + change.image_after + " (" + change.why +
                 "); is something else changing them or running `docker compose up`?");
  }
  if (call.duration("/wait").count() == 0) return;
  if (const auto culprit = first_not_ready(expected_of(call, now.model, scope), existing)) {
    throw Failed(culprit->sentence() +
                 (culprit->container.id.empty() ? "" : show_logs(call, culprit->container)));
  }
}

void ComposeUp::rollback(Call& call) {
  const auto noted = noted_by_run(call);
  if (!noted) return;  // it ended before it changed anything
  end_cut_off_stops(call, possibly_stopping(call, *noted));
  note_ended(call);
  const Undo undo =
      decide_undo(noted->present, project_containers(call), noted->scope, drained(call));
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
