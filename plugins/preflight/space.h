// Room on disks, decided from values alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checks.h"
#include "size_words.h"

namespace drydock::preflight {

// Something that the upgrade will write.
struct Demand {
  std::string what;              // "3 new images"
  std::int64_t bytes = -1;       // -1: not known
  std::string disk = {};         // the same for what shares a disk; "": not known which
  std::string place = {};        // a folder on it, for people
  std::int64_t free = -1;        // on that disk
  std::string why_unknown = {};  // in brackets after "the size of WHAT"
};

// Demands on one disk add up.
void check_space(const std::vector<Demand>& demands, Findings& findings);

// What images need when they are pulled, from the sum of their compressed layers: unpacked they
// take about two and a half times as much, with the download beside it.
std::int64_t unpacked_estimate(std::int64_t compressed);

}  // namespace drydock::preflight
