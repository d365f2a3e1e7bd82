#include "world.h"

#include <limits.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "compose_answers.h"
#include "compose_command.h"
#include "compose_engine.h"
#include "databases.h"
#include "images.h"

namespace drydock::preflight {
namespace fs = std::filesystem;
namespace {

std::string one_line(std::string text) {
  text.erase(text.find_last_not_of(" \r\n\t") + 1);
  return text;
}

bool is_this_machine(const std::string& name) {
  char own[HOST_NAME_MAX + 1] = "";
  return ::gethostname(own, sizeof own - 1) == 0 && name == own;
}

// The nearest folder above that is there already.
std::string existing(fs::path folder) {
  std::error_code none;
  while (!fs::exists(folder, none) && folder.has_relative_path()) folder = folder.parent_path();
  return folder.string();
}

void place_on_disk(Demand& demand, const std::string& folder) {
  struct stat status {};
  struct statvfs disk {};
  if (folder.empty()) return;
  demand.place = existing(folder);
  if (::stat(demand.place.c_str(), &status) != 0) return;
  if (::statvfs(demand.place.c_str(), &disk) != 0) return;
  demand.disk = std::to_string(status.st_dev);
  demand.free = static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
}

Demand demand_of_images(const Call& call, const Engine& engine, const compose::Model& model) {
  std::set<std::string> references;
  for (const auto& [name, service] : model.services) {
    if (!service.image.empty() && !service.built && !service.never_pulled) {
      references.insert(service.image);
    }
  }
  const auto present = compose::image_ids(call, references);
  std::map<std::string, std::string> missing;
  for (const auto& [name, service] : model.services) {
    if (references.count(service.image) == 0 || present.count(service.image) != 0) continue;
    missing[service.image] = service.platform.empty() ? engine.platform : service.platform;
  }
  Demand demand{std::to_string(missing.size()) +
                (missing.size() == 1 ? " new image" : " new images")};
  if (missing.empty()) {
    demand.bytes = 0;
    return demand;
  }
  if (call.step() == "plan" && !call.may_fetch()) {
    demand.why_unknown = "`plan --fetch` asks the registry";
    return demand;
  }
  std::string unknown;
  if (const auto compressed = compressed_size(call, missing, unknown)) {
    demand.bytes = unpacked_estimate(*compressed);
  } else {
    demand.why_unknown = "the registry of " + unknown + " does not say";
  }
  place_on_disk(demand, engine.folder);
  return demand;
}

}  // namespace

Engine ask_engine(const Call& call) {
  auto compose = std::async(std::launch::async, [&call] {
    return one_line(compose::ask_once(call, {{"docker", "compose", "version", "--short"}},
                                      "ask Docker Compose for its version"));
  });
  const std::string told = compose::ask_once(call, {{"docker", "info", "--format", "{{json .}}"}},
                                             "ask the Docker engine about itself");
  const auto info = nlohmann::json::parse(told, nullptr, false);
  Engine engine;
  engine.machine.compose_version = compose.get();
  if (!info.is_object()) return engine;
  engine.machine.engine_version = info.value("ServerVersion", "");
  engine.machine.memory = info.value("MemTotal", std::int64_t{-1});
  engine.machine.cpus = info.value("NCPU", std::int64_t{-1});
  engine.platform = platform_of(info.value("Architecture", ""));
  // The engine keeps its images in a folder of its own machine, which need not be this one.
  if (!is_this_machine(info.value("Name", ""))) return engine;
  engine.folder = info.value("DockerRootDir", "");
  struct statvfs disk {};
  if (!engine.folder.empty() && ::statvfs(engine.folder.c_str(), &disk) == 0) {
    engine.machine.free_disk =
        static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  }
  return engine;
}

std::string resolved_text(const Call& call) {
  return compose::ask_once(call, call.compose({"config", "--format", "json"}),
                           "resolve the compose files");
}

std::vector<Demand> demands_of(const Call& call, const Engine& engine, const compose::Model& model,
                               const std::vector<compose::Container>& here) {
  std::vector<Demand> demands = {demand_of_images(call, engine, model)};
  if (call.has("/databases") && call.texts("/databases").empty()) return demands;
  for (const DatabaseSize& database : database_sizes(call, here, call.texts("/databases"))) {
    Demand dump{"the dump of " + database.service, database.bytes};
    dump.why_unknown = "its container does not tell";
    place_on_disk(dump, fs::path(call.next_dir()).parent_path().string());
    demands.push_back(dump);
    if (database.bytes < 0) continue;  // said once
    Demand copy{"a restored copy of " + database.service, database.bytes};
    const bool is_here = !engine.folder.empty() && !database.folder.empty();
    place_on_disk(copy, is_here ? database.folder : engine.folder);
    demands.push_back(copy);
  }
  return demands;
}

std::vector<Holder> published_by_containers(const Call& call) {
  const std::string listed =
      compose::ask_once(call,
                        {{"docker", "ps", "--no-trunc", "--format",
                          "{{.Names}}\t{{.Label \"com.docker.compose.project\"}}\t"
                          "{{.Label \"com.docker.compose.project.working_dir\"}}\t{{.Ports}}"}},
                        "see which ports containers have");
  const std::string own = compose::real_path(call.deployment_dir());
  std::vector<Holder> holders;
  std::istringstream lines(listed);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    std::string name, project, dir, ports;
    std::getline(fields, name, '\t');
    std::getline(fields, project, '\t');
    std::getline(fields, dir, '\t');
    std::getline(fields, ports);
    for (HostPort& port : parse_ports_column(ports)) {
      holders.push_back({std::move(port), name, project, compose::real_path(dir) == own});
    }
  }
  return holders;
}

std::vector<HostPort> bound_here(const Engine& engine) {
  std::vector<HostPort> result;
  if (engine.folder.empty()) return result;
  for (const char* table : {"tcp", "tcp6", "udp", "udp6"}) {
    std::ifstream file(std::string("/proc/net/") + table);
    std::stringstream text;
    text << file.rdbuf();
    for (HostPort& port : parse_proc_net(text.str(), std::string(table).substr(0, 3))) {
      result.push_back(std::move(port));
    }
  }
  return result;
}

}  // namespace drydock::preflight
