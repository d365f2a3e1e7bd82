// Which way a deployment may go from release to release, as data of the pipeline.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "checks.h"

namespace drydock::preflight {

// What a release asks for beside the upgrade itself.
struct ReleaseStep {
  std::string release;
  std::string text;          // what is to be done, and why
  std::string command;       // "" where there is none
  bool acknowledge = false;  // somebody must say that it is done, or will be
};

struct Path {
  std::string from, to;            // release tags; "": not known
  std::vector<std::string> stops;  // releases that may not be jumped over
  std::string oldest;              // one may come from this release or a newer one; "": from any
  // Where not empty, every release: none of them may be jumped over.
  std::vector<std::string> each;
  std::vector<ReleaseStep> steps;
  std::set<std::string> acknowledged;  // releases whose steps are
};
void check_path(const Path& path, Findings& findings);

// The steps of the releases after `from`, up to and with `to`; of all up to `to` where `from` is
// not known. In the order of the releases.
std::vector<ReleaseStep> steps_on_the_way(const Path& path);

}  // namespace drydock::preflight
