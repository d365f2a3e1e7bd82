#include "compose_images.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "compose_engine.h"
#include "file_store.h"
#include "image_reference.h"
#include "stage_word.h"

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
Ids read_ids(std::istream& words) {
  Ids result;
  for (std::string id, reference; words >> id >> reference;) {
    result[reference] = id == "-" ? "" : id;
  }
  return result;
}

std::string lines_of(const Ids& ids) {
  std::string text;
  for (const auto& [reference, id] : ids) text += (id.empty() ? "-" : id) + ' ' + reference + '\n';
  return text;
}

std::string planned_file(const Call& call) { return call.planning_dir() + "/images"; }

constexpr auto fixed_kind = "images";

// What one stage has fixed: a line with its place among those that did, and the lines of its ids.
struct Fixed {
  unsigned place = 0;
  Ids ids = {};
};

Fixed read_fixed(const std::string& path) {
  std::istringstream words(files::read_if_present(path).value_or(""));
  Fixed result;
  words >> result.place;
  result.ids = read_ids(words);
  return result;
}

std::vector<Fixed> all_fixed(const Call& call) {
  std::vector<Fixed> result;
  for (const std::string& word : files::all_words(call.private_dir(), call.run_id(), fixed_kind)) {
    result.push_back(read_fixed(word));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const Fixed& a, const Fixed& b) { return a.place < b.place; });
  return result;
}

// What a later stage says counts.
Ids fixed_ids(const Call& call) {
  Ids result;
  for (const Fixed& one : all_fixed(call)) {
    for (const auto& [reference, id] : one.ids) result[reference] = id;
  }
  return result;
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
  std::ifstream planned(planned_file(call));
  for (const auto& [reference, id] : read_ids(planned)) {
    if (references.count(reference) != 0) result[reference] = id;
  }
  return result;
}

void fix_images(const Call& call, const Ids& ids) {
  const std::string own = files::own_word(call.private_dir(), call.run_id(), fixed_kind);
  unsigned place = read_fixed(own).place;  // of an attempt before this one
  if (place == 0) {
    const std::vector<Fixed> others = all_fixed(call);
    place = others.empty() ? 1 : others.back().place + 1;
  }
  files::write(own, std::to_string(place) + '\n' + lines_of(ids));
}

void release_images(const Call& call) {
  files::take_back_word(call.private_dir(), call.run_id(), fixed_kind);
}

void hold_images(const Call& call, const std::set<std::string>& services) {
  if (!fixed_ids(call).empty()) hold_images(call, resolved_model(call), services);
}

void hold_images(const Call& call, const Model& model, const std::set<std::string>& services) {
  Ids fixed;
  std::set<std::string> asked, wanted;
  for (const auto& [name, service] : model.services) {
    if (services.count(name) != 0) wanted.insert(service.image);
  }
  for (const auto& [reference, id] : fixed_ids(call)) {
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
