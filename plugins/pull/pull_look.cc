#include "pull_look.h"

#include <algorithm>
#include <future>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_json.h"
#include "image_archive.h"
#include "image_reference.h"

namespace drydock::pull {
namespace {

using compose::Container;
using compose::Image;
using compose::Model;

// Names that `only` and `digests` may use.
void take_options(const Call& call, const Model& model, Question& question) {
  question.all = call.text("/only") == "all";
  question.changed = call.text("/only") != "missing";
  if (call.size("/only") != 0) {
    for (const std::string& name : call.texts("/only")) question.services.insert(name);
  }
  for (const std::string& name : question.services) {
    if (model.has(name)) continue;
    throw BadOptions("pull: only: there is no active service " + name +
                     " in the compose files of " + call.deployment_dir());
  }
  question.digests = accepted_digests(call, given_digests(call), model, question.wanted);
  question.from_archives = call.size("/load") != 0;
  if (question.from_archives) question.archives = archived_images(call);
}

std::set<std::string> names_of(const Look& look, const std::set<std::string>& also) {
  std::set<std::string> names = also;
  for (const auto& [reference, wanted] : look.question.wanted) names.insert(reference);
  for (const Container& one : look.containers) {
    if (one.serves() && !one.image_id.empty()) names.insert(one.image_id);
  }
  for (const auto& [reference, digest] : look.question.digests) {
    names.insert(repository_of(reference) + "@" + digest);
    names.insert(digest);
  }
  return names;
}

// An emulator that is in use shows in what runs already.
bool runs_already(const Look& look, const std::string& platform) {
  return std::any_of(look.containers.begin(), look.containers.end(), [&](const Container& one) {
    const auto found = look.question.present.find(one.image_id);
    return found != look.question.present.end() && found->second.platform == platform;
  });
}

const Image* find(const Look& look, const std::string& reference, const Choice& choice) {
  const auto& present = look.question.present;
  auto found = present.find(reference);
  if (choice.source == Source::digest) {
    found = present.find(repository_of(reference) + "@" + choice.digest);
    if (found == present.end()) found = present.find(choice.digest);
  }
  return found == present.end() ? nullptr : &found->second;
}

}  // namespace

Look look(const Call& call, const std::set<std::string>& also) {
  auto containers = std::async(std::launch::async, compose::project_containers, std::cref(call));
  Look result;
  result.model = compose::resolved_model(call);
  result.containers = containers.get();
  result.question.wanted = wanted_images(result.model);
  const Model before =
      call.model_before().empty() ? Model() : compose::read_model(call.model_before());
  result.question.old = old_references(result.containers, before);
  result.question.running = running_images(result.containers);
  take_options(call, result.model, result.question);
  look_again(call, result, also);
  return result;
}

void look_again(const Call& call, Look& look, const std::set<std::string>& also) {
  look.question.present = compose::images(call, names_of(look, also));
}

ServiceImages images_before(const std::vector<Container>& containers,
                            const std::map<std::string, Image>& present) {
  ServiceImages result;
  for (const auto& [service, its] : compose::by_service(containers)) {
    const Container& one = its.front();
    const auto found = present.find(one.image_id);
    const std::string digest =
        found == present.end() ? "" : found->second.digest(repository_of(one.image));
    result[service] = {one.image, one.image_id, digest};
  }
  return result;
}

void prove(const Call& call, const Look& look, const std::map<std::string, Choice>& choices,
           const std::set<std::string>& brought) {
  std::string engine;
  for (const std::string& reference : brought) {
    const Choice& choice = choices.at(reference);
    const Wanted& wanted = look.question.wanted.at(reference);
    const std::string of = reference + " of service " + wanted.names();
    const Image* image = find(look, reference, choice);
    if (image == nullptr) {
      throw Failed("the image " + of +
                   " is not on this engine after it was brought; is something removing images?");
    }
    if (!choice.digest.empty() && !image->is(choice.digest)) {
      throw Failed("the image " + of + " has the digest " +
                   image->digest(repository_of(reference)) + ", and only " + choice.digest +
                   " is accepted (`digests`)");
    }
    if (!wanted.platform.empty()) continue;
    if (engine.empty()) {
      engine = compose::ask_docker(
          call, {"docker", "version", "--format", "{{.Server.Os}}/{{.Server.Arch}}"},
          "ask the engine for its platform");
      engine.erase(engine.find_last_not_of("\n") + 1);
    }
    if (!runs_on(image->platform, engine) && !runs_already(look, image->platform)) {
      throw Failed("the image " + of + " is made for " + image->platform + ", and this engine is " +
                   engine + "; take a release that is built for it, or set `platform: " +
                   image->platform + "` of the service where an emulator is installed");
    }
  }
}

}  // namespace drydock::pull
