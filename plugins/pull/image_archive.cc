#include "image_archive.h"

#include <glob.h>

#include <nlohmann/json.hpp>

#include "compose_command.h"
#include "image_reference.h"

namespace drydock::pull {
namespace {

using Json = nlohmann::json;

// "blobs/sha256/HEX" of newer engines, "HEX.json" of older ones.
std::string id_of(const std::string& config) {
  std::string hex = config.substr(config.rfind('/') + 1);
  hex = hex.substr(0, hex.find('.'));
  const bool whole = hex.size() == 64 && hex.find_first_not_of("0123456789abcdef") == hex.npos;
  return whole ? "sha256:" + hex : "";
}

std::string manifest_of(const Call& call, const std::string& file) {
  // tar sees for itself how an archive is compressed.
  Process process{
      {"tar", "--extract", "--to-stdout", "--occurrence=1", "--file", file, "manifest.json"}};
  const Captured captured = call.capture(std::move(process));
  if (captured.exit.ok()) return captured.out;
  const std::string why = captured.err.substr(0, captured.err.find('\n'));
  throw Failed("the archive " + file + " has no manifest.json (" + why +
               "); is it whole, and was it made with `docker save`?");
}

}  // namespace

std::vector<std::string> archive_files(const Call& call) {
  std::vector<std::string> result;
  for (const std::string& pattern : call.texts("/load")) {
    const std::string path = call.deployment(pattern);
    glob_t found{};
    const int code = ::glob(path.c_str(), GLOB_BRACE, nullptr, &found);
    for (std::size_t i = 0; i < found.gl_pathc; ++i) result.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (code != 0) {
      throw BadOptions("pull: load: there is no archive " + path +
                       "; copy it there, or correct the pattern");
    }
  }
  return result;
}

std::map<std::string, std::string> parse_archive(std::string_view manifest,
                                                 const std::string& file) {
  std::map<std::string, std::string> result;
  try {
    for (const Json& image : Json::parse(manifest)) {
      const std::string id = id_of(image.at("Config").get<std::string>());
      const Json& tags = image.at("RepoTags");
      for (const Json& tag : tags) result[listed_name(tag.get<std::string>())] = id;
    }
  } catch (const Json::exception& e) {
    throw Failed("the manifest.json of the archive " + file +
                 " is not what `docker save` writes: " + e.what());
  }
  return result;
}

std::map<std::string, Archived> archived_images(const Call& call) {
  std::map<std::string, Archived> result;
  for (const std::string& file : archive_files(call)) {
    for (const auto& [name, id] : parse_archive(manifest_of(call, file), file)) {
      result[name] = {file, id};
    }
  }
  return result;
}

void load_archive(const Call& call, const std::string& file) {
  call.info("load " + file);
  compose::ask_docker(call, {"docker", "load", "--quiet", "--input", file},
                      "load the images of " + file);
}

}  // namespace drydock::pull
