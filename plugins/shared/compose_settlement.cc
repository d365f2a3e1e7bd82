#include "compose_settlement.h"

#include <algorithm>
#include <optional>

#include "image_reference.h"

namespace drydock::compose {
namespace {

using Containers = std::vector<Container>;

// The containers that exist instead of noted ones. An earlier settling made some of them, and those
// are as good as the noted ones; `take` hands out each only once.
class Substitutes {
 public:
  Substitutes(const Containers& noted, const Containers& existing) {
    for (const Container& one : existing) {
      if (find_id(noted, one.id) == nullptr) containers_.push_back(one);
    }
  }
  // files_hash: what Compose would make of the service now; "" when it does not know it. Nothing
  // closer to the noted container can be had than one that has this hash.
  std::optional<Container> take(const Container& noted, const std::string& files_hash) {
    for (auto one = containers_.begin(); one != containers_.end(); ++one) {
      const bool same_settings =
          one->config_hash == noted.config_hash || one->config_hash == files_hash;
      if (one->image_id != noted.image_id || !same_settings) continue;
      Container taken = *one;
      containers_.erase(one);
      return taken;
    }
    return std::nullopt;
  }
  const Containers& left() const { return containers_; }

 private:
  Containers containers_;
};

}  // namespace

Settlement leave_out(Settlement todo, const std::set<std::string>& services, const Model& model,
                     const Containers& existing) {
  std::set<std::string> out;
  const auto depends = [&](const std::string& service) {
    if (services.count(service) != 0) return true;
    const std::set<std::string> needed = model.with_dependencies({service});
    return std::any_of(services.begin(), services.end(),
                       [&](const std::string& each) { return needed.count(each) != 0; });
  };
  for (const auto& [service, count] : todo.up) {
    if (depends(service)) out.insert(service);
  }
  for (const std::string& service : todo.create) {
    if (depends(service)) out.insert(service);
  }
  for (const std::string& service : out) {
    todo.up.erase(service);
    todo.create.erase(service);
  }
  const auto stays = [&](const std::string& id) {
    const Container* one = find_id(existing, id);
    return one != nullptr && out.count(one->service) != 0;
  };
  todo.replace.erase(std::remove_if(todo.replace.begin(), todo.replace.end(), stays),
                     todo.replace.end());
  return todo;
}

Settlement decide_settlement(const Containers& noted, const Containers& existing,
                             const std::map<std::string, std::string>& hashes,
                             const std::map<std::string, std::string>& images) {
  Settlement result;
  const auto now_by_service = by_service(existing);
  for (const auto& [service, before] : by_service(noted)) {
    const Containers now = value_or_empty(now_by_service, service);
    Substitutes substitutes(before, now);
    std::size_t ran = 0;
    Containers gone;
    for (const Container& was : before) {
      if (was.runs()) ++ran;
      const Container* same = find_id(now, was.id);
      std::optional<Container> instead;
      if (same == nullptr) instead = substitutes.take(was, value_or_empty(hashes, service));
      if (same == nullptr && instead) same = &*instead;
      if (same == nullptr) gone.push_back(was);
      if (same == nullptr) continue;
      if (was.has_policy_of_its_own() && same->restart_policy != was.restart_policy) {
        result.policies[same->id] = was.restart_policy;
      }
      if (was.runs() && !same->runs()) result.start[service].push_back(same->id);
    }
    const bool ran_and_gone =
        std::any_of(gone.begin(), gone.end(), [](const Container& was) { return was.runs(); });
    const bool to_create = ran == 0 && !gone.empty() && now.empty();
    if (ran_and_gone) {
      result.up[service] = ran;
      for (const Container& one : substitutes.left()) result.replace.push_back(one.id);
    }
    if (to_create) result.create.insert(service);
    if (!ran_and_gone && !to_create) continue;
    for (const Container& was : gone) {
      if (can_be_moved(was.image) && value_or_empty(images, was.image) != was.image_id) {
        result.retag[was.image] = was.image_id;
      }
    }
  }
  return result;
}

}  // namespace drydock::compose
