// What an engine knows of its images, and which image each name is to mean during a run.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "compose_types.h"
#include "drydock/stage.hpp"

namespace drydock::compose {

struct Image {
  std::string id;                    // "sha256:..."
  std::string platform;              // "linux/amd64"
  std::vector<std::string> digests;  // "postgres@sha256:...", of the registries that it came from

  // Whether it is exactly that: the digest of a registry, or its id.
  bool is(const std::string& digest) const;
  // What others can know it by: the digest of a registry, that of `repository` where there are
  // several; its id when it is from none.
  std::string digest(const std::string& repository) const;
  // The name to pull it by, wherever its tags have moved; "" when it is from no registry.
  std::string pullable(const std::string& repository) const;
};

// name -> image, without those that are not there. Names are references or ids. One command, unless
// the engine's answer cannot be told apart.
std::map<std::string, Image> images(const Call& call, const std::set<std::string>& names);

// --- what each name means during a run ------------------------------------------------------

// For `plan`: the images that references will name by the time a later stage runs. id "": not known
// yet. The planning folder is how the plan of one stage leaves word to those of later ones.
void plan_images(const Call& call, const std::map<std::string, std::string>& ids);
// image_ids() as they will be then; "" for what is not known yet.
std::map<std::string, std::string> planned_image_ids(const Call& call,
                                                     const std::set<std::string>& references);

// For `run`: left for the later stages of this run, beside the stages' private folders.
void fix_images(const Call& call, const std::map<std::string, std::string>& ids);
// For `rollback`: what this stage has fixed no longer is, where the run goes on without it.
void release_images(const Call& call);
// For `run`: what these services start from and names another image by now gets back what was
// fixed, with a warning. Asks the engine only when something was fixed.
void hold_images(const Call& call, const Model& model, const std::set<std::string>& services);
// The same; asks Compose for the model only when something was fixed.
void hold_images(const Call& call, const std::set<std::string>& services);

}  // namespace drydock::compose
