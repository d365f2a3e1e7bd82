#include "installation.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <optional>

#include "text.h"
#include "utc_time.h"
#include "version.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

// What this user may still write. nullopt: the path is not there, or says nothing.
std::optional<std::int64_t> free_bytes(const std::string& path) {
  struct statvfs status {};
  if (::statvfs(path.c_str(), &status) != 0) return std::nullopt;
  // A file system that has no more files is as full as one that has no more blocks.
  if (status.f_files > 0 && status.f_favail == 0) return 0;
  return static_cast<std::int64_t>(status.f_bavail) * static_cast<std::int64_t>(status.f_frsize);
}

}  // namespace

json installation_document(Workbench& bench, const std::string& dir, const StateDir& state) {
  json stages = json::object(), problems = json::array();
  const PluginIndex plugins = bench.plugins_as_found();
  for (const auto& [name, stage] : plugins.stages()) {
    stages[name] = {{"plugin", stage.plugin_id},
                    {"version", stage.plugin_version},
                    {"sha256", stage.sha256()},
                    {"file", stage.plugin_file}};
  }
  for (const PluginProblem& problem : plugins.problems()) problems.push_back(problem.sentence);
  const auto here = free_bytes(dir), there = free_bytes(state.path());
  json room;
  if (here || there) room = std::min(here.value_or(*there), there.value_or(*here));
  return {{"version", version},
          {"rollout_protocol", rollout_protocol},
          {"clock_ms", std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count()},
          {"free_bytes", room},
          {"user", user_name()},
          {"host", host_name()},
          {"stages", stages},
          {"problems", problems}};
}

void print_installation(const json& document) {
  std::cout << "drydock     " << version << " of " << make_visible(text_at(document, "user"))
            << " on " << make_visible(text_at(document, "host")) << ", "
            << count_of(static_cast<std::int64_t>(document["stages"].size()), "stage type") << "\n"
            << "clock       " << utc_now() << "\n";
  if (!document["free_bytes"].is_null()) {
    std::cout << "disk        " << format_size(number_at(document, "free_bytes")) << " free\n";
  }
  for (const json& problem : document["problems"]) {
    std::cout << "broken      " << make_visible(problem.get<std::string>()) << "\n";
  }
}

}  // namespace drydock
