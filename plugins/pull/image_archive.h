// Archives of images, as `docker save` writes them, for hosts without a network.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "drydock/stage.hpp"
#include "image_choice.h"

namespace drydock::pull {

// The files that the patterns of `load` name, relative to the deployment. Throws BadOptions for a
// pattern that names none.
std::vector<std::string> archive_files(const Call& call);

// listed name -> id, of the archive's manifest.json. Throws Failed, with the file, when it is not
// one.
std::map<std::string, std::string> parse_archive(std::string_view manifest,
                                                 const std::string& file);

// What all of the archives have, by listed name; of two archives with one image the later counts.
// Reads no further than to their manifests.
std::map<std::string, Archived> archived_images(const Call& call);

// Loads it; every name that it has then means its image.
void load_archive(const Call& call, const std::string& file);

}  // namespace drydock::pull
