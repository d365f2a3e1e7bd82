#include "up_start.h"

#include <algorithm>

#include "compose_command.h"
#include "compose_engine.h"
#include "up_mounts.h"
#include "up_rolling.h"

namespace drydock::compose {
namespace {

using Clock = std::chrono::steady_clock;
using Kind = ServiceChange::Kind;

// `docker compose up`; when it fails, the service that is to blame is named and its log shown.
void bring_up(const Call& call, const Model& model, const Names& services,
              const std::vector<std::string>& options, const Names& named) {
  std::vector<std::string> arguments = {"up", "--detach", "--pull", "missing"};
  arguments.insert(arguments.end(), options.begin(), options.end());
  arguments.insert(arguments.end(), named.begin(), named.end());
  Process process = call.compose(std::move(arguments));
  process.timeout = call.duration("/wait");
  const auto begin = Clock::now();
  note_at_work(call);
  try {
    run_compose(call, std::move(process), "bring the services up");
    note_ended(call);
  } catch (const Failed& failed) {
    const auto limit = call.duration("/wait");
    const bool by_itself = limit.count() == 0 || Clock::now() - begin < limit;
    if (by_itself) note_ended(call);
    const auto culprit = first_not_ready(expectations(model, services), project_containers(call));
    const bool has_run =
        culprit && !culprit->container.id.empty() && culprit->container.state != "created";
    if (!has_run) throw;
    throw Failed(std::string(failed.what()) + "; " + culprit->sentence() +
                 show_logs(call, culprit->container));
  }
}

bool any_runs(const std::vector<Container>& existing, const std::string& service) {
  return std::any_of(existing.begin(), existing.end(), [&](const Container& one) {
    return one.serves() && one.service == service && one.runs();
  });
}

void prove_one(const Call& call, const Model& model, const Noted& noted,
               const std::string& service) {
  Noted of_it = noted;
  of_it.scope = {service};
  prove_up(call, model, of_it, call.duration("/wait"));
}

Rolling rolling_of(const Call& call, const Situation& situation, const ServiceChange& change,
                   const Noted& noted) {
  Rolling rolling;
  rolling.service = situation.model.services.at(change.service);
  rolling.hash = situation.hashes.at(change.service);
  rolling.noted = noted.present;
  rolling.wait = call.duration("/wait");
  if (!change.forced) return rolling;
  for (const Container& one : noted.present) {
    if (one.service == change.service) rolling.replaced_anyway.insert(one.id);
  }
  return rolling;
}

// Mounts that have several writers anyway.
Names shared_mounts(const Call& call, const Model& model) {
  Names once, shared;
  for (const auto& [name, service] : model.services) {
    for (const std::string& held : writable(data_mounts(service.mounts))) {
      if (!once.insert(held).second) shared.insert(held);
    }
  }
  for (const std::string& declared : declared_shares(call)) {
    shared.insert(declared);
    shared.insert("volume " + declared);
  }
  return shared;
}

}  // namespace

void start_all(const Call& call, const Model& model, const Names& scope, const Names& forced) {
  if (!forced.empty()) bring_up(call, model, forced, {"--force-recreate"}, forced);
  bring_up(call, model, scope, {}, call.size("/services") == 0 ? Names() : scope);
}

void start_in_turn(const Call& call, const Situation& situation,
                   const std::vector<ServiceChange>& changes, const Noted& noted) {
  const bool rolling = strategy_of(call) == Strategy::rolling;
  for (const ServiceChange& change : changes) {
    if (!change.changes()) continue;
    call.info("service " + change.service + ": " + change.why);
    if (rolling && change.kind == Kind::recreate && any_runs(situation.existing, change.service)) {
      replace_rolling(call, rolling_of(call, situation, change, noted));
      continue;
    }
    std::vector<std::string> options;
    if (change.forced) options.push_back("--force-recreate");
    bring_up(call, situation.model, {change.service}, options, {change.service});
    prove_one(call, situation.model, noted, change.service);
  }
}

void prove_up(const Call& call, const Model& model, const Noted& noted,
              std::chrono::milliseconds wait) {
  wait_until_ready(call, expected_of(call, model, noted.scope), {wait});
  const std::vector<Container> started = started_since(noted, project_containers(call));
  const auto time = proof_time(call, started);
  if (time.count() == 0) return;
  Names services;
  for (const Container& one : started) services.insert(one.service);
  stay_ready(call, expected_of(call, model, services), time);
}

void refuse_rolling(const Call& call, const Model& model,
                    const std::vector<ServiceChange>& changes) {
  const Strategy strategy = strategy_of(call);
  if (strategy != Strategy::recreate && call.duration("/wait").count() == 0) {
    throw BadOptions("compose-up: strategy: " + call.text("/strategy") +
                     " waits for each service before it goes on, and wait is 0s; give it a time");
  }
  if (strategy != Strategy::rolling) return;
  const Names shared = shared_mounts(call, model);
  std::string reasons;
  for (const ServiceChange& change : changes) {
    if (change.kind != Kind::recreate) continue;
    const auto why = why_not_rolling(model.services.at(change.service), model, shared);
    if (why) reasons += (reasons.empty() ? "" : "; ") + change.service + ": " + *why;
  }
  if (reasons.empty()) return;
  throw Failed(
      "compose-up: strategy: rolling is not possible where no second container can run "
      "beside the first (" +
      reasons + "); bring these services up by an earlier compose-up with `services` and " +
      "strategy: recreate");
}

}  // namespace drydock::compose
