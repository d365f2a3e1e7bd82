#include "up_mounts.h"

#include <filesystem>
#include <map>

#include "compose_engine.h"

namespace drydock::compose {
namespace {

bool is_declared(const Names& shares, const std::string& held) {
  return shares.count(held) != 0 ||
         (held.compare(0, 7, "volume ") == 0 && shares.count(held.substr(7)) != 0);
}

// Mount -> the services of the deployment whose containers can write to it.
std::map<std::string, Names> writers_of(const std::vector<Container>& existing) {
  std::map<std::string, Names> result;
  for (const Container& one : existing) {
    if (!one.serves()) continue;
    for (const std::string& held : writable(one.mounts)) result[held].insert(one.service);
  }
  return result;
}

enum class Claim { may_share, gives_it_up, in_the_way };

Claim judge_holder(const MountQuestion& of, const Names& writers, const std::string& held,
                   const Container& holder) {
  const bool ours = find_id(of.existing, holder.id) != nullptr && holder.serves();
  const auto service = of.model.services.find(holder.service);
  if (!ours || service == of.model.services.end()) return Claim::in_the_way;
  const bool replaced = of.made_anew.count(holder.service) != 0;
  if (writable(service->second.mounts).count(held) == 0) {
    return replaced ? Claim::gives_it_up : Claim::in_the_way;
  }
  return replaced || writers.size() > 1 ? Claim::may_share : Claim::in_the_way;
}

}  // namespace

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

Names writable(const std::vector<Mount>& mounts) {
  Names result;
  for (const Mount& mount : mounts) {
    if (mount.writable && !mount.held().empty()) result.insert(mount.held());
  }
  return result;
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

MountDecision decide_mounts(const MountQuestion& of) {
  MountDecision result;
  const auto writers = writers_of(of.existing);
  const auto mine = by_service(of.existing);
  Names stop_first;
  for (const std::string& name : of.scope) {
    const auto service = of.model.services.find(name);
    if (service == of.model.services.end()) continue;
    Names had;
    if (const auto own = mine.find(name); own != mine.end()) {
      for (const Container& one : own->second) had.merge(writable(one.mounts));
    }
    for (const std::string& held : writable(service->second.mounts)) {
      if (had.count(held) != 0 || is_declared(of.shares, held)) continue;
      for (const Container& holder : of.running) {
        if (of.retired_ids.count(holder.id) != 0 || writable(holder.mounts).count(held) == 0) {
          continue;
        }
        const auto known = writers.find(held);
        const Names of_it = known == writers.end() ? Names() : known->second;
        switch (judge_holder(of, of_it, held, holder)) {
          case Claim::may_share:
            break;
          case Claim::gives_it_up:
            stop_first.insert(holder.id);
            break;
          case Claim::in_the_way:
            result.refused = HeldMount{name, held, holder};
            return result;
        }
      }
    }
  }
  result.stop_first.assign(stop_first.begin(), stop_first.end());
  return result;
}

}  // namespace drydock::compose
