#include "compose_images.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "compose_engine.h"
#include "image_reference.h"

namespace drydock::compose {
namespace {

using Ids = std::map<std::string, std::string>;

std::string after_at(const std::string& digest) {
  const std::size_t at = digest.find('@');
  return at == std::string::npos ? digest : digest.substr(at + 1);
}

Image image_of(const std::string& line) {
  std::istringstream words(line);
  Image result;
  words >> result.id >> result.platform;
  for (std::string digest; words >> digest;) result.digests.push_back(digest);
  return result;
}

// "ID REFERENCE" a line; "-" stands for no id. A later line counts.
Ids read(const std::string& path) {
  std::ifstream file(path);
  Ids result;
  for (std::string id, reference; file >> id >> reference;) result[reference] = id == "-" ? "" : id;
  return result;
}

std::string lines_of(const Ids& ids) {
  std::string text;
  for (const auto& [reference, id] : ids) text += (id.empty() ? "-" : id) + ' ' + reference + '\n';
  return text;
}

std::string planned_file(const Call& call) { return call.planning_dir() + "/images"; }
std::string fixed_file(const Call& call) {
  const std::filesystem::path of_run = std::filesystem::path(call.private_dir()).parent_path();
  return (of_run / (".images-" + std::to_string(call.run_id()))).string();
}

}  // namespace

bool Image::is(const std::string& digest) const {
  return id == digest || std::any_of(digests.begin(), digests.end(), [&](const std::string& one) {
           return after_at(one) == digest;
         });
}

std::string Image::pullable(const std::string& repository) const {
  const std::string listed = listed_name(repository + ":x");
  const std::string own = listed.substr(0, listed.size() - 2) + "@";
  for (const std::string& one : digests) {
    if (one.compare(0, own.size(), own) == 0) return one;
  }
  return digests.empty() ? "" : digests.front();
}

std::string Image::digest(const std::string& repository) const {
  const std::string found = pullable(repository);
  return found.empty() ? id : after_at(found);
}

std::map<std::string, Image> images(const Call& call, const std::set<std::string>& names) {
  const std::string format = "{{.Id}} {{.Os}}/{{.Architecture}}{{range .RepoDigests}} {{.}}{{end}}";
  std::map<std::string, Image> result;
  for (const auto& [name, line] : inspect_images(call, names, format)) {
    result[name] = image_of(line);
  }
  return result;
}

void plan_images(const Call& call, const Ids& ids) {
  std::ofstream(planned_file(call), std::ios::app) << lines_of(ids);
}

Ids planned_image_ids(const Call& call, const std::set<std::string>& references) {
  Ids result = image_ids(call, references);
  for (const auto& [reference, id] : read(planned_file(call))) {
    if (references.count(reference) != 0) result[reference] = id;
  }
  return result;
}

void fix_images(const Call& call, const Ids& ids) {
  const std::string path = fixed_file(call);
  Ids all = ids;
  all.merge(read(path));  // of an earlier stage; what this one says counts
  const std::string part = path + ".part";
  std::ofstream file(part, std::ios::trunc);
  file << lines_of(all);
  file.close();
  if (!file || std::rename(part.c_str(), path.c_str()) != 0) {
    throw Failed("cannot write " + path + ": " + std::strerror(errno));
  }
}

void hold_images(const Call& call, const Model& model, const std::set<std::string>& services) {
  Ids fixed;
  std::set<std::string> asked, wanted;
  for (const auto& [name, service] : model.services) {
    if (services.count(name) != 0) wanted.insert(service.image);
  }
  for (const auto& [reference, id] : read(fixed_file(call))) {
    if (wanted.count(reference) == 0 || !can_be_moved(reference) || id.empty()) continue;
    fixed[reference] = id;
    asked.insert(reference);
  }
  const Ids now = image_ids(call, asked);
  for (const auto& [reference, id] : fixed) {
    const auto found = now.find(reference);
    if (found != now.end() && found->second == id) continue;
    if (!image_id(call, id)) {
      throw Failed("the image " + id + ", which this run starts as " + reference +
                   ", is no longer on this engine; what removes images there?");
    }
    call.warn("the tag " + reference +
              " was moved since this run has settled its image; it names " + id.substr(0, 19) +
              " again");
    tag_image(call, id, reference);
  }
}

}  // namespace drydock::compose
