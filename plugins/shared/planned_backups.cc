#include "planned_backups.h"

#include <fnmatch.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace drydock {
namespace {

namespace fs = std::filesystem;

void leave_word(const Call& call, const std::string& kind, const std::string& what) {
  std::ofstream(call.planning_dir() + "/saved-" + kind, std::ios::app) << what << '\n';
}

bool has_word(const Call& call, const std::string& kind,
              const std::function<bool(const std::string&)>& fits) {
  if (call.run_id() != 0) return true;
  std::ifstream list(call.planning_dir() + "/saved-" + kind);
  for (std::string what; std::getline(list, what);) {
    if (fits(what)) return true;
  }
  return false;
}

// One server is the same with its usual port and without.
std::string without_usual_port(const std::string& place) {
  for (const std::string port : {":5432", ":3306"}) {
    const bool has = place.size() > port.size() &&
                     place.compare(place.size() - port.size(), port.size(), port) == 0;
    if (has) return place.substr(0, place.size() - port.size());
  }
  return place;
}

std::string absolute(const Call& call, const std::string& path) {
  std::error_code unknown;
  const fs::path there = call.deployment(path);
  const fs::path found = fs::weakly_canonical(there, unknown);
  return (unknown ? there.lexically_normal() : found).string();
}

}  // namespace

void plan_to_save_database(const Call& call, const std::string& name, const std::string& place) {
  leave_word(call, "databases", name + '\t' + without_usual_port(place));
}

void plan_to_save_file(const Call& call, const std::string& path) {
  leave_word(call, "files", absolute(call, path));
}

bool may_save_database(const Call& call, const std::string& name, const std::string& place) {
  return has_word(call, "databases", [&](const std::string& saved) {
    const std::size_t tab = saved.rfind('\t');
    const std::string there = saved.substr(tab + 1);
    return saved.substr(0, tab) == name &&
           (there.empty() || place.empty() || there == without_usual_port(place));
  });
}

bool may_save_file(const Call& call, const std::string& path) {
  const std::string wanted = absolute(call, path);
  return has_word(call, "files", [&](const std::string& saved) {
    return wanted == saved ||
           ::fnmatch(saved.c_str(), wanted.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
  });
}

}  // namespace drydock
