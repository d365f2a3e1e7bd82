#include "image_choice.h"

#include <algorithm>

#include "image_reference.h"

namespace drydock::pull {
namespace {

using compose::Image;

const Image* find(const std::map<std::string, Image>& images, const std::string& name) {
  const auto found = images.find(name);
  return found == images.end() ? nullptr : &found->second;
}

// The one image that all containers of the reference run, as long as the engine still has it.
std::string runs_as(const Question& question, const std::string& reference) {
  const auto found = question.running.find(reference);
  if (found == question.running.end() || found->second.size() != 1) return "";
  const std::string& id = *found->second.begin();
  return find(question.present, id) == nullptr ? "" : id;
}

bool is_chosen(const Question& question, const Wanted& wanted) {
  return question.services.empty() ||
         std::any_of(wanted.services.begin(), wanted.services.end(),
                     [&](const std::string& name) { return question.services.count(name) != 0; });
}

Choice exactly(const Question& question, const std::string& reference, const Image* now,
               const std::string& digest) {
  Choice choice;
  choice.digest = digest;
  if (now != nullptr && now->is(digest)) {
    choice.id = now->id;
    return choice;
  }
  choice.source = Source::digest;
  for (const std::string& name : {repository_of(reference) + "@" + digest, digest}) {
    if (const Image* known = find(question.present, name)) choice.id = known->id;
  }
  return choice;
}

Choice out_of_archive(const Question& question, const std::string& reference, const Wanted& wanted,
                      const Image* now) {
  Choice choice;
  const auto found = question.archives.find(listed_name(reference));
  if (found == question.archives.end()) {
    if (now == nullptr) {
      throw BadOptions("pull: none of the archives of `load` has the image " + reference +
                       " of service " + wanted.names() +
                       ", and it is not on this engine; add an archive with it (docker save " +
                       reference + ")");
    }
    choice.id = now->id;
    return choice;
  }
  choice.id = found->second.id;
  if (now != nullptr && !choice.id.empty() && now->id == choice.id) return choice;
  choice.source = Source::archive;
  choice.archive = found->second.file;
  return choice;
}

Choice choose(const Question& question, const std::string& reference, const Wanted& wanted) {
  const Image* now = find(question.present, reference);
  if (const auto digest = question.digests.find(reference); digest != question.digests.end()) {
    return exactly(question, reference, now, digest->second);
  }
  const bool chosen = is_chosen(question, wanted);
  const bool listed = chosen && !question.services.empty();
  const bool is_new = question.old.count(reference) == 0;
  // A name that has a digest always means the same image, and cannot be given to another.
  const bool movable = can_be_moved(reference);
  const std::string running = is_new || !movable ? "" : runs_as(question, reference);
  const bool settled = now != nullptr && !movable;
  const bool asked = chosen && !settled &&
                     (question.all || listed || (now == nullptr && running.empty()) ||
                      (is_new && (question.changed || question.from_archives)));
  if (asked && question.from_archives) return out_of_archive(question, reference, wanted, now);

  Choice choice;
  if (asked) {
    choice.source = Source::registry;
  } else if (!running.empty() && (now == nullptr || now->id != running)) {
    choice.source = Source::running;
    choice.id = running;
  } else if (now != nullptr) {
    choice.id = now->id;
  } else {
    choice.source = Source::nowhere;
  }
  return choice;
}

}  // namespace

std::string Wanted::names() const {
  std::string result;
  for (const std::string& name : services) result += (result.empty() ? "" : ", ") + name;
  return result;
}

std::map<std::string, Wanted> wanted_images(const compose::Model& model) {
  std::map<std::string, Wanted> result;
  for (const auto& [name, service] : model.services) {
    if (service.image.empty() || service.built || service.never_pulled) continue;
    Wanted& wanted = result[service.image];
    wanted.platform = service.platform;
    wanted.services.insert(name);
  }
  return result;
}

std::set<std::string> old_references(const std::vector<compose::Container>& containers,
                                     const compose::Model& before) {
  const auto existing = compose::by_service(containers);
  std::set<std::string> result;
  for (const auto& [service, its] : existing) {
    for (const compose::Container& one : its) result.insert(one.image);
  }
  for (const auto& [name, service] : before.services) {
    if (existing.count(name) == 0) result.insert(service.image);
  }
  return result;
}

Running running_images(const std::vector<compose::Container>& containers) {
  Running result;
  for (const compose::Container& one : containers) {
    if (one.serves() && !one.image_id.empty()) result[one.image].insert(one.image_id);
  }
  return result;
}

std::map<std::string, Choice> choose_images(const Question& question) {
  std::map<std::string, Choice> result;
  for (const auto& [reference, wanted] : question.wanted) {
    Choice choice = choose(question, reference, wanted);
    if (const Image* now = find(question.present, reference)) choice.before = now->id;
    result[reference] = std::move(choice);
  }
  return result;
}

std::set<std::string> ambiguous(const Question& question) {
  std::set<std::string> result;
  for (const auto& [reference, ids] : question.running) {
    if (ids.size() > 1 && question.wanted.count(reference) != 0) result.insert(reference);
  }
  return result;
}

bool runs_on(const std::string& image, const std::string& engine) {
  const std::pair<const char*, const char*> compatible[] = {{"linux/386", "linux/amd64"},
                                                            {"linux/arm", "linux/arm64"}};
  // An image that was imported may say nothing of itself.
  if (image == engine || image.empty() || image.back() == '/') return true;
  return std::any_of(std::begin(compatible), std::end(compatible), [&](const auto& pair) {
    return image == pair.first && engine == pair.second;
  });
}

}  // namespace drydock::pull
