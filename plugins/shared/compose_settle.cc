#include "compose_settle.h"

#include <algorithm>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "compose_snapshot.h"

namespace drydock::compose {
namespace {

using Containers = std::vector<Container>;
using Hashes = std::map<std::string, std::string>;

// The old files; for a service that they do not have the kept model, and for one that they have
// otherwise than it ran the snapshot, where that has it so. Files that cannot be resolved have
// none.
class OldFiles {
 public:
  OldFiles(const Call& call, const Containers& noted) : call_(call) {
    for (const Container& one : noted) {
      if (one.serves()) ran_with_[one.service] = one.config_hash;
    }
    try {
      model_ = resolved_model(call);
    } catch (const Failed& failed) {
      unresolved_ = failed.what();
      call.warn(unresolved_);
      if (!call.model_before().empty()) {
        model_ = read_model(call.model_before());
      } else if (find_snapshot()) {
        model_ = read_model(snapshot_->file);
      }
    }
  }

  const Model& model() const { return model_; }
  const Hashes& hashes() const {
    if (!hashes_ && !unresolved_.empty()) hashes_.emplace();
    if (!hashes_) hashes_ = config_hashes(call_, model_);
    return *hashes_;
  }
  std::size_t replicas(const std::string& service) const {
    const auto found = model_.services.find(service);
    return found == model_.services.end() ? 1 : static_cast<std::size_t>(found->second.replicas);
  }
  // `up` with `options` for `services`, all from images that are there.
  void up(const std::set<std::string>& services, const std::vector<std::string>& options) const {
    std::vector<std::string> by_files, by_model, by_snapshot;
    for (const std::string& service : services) {
      const bool has = knows(service);
      if (!runs_by_files(service) && snapshot_has(service)) {
        by_snapshot.push_back(service);
      } else {
        (has ? by_files : by_model).push_back(service);
      }
    }
    // No --no-deps: it changes the configuration hash of what it creates (2.26: measured).
    std::vector<std::string> command = {"up", "--no-recreate", "--pull", "never", "--no-build"};
    command.insert(command.end(), options.begin(), options.end());
    if (!by_snapshot.empty()) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), by_snapshot.begin(), by_snapshot.end());
      run_compose(call_, compose_with_model(call_, snapshot_->file, arguments), doing(by_snapshot));
    }
    if (!by_files.empty()) {
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), by_files.begin(), by_files.end());
      run_compose(call_, call_.compose(arguments), doing(by_files));
    }
    if (!by_model.empty()) {
      if (call_.model_before().empty()) throw nothing_has(by_model.front());
      std::vector<std::string> arguments = command;
      arguments.insert(arguments.end(), by_model.begin(), by_model.end());
      run_compose(call_, compose_with_model(call_, call_.model_before(), arguments),
                  doing(by_model));
    }
  }
  // The services of `wanted` in the order of their dependencies; those that the files do not have
  // (a database that was renamed) come first.
  std::vector<std::set<std::string>> in_order(const std::set<std::string>& wanted) const {
    std::vector<std::set<std::string>> levels(1);
    for (const std::string& service : wanted) {
      if (!model_.has(service)) levels[0].insert(service);
    }
    for (const std::set<std::string>& level : model_.start_order()) {
      std::set<std::string> here;
      std::set_intersection(level.begin(), level.end(), wanted.begin(), wanted.end(),
                            std::inserter(here, here.end()));
      levels.push_back(here);
    }
    levels.erase(std::remove(levels.begin(), levels.end(), std::set<std::string>()), levels.end());
    return levels;
  }
  // Those that a service of `dependants` needs healthy before it starts.
  std::set<std::string> needed_healthy(const std::set<std::string>& dependants) const {
    std::set<std::string> result;
    for (const std::string& name : dependants) {
      const auto found = model_.services.find(name);
      if (found == model_.services.end()) continue;
      for (const auto& [dependency, condition] : found->second.depends_on) {
        if (condition == "service_healthy") result.insert(dependency);
      }
    }
    return result;
  }

 private:
  Failed nothing_has(const std::string& service) const {
    const std::string why = unresolved_.empty()
                                ? "the compose files of " + call_.deployment_dir() +
                                      " have no service " + service + ", which ran before"
                                : "service " + service + " ran before: " + unresolved_;
    return Failed(why +
                  ", and no model from before was kept; "
                  "put the old compose files back and start it with `docker compose up -d`");
  }
  // A service of an inactive profile counts: naming it on the command line activates it.
  bool knows(const std::string& service) const {
    if (!unresolved_.empty()) return false;
    if (model_.has(service)) return true;
    if (!all_) all_ = all_service_names(call_);
    return all_->count(service) != 0;
  }
  bool runs_by_files(const std::string& service) const {
    const auto files = hashes().find(service), ran = ran_with_.find(service);
    return ran == ran_with_.end() || (files != hashes().end() && files->second == ran->second);
  }
  bool find_snapshot() const {
    if (!looked_for_snapshot_) snapshot_ = resolve_snapshot(call_, call_.private_dir());
    looked_for_snapshot_ = true;
    return snapshot_.has_value();
  }
  bool snapshot_has(const std::string& service) const {
    const auto ran = ran_with_.find(service);
    if (!find_snapshot() || ran == ran_with_.end()) return false;
    const auto had = snapshot_->hashes.find(service);
    return had != snapshot_->hashes.end() && had->second == ran->second;
  }
  static std::string doing(const std::vector<std::string>& services) {
    std::string result = "start again what ran before:";
    for (const std::string& service : services) result += " " + service;
    return result;
  }

  const Call& call_;
  Model model_;
  std::string unresolved_;  // why the files could not be; "" when they could
  Hashes ran_with_;
  mutable std::optional<Hashes> hashes_;
  mutable std::optional<std::set<std::string>> all_;
  mutable std::optional<SnapshotModel> snapshot_;
  mutable bool looked_for_snapshot_ = false;
};

std::set<std::string> noted_references(const Containers& noted) {
  std::set<std::string> result;
  for (const Container& container : noted) {
    if (container.serves()) result.insert(container.image);
  }
  return result;
}

// What ran, in as many containers, and healthy where it was healthy.
std::vector<Expectation> as_before(const Containers& noted) {
  std::map<std::string, Expectation> result;
  for (const Container& container : noted) {
    if (!container.serves() || container.state != "running") continue;
    Expectation& one =
        result.try_emplace(container.service, Expectation{container.service, 0, false, true})
            .first->second;
    ++one.containers;
    one.health_counts = one.health_counts && container.health == "healthy";
  }
  std::vector<Expectation> list;
  for (auto& [service, one] : result) list.push_back(one);
  return list;
}

// One service that cannot be started must not keep the others down: they go on, and what failed
// first is thrown when they are up.
class Failures {
 public:
  explicit Failures(const Call& call) : call_(call) {}
  // Whether it worked.
  template <class Action>
  bool attempt(const Action& action) {
    try {
      action();
      return true;
    } catch (const Failed& failed) {
      call_.warn(failed.what());
      if (!first_) first_ = failed;
      return false;
    }
  }
  void throw_first() const {
    if (first_) throw *first_;
  }

 private:
  const Call& call_;
  std::optional<Failed> first_;
};

void retag(const Call& call, const std::string& reference, const std::string& id) {
  if (!image_id(call, id)) {
    throw Failed("the image " + id + " that ran as " + reference +
                 " is no longer on this engine; pull or load it, then roll back again");
  }
  tag_image(call, id, reference);
}

// The services to be made anew of images that cannot be had.
std::set<std::string> without_image(const Call& call, const Containers& noted,
                                    const Settlement& todo, Failures& failures) {
  std::set<std::string> result;
  for (const auto& each : todo.retag) {
    if (failures.attempt([&] { retag(call, each.first, each.second); })) continue;
    for (const Container& one : noted) {
      if (one.serves() && one.image == each.first) result.insert(one.service);
    }
  }
  return result;
}

// Compose makes containers with the policy of the files; an operator may have set another.
void put_policies_back(const Call& call, const Containers& noted) {
  const Containers existing = project_containers(call);
  for (const Container& before : noted) {
    if (!before.serves() || !before.has_policy_of_its_own()) continue;
    for (const Container& now : existing) {
      const bool same =
          now.id == before.id || (find_id(existing, before.id) == nullptr && now.serves() &&
                                  now.service == before.service && now.number == before.number);
      if (same && now.restart_policy != before.restart_policy) {
        set_restart_policy(call, {now.id}, before.restart_policy);
      }
    }
  }
}

bool any_gone(const Containers& noted, const Containers& existing) {
  return std::any_of(noted.begin(), noted.end(), [&](const Container& one) {
    return one.serves() && find_id(existing, one.id) == nullptr;
  });
}

// A dependency that is slow to recover is worth a warning, not the end of settling.
void wait_for_needed(const Call& call, const std::set<std::string>& needed,
                     const std::vector<Expectation>& expected, const WaitOptions& options) {
  std::vector<Expectation> awaited;
  for (const Expectation& one : expected) {
    if (needed.count(one.service) != 0) awaited.push_back(one);
  }
  try {
    wait_until_ready(call, awaited, {options.wait, std::chrono::milliseconds(0), options.poll});
  } catch (const Failed& failed) {
    call.warn(failed.what());
  }
}

void bring_back(const Call& call, const OldFiles& files, const Settlement& todo,
                const std::set<std::string>& level) {
  std::set<std::string> anew;
  std::vector<std::string> how = {"--detach"};
  for (const std::string& service : level) {
    if (const auto found = todo.start.find(service); found != todo.start.end()) {
      call.info("start service " + service + " again");
      start_containers(call, found->second);
    }
    const auto found = todo.up.find(service);
    if (found == todo.up.end()) continue;
    anew.insert(service);
    if (found->second != files.replicas(service)) {
      how.insert(how.end(), {"--scale", service + "=" + std::to_string(found->second)});
    }
  }
  if (!anew.empty()) files.up(anew, how);
}

}  // namespace

void settle_noted(const Call& call, const Containers& noted, const WaitOptions& options) {
  const Containers existing = project_containers(call);
  std::optional<OldFiles> files;  // resolving them takes a while, and mostly all is still there
  Settlement todo;
  if (any_gone(noted, existing)) {
    files.emplace(call, noted);
    todo = decide_settlement(noted, existing, files->hashes(),
                             image_ids(call, noted_references(noted)));
  } else {
    todo = decide_settlement(noted, existing, {}, {});
  }
  std::map<std::string, std::vector<std::string>> by_policy;
  for (const auto& [id, policy] : todo.policies) by_policy[policy].push_back(id);
  for (const auto& [policy, ids] : by_policy) set_restart_policy(call, ids, policy);

  const std::vector<Expectation> expected = as_before(noted);
  if (!todo.nothing()) {
    if (!files) files.emplace(call, noted);
    Failures failures(call);
    if (const auto lost = without_image(call, noted, todo, failures); !lost.empty()) {
      todo = leave_out(todo, lost, files->model(), existing);
    }
    stop_containers(call, todo.replace);
    remove_containers(call, todo.replace);
    std::set<std::string> services;
    for (const auto& [service, ids] : todo.start) services.insert(service);
    for (const auto& [service, count] : todo.up) services.insert(service);
    for (const std::set<std::string>& level : files->in_order(services)) {
      failures.attempt([&] {
        wait_for_needed(call, files->needed_healthy(level), expected, options);
        bring_back(call, *files, todo, level);
      });
    }
    if (!todo.create.empty()) {
      failures.attempt([&] { files->up(todo.create, {"--no-start"}); });
    }
    put_policies_back(call, noted);
    failures.throw_first();
  }
  wait_until_ready(call, expected, options);
}

}  // namespace drydock::compose
