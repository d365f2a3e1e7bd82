#include "pull_stage.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <vector>

#include "compose_command.h"
#include "compose_engine.h"
#include "compose_patience.h"

namespace {

using drydock::Call;
using drydock::Captured;
using drydock::Failed;
using drydock::compose::Container;
using drydock::compose::Model;
using drydock::compose::Service;

constexpr std::size_t at_once = 3;  // pulls

// An image to have, and the services that want it.
struct Wanted {
  std::string platform;
  std::string services;  // "api, worker", for people
};

// reference -> what is wanted of it. Images that are built here are not a registry's.
std::map<std::string, Wanted> wanted_images(const Call& call, const Model& model) {
  const std::vector<std::string> chosen = call.texts("/services");
  const std::set<std::string> only(chosen.begin(), chosen.end());
  for (const std::string& name : only) {
    if (!model.has(name)) {
      throw drydock::BadOptions("pull: services: there is no active service " + name +
                                " in the compose files of " + call.deployment_dir());
    }
  }
  std::map<std::string, Wanted> result;
  for (const auto& [name, service] : model.services) {
    if (!only.empty() && only.count(name) == 0) continue;
    if (service.image.empty() || service.built || service.never_pulled) continue;
    Wanted& wanted = result[service.image];
    wanted.platform = service.platform;
    wanted.services += (wanted.services.empty() ? "" : ", ") + name;
  }
  return result;
}

std::set<std::string> references(const std::map<std::string, Wanted>& images) {
  std::set<std::string> result;
  for (const auto& [reference, wanted] : images) result.insert(reference);
  return result;
}

std::set<std::string> to_pull(const Call& call, const std::map<std::string, Wanted>& images,
                              const std::map<std::string, std::string>& present) {
  std::set<std::string> result;
  for (const auto& [reference, wanted] : images) {
    if (call.text("/only") == "all" || present.count(reference) == 0) result.insert(reference);
  }
  return result;
}

// What to do about the commonest refusals of registries.
std::string remedy(const std::string& said) {
  const std::pair<const char*, const char*> known[] = {
      {"no space left", "; free disk space and try again"},
      {"toomanyrequests", "; the registry limits pulls: log in with `docker login`, or wait"},
      {"unauthorized", "; log in with `docker login`"},
      {"denied", "; log in with `docker login`, and check the name"},
      {"no matching manifest", "; the image is not made for this machine's architecture"},
      {"manifest unknown", "; does that release exist?"},
      {"not found", "; does that release exist?"},
      {"connection refused", "; is the registry up, and its address right?"},
      {"no such host", "; is the registry's name right, and the network up?"}};
  for (const auto& [sign, advice] : known) {
    if (said.find(sign) != std::string::npos) return advice;
  }
  return "";
}

// One line of `docker pull` for each layer and state is too much for a person.
void pull(const Call& call, const std::string& reference, const Wanted& wanted) {
  call.info("pull " + reference + " for " + wanted.services);
  drydock::Process process{{"docker", "pull"}};
  if (!wanted.platform.empty()) {
    process.arguments.insert(process.arguments.end(), {"--platform", wanted.platform});
  }
  process.arguments.push_back(reference);
  const Captured captured = drydock::compose::answer_of(call, [&] {
    Captured said;
    process.on_line = [&](drydock::Stream stream, std::string_view line) {
      (stream == drydock::Stream::out ? said.out : said.err).append(line).append("\n");
      call.debug(line);
    };
    said.exit = call.run(process);
    return said;
  });
  if (!captured.exit.ok()) {
    const Failed refused = drydock::compose::engine_refused(
        captured, "pull the image " + reference + " of service " + wanted.services);
    throw Failed(refused.what() + remedy(captured.err));
  }
}

// A few at once, as Compose does; after a failure none is begun any more.
void pull_all(const Call& call, const std::set<std::string>& missing,
              const std::map<std::string, Wanted>& images) {
  const std::vector<std::string> queue(missing.begin(), missing.end());
  std::atomic<std::size_t> next = 0, done = 0;
  const auto take = [&] {
    for (std::size_t i = next++; i < queue.size(); i = next++) {
      try {
        pull(call, queue[i], images.at(queue[i]));
      } catch (...) {
        next = queue.size();
        throw;
      }
      call.progress(++done, queue.size(), "images");
    }
  };
  call.progress(0, queue.size(), "images");
  std::vector<std::future<void>> pullers;
  for (std::size_t i = 0; i < std::min(at_once, queue.size()); ++i) {
    pullers.push_back(std::async(std::launch::async, take));
  }
  for (std::future<void>& puller : pullers) puller.wait();
  for (std::future<void>& puller : pullers) puller.get();
}

std::string before_key(const std::string& reference) { return "before/" + reference; }
std::string after_key(const std::string& reference) { return "after/" + reference; }

// What the service runs now: "sample/api:1", or "" when it does not run.
std::string running_image(const std::vector<Container>& existing, const std::string& service) {
  for (const Container& one : existing) {
    if (one.serves() && one.service == service) return one.image;
  }
  return "";
}

}  // namespace

void Pull::observe(Call& call) {
  const auto images = wanted_images(call, drydock::compose::resolved_model(call));
  const auto present = drydock::compose::image_ids(call, references(images));
  for (const auto& [reference, wanted] : images) {
    const auto found = present.find(reference);
    // An image that was pulled stays, as a cache does; a name that had an image gets it back.
    if (found == present.end())
      call.informational_fact("image " + reference, "not on this engine");
    else
      call.fact("image " + reference, found->second);
  }
}

void Pull::plan(Call& call) {
  const Model model = drydock::compose::resolved_model(call);
  const auto images = wanted_images(call, model);
  auto present = drydock::compose::image_ids(call, references(images));
  std::set<std::string> missing = to_pull(call, images, present);
  if (call.may_fetch()) {
    // A cache: no name that exists is moved before the run.
    std::set<std::string> absent;
    for (const std::string& reference : missing) {
      if (present.count(reference) == 0) absent.insert(reference);
    }
    pull_all(call, absent, images);
    for (const std::string& reference : absent) {
      missing.erase(reference);
      present[reference] = "";
    }
    if (call.text("/only") == "all") missing.insert(absent.begin(), absent.end());
  }
  const std::vector<Container> existing = drydock::compose::project_containers(call);
  for (const auto& [service_name, service] : model.services) {
    if (images.count(service.image) == 0) continue;
    const std::string before = running_image(existing, service_name);
    const bool pulls = missing.count(service.image) != 0;
    if (!pulls && before == service.image) continue;
    drydock::Change change{"image", pulls ? "pull" : "change", service_name, before, service.image};
    if (pulls) {
      change.detail = present.count(service.image) == 0
                          ? "its digest is known after pull"
                          : "the tag may name another image, known after pull";
      change.disk_bytes = -1;
    } else {
      change.detail = "on this engine already";
    }
    call.change(change);
  }
}

void Pull::run(Call& call) {
  const auto images = wanted_images(call, drydock::compose::resolved_model(call));
  const auto present = drydock::compose::image_ids(call, references(images));
  const std::set<std::string> missing = to_pull(call, images, present);
  for (const std::string& reference : missing) {
    // A repeated run must not take the first one's new image for the old one.
    if (call.recall(before_key(reference))) continue;
    const auto found = present.find(reference);
    call.remember(before_key(reference), found == present.end() ? "" : found->second);
  }
  pull_all(call, missing, images);
  const auto now =
      missing.empty() ? present : drydock::compose::image_ids(call, references(images));
  for (const auto& [reference, wanted] : images) {
    const auto found = now.find(reference);
    if (found == now.end()) {
      throw Failed("the image " + reference + " of service " + wanted.services +
                   " is not on this engine after it was pulled; is something removing images?");
    }
    call.remember(after_key(reference), found->second);
  }
}

void Pull::verify(Call& call) {
  std::map<std::string, std::string> noted;
  for (const auto& [key, id] : call.notes(after_key(""))) {
    noted[key.substr(after_key("").size())] = id;
  }
  std::set<std::string> names;
  for (const auto& [reference, id] : noted) names.insert(reference);
  const auto present = drydock::compose::image_ids(call, names);
  for (const auto& [reference, id] : noted) {
    const auto found = present.find(reference);
    if (found == present.end()) {
      throw Failed("the image " + reference + " was " + id +
                   " when it was pulled and is gone; is something removing images?");
    }
    if (found->second != id) {
      throw Failed("the image " + reference + " was " + id + " when it was pulled and is " +
                   found->second + " now; is something else pulling or building?");
    }
  }
}

void Pull::rollback(Call& call) {
  const std::string prefix = before_key("");
  for (const auto& [key, id] : call.notes(prefix)) {
    const std::string reference = key.substr(prefix.size());
    if (id.empty() || reference.find('@') != std::string::npos) continue;
    if (drydock::compose::image_id(call, reference) == id) continue;
    if (!drydock::compose::image_id(call, id)) {
      throw Failed("the image " + id + ", which was " + reference +
                   " before, is no longer on this engine; pull or load it and tag it with `docker "
                   "tag " +
                   id + " " + reference + "`");
    }
    drydock::compose::tag_image(call, id, reference);
    call.info(reference + " names " + id.substr(0, 19) + " again");
  }
}
