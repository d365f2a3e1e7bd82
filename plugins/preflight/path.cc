#include "path.h"

#include <algorithm>

#include "versions.h"

namespace drydock::preflight {
namespace {

// left < right; false where one has no numbers.
bool is_before(const std::string& left, const std::string& right) {
  const auto compared = compare_versions(left, right);
  return compared && *compared < 0;
}

bool lies_between(const std::string& release, const Path& path) {
  return is_before(path.from, release) && is_before(release, path.to);
}

// The first of `releases` that is jumped over; "" when none is.
std::string first_between(std::vector<std::string> releases, const Path& path) {
  std::stable_sort(releases.begin(), releases.end(), is_before);
  for (const std::string& release : releases) {
    if (lies_between(release, path)) return release;
  }
  return "";
}

void check_jumps(const Path& path, Findings& findings) {
  std::vector<std::string> needed = path.stops;
  needed.insert(needed.end(), path.each.begin(), path.each.end());
  const std::string stop = first_between(std::move(needed), path);
  if (stop.empty()) return;
  findings.refused.push_back("release " + path.from + " runs, and the way to " + path.to +
                             " leads through " + stop + ", which may not be left out; upgrade to " +
                             stop + " first");
}

void check_acknowledged(const Path& path, Findings& findings) {
  for (const ReleaseStep& step : steps_on_the_way(path)) {
    if (!step.acknowledge || path.acknowledged.count(step.release) != 0) continue;
    findings.refused.push_back(
        "release " + step.release + " asks for something that Drydock does " +
        "not do: " + step.text + (step.command.empty() ? "" : " (" + step.command + ")") +
        "; once that is settled, name " + step.release + " under `releases: acknowledged`");
  }
}

}  // namespace

std::vector<ReleaseStep> steps_on_the_way(const Path& path) {
  std::vector<ReleaseStep> result;
  for (const ReleaseStep& step : path.steps) {
    const bool after = path.from.empty() || !compare_versions(path.from, step.release) ||
                       is_before(path.from, step.release);
    if (after && !is_before(path.to, step.release)) result.push_back(step);
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& left, const auto& right) {
    return is_before(left.release, right.release);
  });
  return result;
}

void check_path(const Path& path, Findings& findings) {
  if (path.to.empty()) return;
  check_acknowledged(path, findings);
  const auto compared = compare_versions(path.from, path.to);
  if (!compared) {
    findings.not_known.push_back("whether release " + path.to + " may follow " +
                                 (path.from.empty() ? "what runs, whose release is not known"
                                                    : "what runs (" + path.from + ")"));
    return;
  }
  if (*compared > 0) {
    findings.refused.push_back("release " + path.from + " runs, and " + path.to +
                               " is older: its database does not go back by itself; roll the "
                               "upgrade back instead (`drydock rollback`), or choose a newer one");
    return;
  }
  if (!path.oldest.empty() && is_before(path.from, path.oldest)) {
    findings.refused.push_back("release " + path.from + " runs, and one comes to " + path.to +
                               " from " + path.oldest + " or newer; upgrade to " + path.oldest +
                               " first");
    return;
  }
  check_jumps(path, findings);
}

}  // namespace drydock::preflight
