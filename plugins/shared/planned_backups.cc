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

std::string absolute(const Call& call, const std::string& path) {
  std::error_code unknown;
  const fs::path there = call.deployment(path);
  const fs::path found = fs::weakly_canonical(there, unknown);
  return (unknown ? there.lexically_normal() : found).string();
}

}  // namespace

void plan_to_save_database(const Call& call, const std::string& name) {
  leave_word(call, "databases", name);
}

void plan_to_save_file(const Call& call, const std::string& path) {
  leave_word(call, "files", absolute(call, path));
}

bool may_save_database(const Call& call, const std::string& name) {
  return has_word(call, "databases", [&](const std::string& saved) { return saved == name; });
}

bool may_save_file(const Call& call, const std::string& path) {
  const std::string wanted = absolute(call, path);
  return has_word(call, "files", [&](const std::string& saved) {
    return wanted == saved ||
           ::fnmatch(saved.c_str(), wanted.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
  });
}

}  // namespace drydock
