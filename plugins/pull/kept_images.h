// The images that ran before stay on the engine until the run is removed from the journal.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "drydock/stage.hpp"

namespace drydock::pull {

struct KeptImage {
  std::string id;
  std::string tag;       // ours: "drydock/keep:PROJECT.HASH-RUN-STAGE-N"
  std::string pullable;  // "REPOSITORY@sha256:..."; "" when it is from no registry
};

// One line each, for a note; and back.
std::string to_lines(const std::vector<KeptImage>& images);
std::vector<KeptImage> from_lines(const std::string& lines);

// The tag of the n-th image of this stage's run. The deployment is known by its folder, and the
// stage by a hash of its id: a run may pull in several stages, and a tag may not be long.
std::string keep_tag(const Call& call, std::size_t n);

// Of `tags` of drydock/keep those of this deployment whose run has no folder any more.
std::set<std::string> outdated(const Call& call, const std::vector<std::string>& tags);

// Gives them their tags, and takes away those of runs that were removed.
void keep(const Call& call, const std::vector<KeptImage>& images);

// For `rollback`: fetches what something has removed all the same, by its digest. Throws Failed
// with the first that cannot be had again, once all others were fetched.
void fetch_again(const Call& call, const std::vector<KeptImage>& images);

}  // namespace drydock::pull
