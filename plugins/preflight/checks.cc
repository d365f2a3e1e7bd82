#include "checks.h"

#include <map>

#include "space.h"
#include "versions.h"

namespace drydock::preflight {
namespace {

using compose::Mount;

void check_version(const std::string& what, const std::string& found, const std::string& oldest,
                   const std::string& remedy, Findings& findings) {
  const auto compared = compare_versions(found, oldest);
  if (!compared) {
    findings.not_known.push_back("the version of " + what + " (" +
                                 (found.empty() ? "it does not tell" : found) + ")");
  } else if (*compared < 0) {
    findings.refused.push_back(what + " is " + found + ", and " + oldest + " or newer is needed; " +
                               remedy);
  }
}

void check_size(const std::string& what, std::int64_t found, std::int64_t least,
                const std::string& remedy, Findings& findings) {
  if (least == 0) return;
  if (found < 0) {
    findings.not_known.push_back(what);
  } else if (found < least) {
    findings.refused.push_back(what + " is " + size_words(found) + ", and " + size_words(least) +
                               " is needed; " + remedy);
  }
}

std::string described(const Mount& mount) {
  return mount.type == "bind" ? "the folder " + mount.source : "the " + mount.held();
}

// By the place in the container, what is data there.
std::map<std::string, Mount> data_of(const compose::Service& service) {
  std::map<std::string, Mount> result;
  for (const Mount& mount : service.mounts) {
    if (mount.writable && !mount.held().empty()) result[mount.target] = mount;
  }
  return result;
}

}  // namespace

void check_machine(const Machine& machine, const Minimum& minimum, Findings& findings) {
  check_version("the Docker engine", machine.engine_version, minimum.engine_version,
                "upgrade it first", findings);
  check_version("Docker Compose", machine.compose_version, minimum.compose_version,
                "upgrade it first (an older one reads the release's files wrongly or not at all)",
                findings);
  check_size("the memory of the engine's machine", machine.memory, minimum.memory,
             "add memory, or lower `memory`", findings);
  check_size("the free disk space of the engine", machine.free_disk, minimum.free_disk,
             "free some (`docker system df` shows what uses it), or lower `disk`", findings);
  if (minimum.cpus == 0) return;
  if (machine.cpus < 0) {
    findings.not_known.push_back("how many CPUs the engine's machine has");
  } else if (machine.cpus < minimum.cpus) {
    findings.refused.push_back("the engine's machine has " + std::to_string(machine.cpus) +
                               (machine.cpus == 1 ? " CPU, and " : " CPUs, and ") +
                               std::to_string(minimum.cpus) +
                               " are needed; add some, or lower `cpus`");
  }
}

void check_project(const std::string& project, const std::vector<compose::Container>& here,
                   Findings& findings) {
  for (const compose::Container& one : here) {
    if (!one.serves() || !one.runs() || one.project == project) continue;
    findings.refused.push_back(
        "what runs in this deployment is the Compose project " + one.project + " (container " +
        one.name + "), and the upgrade would make the project " + project +
        " beside it, with volumes of its own that are empty; set `project: " + one.project +
        "` under the pipeline's `deployment`");
    return;
  }
}

void check_volumes(const compose::Model& before, const compose::Model& after,
                   const std::set<std::string>& moved, Findings& findings,
                   const std::map<std::string, std::string>& renamed) {
  for (const auto& [name, service] : after.services) {
    auto old_service = before.services.find(name);
    for (const auto& [old_name, new_name] : renamed) {
      const bool was_called_so = new_name == name && old_service == before.services.end();
      if (was_called_so) old_service = before.services.find(old_name);
    }
    if (old_service == before.services.end() || moved.count(name) != 0) continue;
    const std::map<std::string, Mount> old_data = data_of(old_service->second);
    for (const auto& [target, mount] : data_of(service)) {
      const auto was = old_data.find(target);
      if (was == old_data.end() || was->second.held() == mount.held()) continue;
      const std::string& was_called = old_service->first;
      findings.refused.push_back("service " + was_called +
                                 (was_called == name ? "" : " (now " + name + ")") + " has its " +
                                 target + " in " + described(was->second) +
                                 ", and would look for it in " + described(mount) +
                                 ", where its data is not; move the data and name the service "
                                 "under `moved`, or mend the new compose files");
    }
  }
}

}  // namespace drydock::preflight
