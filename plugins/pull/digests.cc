#include "digests.h"

#include <nlohmann/json.hpp>

#include "compose_engine.h"

namespace drydock::pull {
namespace {

using Json = nlohmann::json;
using Texts = std::map<std::string, std::string>;

bool is_digest(const std::string& text) {
  return text.size() == 71 && text.compare(0, 7, "sha256:") == 0 &&
         text.find_first_not_of("0123456789abcdef", 7) == std::string::npos;
}

Texts in_text(const std::string& text) {
  Texts result;
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) {
    throw BadOptions("pull: digests: '" + text.substr(0, 60) +
                     "' is neither a mapping nor the JSON of one, as the output `digests` is");
  }
  for (const auto& [name, digest] : json.items()) {
    result[name] = digest.is_string() ? digest.get<std::string>() : digest.dump();
  }
  return result;
}

Json to_json(const ServiceImages& images, const std::string& service) {
  const auto found = images.find(service);
  if (found == images.end()) return nullptr;
  const ServiceImage& one = found->second;
  return {{"reference", one.reference}, {"id", one.id}, {"digest", one.digest}};
}

// "" when nothing here has that name.
std::string reference_for(const std::string& name, const compose::Model& model,
                          const std::map<std::string, Wanted>& wanted) {
  const auto service = model.services.find(name);
  if (service == model.services.end()) return wanted.count(name) != 0 ? name : "";
  if (wanted.count(service->second.image) != 0) return service->second.image;
  throw BadOptions("pull: digests: service " + name +
                   " has no image that is pulled: it is built here, or its pull_policy is never");
}

}  // namespace

Texts given_digests(const Call& call) {
  Texts result;
  const std::string text = call.text("/digests");
  for (const std::string& name : call.keys("/digests")) {
    result[name] = call.text(Call::member("/digests", name));
  }
  if (!text.empty()) result = in_text(text);
  for (const auto& [name, digest] : result) {
    if (is_digest(digest)) continue;
    throw BadOptions("pull: digests: '" + digest + "' of " + name +
                     " is no digest: sha256: and 64 digits of 0-9a-f");
  }
  return result;
}

Texts accepted_digests(const Call& call, const Texts& given, const compose::Model& model,
                       const std::map<std::string, Wanted>& wanted) {
  Texts result;
  const bool handed_on = !call.text("/digests").empty();
  std::set<std::string> inactive;
  for (const auto& [name, digest] : given) {
    const std::string reference = reference_for(name, model, wanted);
    if (reference.empty()) {
      if (inactive.empty()) inactive = compose::all_service_names(call);
      if (handed_on && inactive.count(name) != 0) continue;
      std::string there;
      for (const auto& [each, of] : wanted) there += (there.empty() ? "" : ", ") + of.names();
      throw BadOptions("pull: digests: there is no active service and no image " + name +
                       " in the compose files of " + call.deployment_dir() + "; there are " +
                       there);
    }
    const auto [known, added] = result.emplace(reference, digest);
    if (added || known->second == digest) continue;
    throw BadOptions("pull: digests: the image " + reference + " cannot be both " + known->second +
                     " and " + digest + "; its services are " + wanted.at(reference).names());
  }
  return result;
}

std::string digests_json(const ServiceImages& images) {
  Json result = Json::object();
  for (const auto& [service, image] : images) result[service] = image.digest;
  return result.dump();
}

std::string images_json(const ServiceImages& before, const ServiceImages& after) {
  Json result = Json::object();
  for (const ServiceImages* each : {&before, &after}) {
    for (const auto& [service, image] : *each) {
      result[service] = {{"before", to_json(before, service)}, {"after", to_json(after, service)}};
    }
  }
  return result.dump();
}

}  // namespace drydock::pull
