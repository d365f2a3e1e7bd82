#include "up_decisions.h"

#include <algorithm>

namespace drydock::compose {
namespace {

bool is_anonymous(const Mount& mount) {
  return mount.type == "volume" && mount.volume.size() == 64 &&
         mount.volume.find_first_not_of("0123456789abcdef") == std::string::npos;
}

template <class Map>
typename Map::mapped_type value_or_empty(const Map& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? typename Map::mapped_type() : found->second;
}

// What the service mounts and can write to, by Mount::held().
std::set<std::string> writable(const std::vector<Mount>& mounts) {
  std::set<std::string> result;
  for (const Mount& mount : mounts) {
    if (mount.writable && !mount.held().empty()) result.insert(mount.held());
  }
  return result;
}

bool is_declared(const std::set<std::string>& shares, const std::string& held) {
  return shares.count(held) != 0 ||
         (held.compare(0, 7, "volume ") == 0 && shares.count(held.substr(7)) != 0);
}

// Why the containers are not what the files ask for; "" when they are.
std::string difference(const std::vector<Container>& containers, const Service& service,
                       const std::string& hash, const std::string& image) {
  for (const Container& one : containers) {
    if (one.config_hash != hash && one.image == service.image) return "its settings change";
    if (one.config_hash != hash) return "its image changes";
    if (!image.empty() && one.image_id != image) return "its tag names another image now";
  }
  return "";
}

// Compose makes a container anew when it does so with one that it depends on (2.26: measured).
std::string changed_dependency(const Service& service, const std::set<std::string>& changed) {
  for (const auto& [dependency, condition] : service.depends_on) {
    if (changed.count(dependency) != 0) return "it depends on " + dependency + ", which changes";
  }
  return "";
}

std::vector<std::string> in_start_order(const Model& model, const std::set<std::string>& scope) {
  std::vector<std::string> result;
  for (const std::set<std::string>& level : model.start_order()) {
    std::set_intersection(level.begin(), level.end(), scope.begin(), scope.end(),
                          std::back_inserter(result));
  }
  return result;
}

}  // namespace

std::vector<Container> to_retire(const std::vector<Container>& existing,
                                 const std::set<std::string>& all_services) {
  std::vector<Container> result;
  for (const Container& one : existing) {
    if (one.serves() && all_services.count(one.service) == 0) result.push_back(one);
  }
  return result;
}

std::vector<ServiceChange> decide_changes(const std::vector<Container>& existing,
                                          const Model& model, const std::set<std::string>& scope,
                                          const std::map<std::string, std::string>& hashes,
                                          const std::map<std::string, std::string>& images,
                                          bool with_dependants) {
  std::vector<ServiceChange> result;
  std::set<std::string> changed;
  const auto now = by_service(existing);
  for (const std::string& name : in_start_order(model, scope)) {
    const auto found = model.services.find(name);
    if (found->second.replicas <= 0) continue;
    const Service& service = found->second;
    const std::vector<Container> containers = value_or_empty(now, name);
    if (containers.empty()) {
      result.push_back({"start", name, "", service.image, "it has no container yet", ""});
      continue;
    }
    std::string why = difference(containers, service, value_or_empty(hashes, name),
                                 value_or_empty(images, service.image));
    if (with_dependants && why.empty()) why = changed_dependency(service, changed);
    const std::string& before = containers.front().image;
    if (!why.empty()) {
      changed.insert(name);
      result.push_back(
          {"change", name, before, service.image, why, kept_in_anonymous_volumes(containers)});
      continue;
    }
    // `up` starts a finished one-shot service too, as it always does; that is no change.
    const auto stopped = std::find_if(containers.begin(), containers.end(), [](const Container& c) {
      return !c.runs() && !(c.state == "exited" && c.exit_code == 0 && c.restart_policy == "no");
    });
    if (stopped != containers.end()) {
      result.push_back({"start", name, before, service.image, "it is " + stopped->state, ""});
    }
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

std::string HeldMount::sentence() const {
  const std::string whose = holder.project.empty()
                                ? "container " + holder.name
                                : "container " + holder.name + " of project " + holder.project +
                                      " in " + holder.working_dir;
  return "service " + service + " would write to " + mount + ", which " + whose +
         " has mounted writable and holds while it runs; two writers can corrupt it: stop that "
         "container, or declare the share with `shares`";
}

std::optional<HeldMount> find_held_mount(const Model& model, const std::set<std::string>& scope,
                                         const std::vector<Container>& existing,
                                         const std::vector<Container>& running,
                                         const std::set<std::string>& retired_ids,
                                         const std::set<std::string>& shares) {
  const auto mine = by_service(existing);
  for (const std::string& name : scope) {
    const auto service = model.services.find(name);
    if (service == model.services.end()) continue;
    std::set<std::string> already;
    for (const Container& one : value_or_empty(mine, name)) already.merge(writable(one.mounts));
    for (const std::string& held : writable(service->second.mounts)) {
      if (already.count(held) != 0 || is_declared(shares, held)) continue;
      for (const Container& holder : running) {
        const bool declared =
            find_id(existing, holder.id) != nullptr && holder.serves() && model.has(holder.service);
        if (declared || retired_ids.count(holder.id) != 0) continue;
        if (writable(holder.mounts).count(held) != 0) return HeldMount{name, held, holder};
      }
    }
  }
  return std::nullopt;
}

Undo decide_undo(const std::vector<Container>& noted, const std::vector<Container>& existing,
                 const std::set<std::string>& scope) {
  Undo result;
  for (const Container& one : existing) {
    if (!one.serves() || scope.count(one.service) == 0) continue;
    const Container* before = find_id(noted, one.id);
    if (before == nullptr) {
      result.remove.push_back(one.id);
    } else if (one.runs() && !before->runs()) {
      result.stop[one.id] = before->restart_policy;
    }
  }
  return result;
}

}  // namespace drydock::compose
