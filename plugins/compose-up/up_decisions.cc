#include "up_decisions.h"

#include <algorithm>

#include "changed_files.h"

namespace drydock::compose {
namespace {

bool is_anonymous(const Mount& mount) {
  return mount.type == "volume" && mount.volume.size() == 64 &&
         mount.volume.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string result;
  for (const std::string& part : parts) result += (result.empty() ? "" : ", ") + part;
  return result;
}

// The names of the settings that differ, without the image, which says enough by itself.
std::vector<std::string> changed_settings(const Service& before, const Service& after) {
  Names names;
  for (const auto& [name, value] : before.settings) {
    if (value_or_empty(after.settings, name) != value) names.insert(name);
  }
  for (const auto& [name, value] : after.settings) {
    if (before.settings.count(name) == 0) names.insert(name);
  }
  // What Compose's hash leaves out.
  for (const char* name : {"image", "build", "pull_policy", "scale"}) names.erase(name);
  return {names.begin(), names.end()};
}

// Why the hash differs, as far as the files of before tell.
std::string why_configured_anew(const Situation& of, const Service& service,
                                const std::string& image) {
  const auto before = of.before.services.find(service.name);
  const bool image_changes = image != service.image;
  std::vector<std::string> settings;
  if (before != of.before.services.end()) {
    settings = changed_settings(before->second, service);
  }
  if (image_changes) {
    return settings.empty() ? "its image changes" : "its image changes, and " + joined(settings);
  }
  return settings.empty() ? "its settings change" : "its settings change: " + joined(settings);
}

// Compose (2.26: measured) takes no notice of a volume that has another name on the engine.
std::string other_volume(const Container& container, const Service& service) {
  for (const Mount& wanted : service.mounts) {
    if (wanted.type != "volume" || wanted.volume.empty()) continue;
    for (const Mount& has : container.mounts) {
      if (has.target == wanted.target && has.type == "volume" && has.volume != wanted.volume) {
        return "in " + wanted.target + " it has volume " + has.volume + ", and gets " +
               wanted.volume;
      }
    }
  }
  return "";
}

// Nor of what is in a file.
std::string changed_file(const Situation& of, const Container& container, const Service& service) {
  if (of.changed_files.empty() || of.from_before.count(container.id) == 0) return "";
  std::vector<std::string> sources = service.files;
  for (const Mount& mount : service.mounts) {
    if (mount.type == "bind") sources.push_back(mount.source);
  }
  for (const std::string& source : sources) {
    if (files::touches(of.changed_files, source)) return source + " changes, which it has mounted";
  }
  return "";
}

std::string why_forced(const Situation& of, const Container& container, const Service& service) {
  std::string why = other_volume(container, service);
  return why.empty() ? changed_file(of, container, service) : why;
}

struct Difference {
  std::string why;  // "": the containers are what the files ask for
  bool forced = false;
};
Difference difference(const Situation& of, const std::vector<Container>& containers,
                      const Service& service) {
  const std::string hash = value_or_empty(of.hashes, service.name);
  const std::string image = value_or_empty(of.images, service.image);
  for (const Container& one : containers) {
    if (one.config_hash != hash) return {why_configured_anew(of, service, one.image), false};
    if (!image.empty() && one.image_id != image) {
      return {"its tag names another image now", false};
    }
    if (std::string why = why_forced(of, one, service); !why.empty()) return {why, true};
  }
  return {};
}

std::string changed_dependency(const Service& service, const Names& made_anew) {
  for (const auto& [dependency, condition] : service.depends_on) {
    if (made_anew.count(dependency) != 0) return "it depends on " + dependency + ", which changes";
  }
  return "";
}

std::vector<std::string> in_start_order(const Model& model, const Names& scope) {
  std::vector<std::string> result;
  for (const Names& level : model.start_order()) {
    std::set_intersection(level.begin(), level.end(), scope.begin(), scope.end(),
                          std::back_inserter(result));
  }
  return result;
}

// `up` starts a job that has done its work too, as it always does; that is no change. A server that
// this run has stopped looks the same but for when it ended, and for the policy of the files.
bool has_done_its_work(const Situation& of, const Service& service, const Container& one) {
  const bool is_job = of.one_shot.count(service.name) != 0 ||
                      (service.restart_policy == "no" && one.restart_policy == "no");
  return is_job && one.state == "exited" && one.exit_code == 0 && !left_stopped(one, of.ran_before);
}

const Container* stopped_one(const Situation& of, const Service& service,
                             const std::vector<Container>& containers) {
  for (const Container& one : containers) {
    if (!one.runs() && !has_done_its_work(of, service, one)) return &one;
  }
  return nullptr;
}

// made_anew: the services before it, in the order of dependencies, that are.
ServiceChange change_of(const Situation& of, const Service& service,
                        const std::vector<Container>& containers, const Names& made_anew) {
  using Kind = ServiceChange::Kind;
  ServiceChange change;
  change.service = service.name;
  change.image_after = service.image;
  if (containers.empty()) {
    change.kind = Kind::start;
    change.why = "it has no container yet";
    return change;
  }
  change.image_before = containers.front().image;
  Difference found = difference(of, containers, service);
  if (of.with_dependants && found.why.empty()) {
    found.why = changed_dependency(service, made_anew);
  }
  const auto replicas = static_cast<std::size_t>(service.replicas);
  if (!found.why.empty()) {
    change.kind = Kind::recreate;
    change.why = found.why;
    change.forced = found.forced;
    change.rollback_loses = kept_in_anonymous_volumes(containers);
  } else if (containers.size() != replicas) {
    change.kind = Kind::scale;
    change.why = "it has " + std::to_string(containers.size()) + " containers, and gets " +
                 std::to_string(replicas);
  } else if (const Container* stopped = stopped_one(of, service, containers)) {
    change.kind = Kind::start;
    change.why = "it is " + stopped->state;
  }
  return change;
}

}  // namespace

std::vector<Container> to_retire(const std::vector<Container>& existing,
                                 const Names& all_services) {
  std::vector<Container> result;
  for (const Container& one : existing) {
    if (one.serves() && all_services.count(one.service) == 0) result.push_back(one);
  }
  return result;
}

std::vector<ServiceChange> decide_changes(const Situation& situation) {
  std::vector<ServiceChange> result;
  Names made_anew;
  const auto now = by_service(situation.existing);
  for (const std::string& name : in_start_order(situation.model, situation.scope)) {
    const Service& service = situation.model.services.at(name);
    if (service.replicas <= 0) continue;
    result.push_back(change_of(situation, service, value_or_empty(now, name), made_anew));
    // A forced one is made anew by an `up` of its own, before that of the others.
    const ServiceChange& last = result.back();
    if (last.kind == ServiceChange::Kind::recreate && !last.forced) made_anew.insert(name);
  }
  return result;
}

Names services_made_anew(const std::vector<ServiceChange>& changes) {
  Names result;
  for (const ServiceChange& change : changes) {
    if (change.kind == ServiceChange::Kind::recreate) result.insert(change.service);
  }
  return result;
}

Names forced_anew(const Situation& situation) {
  Names result;
  for (const Container& one : situation.existing) {
    if (!one.serves() || situation.scope.count(one.service) == 0) continue;
    const Service& service = situation.model.services.at(one.service);
    if (!why_forced(situation, one, service).empty()) result.insert(one.service);
  }
  return result;
}

std::string kept_in_anonymous_volumes(const std::vector<Container>& containers) {
  for (const Container& one : containers) {
    for (const Mount& mount : one.mounts) {
      if (is_anonymous(mount)) {
        return "what service " + one.service + " keeps in " + mount.target +
               ", a volume without a name";
      }
    }
  }
  return "";
}

Undo decide_undo(const std::vector<Container>& noted, const std::vector<Container>& existing,
                 const Names& scope, const Names& drained) {
  Undo result;
  for (const Container& one : existing) {
    if (!one.serves() || scope.count(one.service) == 0) continue;
    const Container* before = find_id(noted, one.id);
    if (before == nullptr || drained.count(one.id) != 0) {
      result.remove.push_back(one.id);
    } else if (one.runs() && !before->runs()) {
      result.stop[one.id] = before->restart_policy;
    }
  }
  return result;
}

}  // namespace drydock::compose
