#include "space.h"

#include <map>

namespace drydock::preflight {

std::int64_t unpacked_estimate(std::int64_t compressed) {
  return compressed / 2 > INT64_MAX / 7 ? INT64_MAX : compressed / 2 * 7;
}

void check_space(const std::vector<Demand>& demands, Findings& findings) {
  struct Disk {
    std::int64_t needed = 0, free = 0;
    std::string place, what;
  };
  std::map<std::string, Disk> disks;
  for (const Demand& demand : demands) {
    if (demand.bytes == 0) continue;
    if (demand.bytes < 0) {
      findings.not_known.push_back(
          "the size of " + demand.what +
          (demand.why_unknown.empty() ? "" : " (" + demand.why_unknown + ")"));
      continue;
    }
    if (demand.disk.empty() || demand.free < 0) {
      findings.not_known.push_back("whether there is room for " + demand.what + " (" +
                                   size_words(demand.bytes) + ")");
      continue;
    }
    Disk& disk = disks[demand.disk];
    disk.needed = disk.needed > INT64_MAX - demand.bytes ? INT64_MAX : disk.needed + demand.bytes;
    disk.free = demand.free;
    if (disk.place.empty()) disk.place = demand.place;
    disk.what +=
        (disk.what.empty() ? "" : ", ") + demand.what + " (about " + size_words(demand.bytes) + ")";
  }
  for (const auto& [name, disk] : disks) {
    if (disk.needed <= disk.free) continue;
    findings.refused.push_back(
        "the disk of " + disk.place + " has " + size_words(disk.free) + " free, and " +
        size_words(disk.needed) + " are needed: " + disk.what +
        "; make room (`docker system df` and `drydock history --prune` show what can go)");
  }
}

}  // namespace drydock::preflight
