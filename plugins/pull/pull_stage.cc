#include "pull_stage.h"

#include <sstream>

#include "compose_engine.h"
#include "first_failure.h"
#include "image_archive.h"
#include "image_reference.h"
#include "kept_images.h"
#include "pull_look.h"
#include "pull_report.h"
#include "puller.h"

namespace {

using namespace drydock::pull;
using drydock::Call;
using drydock::can_be_moved;
using drydock::Failed;
using drydock::FirstFailure;
using drydock::repository_of;
using drydock::compose::Container;
using drydock::compose::Image;

using Choices = std::map<std::string, Choice>;
using Ids = std::map<std::string, std::string>;  // reference -> id; "": none

// What a run notes: the images that names meant before it moved them; those of them that an archive
// moves along with what is wanted; what the names meant when it was done; which images are kept.
constexpr auto before_note = "before", along_note = "moved along", after_note = "after",
               kept_note = "kept";

std::string to_lines(const Ids& ids) {
  std::string text;
  for (const auto& [reference, id] : ids) text += reference + ' ' + (id.empty() ? "-" : id) + '\n';
  return text;
}
Ids noted(const Call& call, const char* note) {
  std::istringstream words(call.recall(note).value_or(""));
  Ids result;
  for (std::string reference, id; words >> reference >> id;) {
    result[reference] = id == "-" ? "" : id;
  }
  return result;
}
std::set<std::string> ids_of(const Ids& ids) {
  std::set<std::string> result;
  for (const auto& [reference, id] : ids) {
    if (!id.empty()) result.insert(id);
  }
  return result;
}

// --- bringing ------------------------------------------------------------------------------------

std::vector<Order> orders_for(const Look& look, const Choices& choices,
                              const std::set<std::string>& references) {
  std::vector<Order> result;
  for (const std::string& reference : references) {
    const Choice& choice = choices.at(reference);
    const Wanted& wanted = look.question.wanted.at(reference);
    const std::string name = choice.source == Source::digest
                                 ? repository_of(reference) + "@" + choice.digest
                                 : reference;
    result.push_back({name, wanted.platform, name + " of service " + wanted.names()});
  }
  return result;
}

// What a registry is to be asked for. in_plan: only what moves no name that exists, a cache.
std::set<std::string> asked_of_registries(const Choices& choices, bool in_plan) {
  std::set<std::string> result;
  for (const auto& [reference, choice] : choices) {
    const bool by_name = choice.source == Source::registry && (!in_plan || choice.before.empty());
    const bool by_digest = choice.source == Source::digest && choice.id.empty();
    if (by_name || by_digest) result.insert(reference);
  }
  return result;
}

std::set<std::string> archives_of(const Choices& choices) {
  std::set<std::string> files;
  for (const auto& [reference, choice] : choices) {
    if (choice.source == Source::archive) files.insert(choice.archive);
  }
  return files;
}

// The names that are moved on purpose, as the engine lists them, and what they mean now.
Ids names_to_move(const Choices& choices) {
  Ids result;
  for (const auto& [reference, choice] : choices) {
    if (choice.moves() && can_be_moved(reference)) {
      result[drydock::listed_name(reference)] = choice.before;
    }
  }
  return result;
}

// Loading an archive moves all the names that it has: these, which nobody asked for.
Ids names_moved_along(const Call& call, const Look& look, const Choices& choices) {
  const Ids on_purpose = names_to_move(choices);
  const std::set<std::string> files = archives_of(choices);
  std::set<std::string> along;
  for (const auto& [name, archived] : look.question.archives) {
    if (files.count(archived.file) != 0 && on_purpose.count(name) == 0) along.insert(name);
  }
  return drydock::compose::image_ids(call, along);
}

void remember_before(const Call& call, const char* note, const Ids& moving) {
  Ids all = noted(call, note);
  const std::size_t known = all.size();
  for (const auto& [name, id] : moving) {
    all.emplace(name, id);  // a repeated run must not take the first one's new image for the old
  }
  if (all.size() != known) call.remember(note, to_lines(all));
}

// Throws Failed for an image that is gone.
void give_back(const Call& call, const Ids& present, const std::string& reference,
               const std::string& id) {
  const auto now = present.find(reference);
  if (now != present.end() && now->second == id) return;
  if (present.count(id) == 0) {
    throw Failed("the image " + id + ", which was " + reference +
                 " before, is no longer on this engine; pull or load it and tag it with `docker "
                 "tag " +
                 id + " " + reference + "`");
  }
  drydock::compose::tag_image(call, id, reference);
  call.info(reference + " names " + short_id(id) + " again");
}

// Gives these names what they meant. One image that is gone does not keep the others' names; the
// first failure is thrown at the end.
void give_back(const Call& call, const Ids& before) {
  std::set<std::string> names = ids_of(before);
  for (const auto& [reference, id] : before) names.insert(reference);
  const Ids present = drydock::compose::image_ids(call, names);
  FirstFailure failure(call);
  for (const auto& one : before) {
    if (one.second.empty()) continue;  // an image that was pulled stays, as a cache does
    failure.attempt([&] { give_back(call, present, one.first, one.second); });
  }
  failure.rethrow();
}

// Whatever brings images is over when this returns, and all of it is proven; no name that exists
// was moved for the sake of `digests`.
void bring(const Call& call, Look& look, const Choices& choices) {
  std::set<std::string> brought = asked_of_registries(choices, false);
  pull_all(call, orders_for(look, choices, brought));
  const Ids along = names_moved_along(call, look, choices);
  remember_before(call, before_note, along);
  remember_before(call, along_note, along);
  for (const std::string& file : archives_of(choices)) load_archive(call, file);
  give_back(call, noted(call, along_note));
  for (const auto& [reference, choice] : choices) {
    if (choice.source == Source::archive || choice.source == Source::digest) {
      brought.insert(reference);
    }
  }
  if (brought.empty()) return;
  look_again(call, look, ids_of(noted(call, before_note)));
  prove(call, look, choices, brought);
}

// reference -> the image that it is to name from now on.
std::map<std::string, Image> images_after(const Look& look, const Choices& choices) {
  const auto& present = look.question.present;
  std::map<std::string, Image> result;
  for (const auto& [reference, choice] : choices) {
    std::string name = reference;
    if (choice.source == Source::running) name = choice.id;
    if (choice.source == Source::digest) {
      name = repository_of(reference) + "@" + choice.digest;
      if (present.count(name) == 0) name = choice.digest;
    }
    const auto found = present.find(name);
    if (found != present.end()) result[reference] = found->second;
  }
  return result;
}

// What ran, or had a name that is moved, and is not what any name means from now on.
std::vector<KeptImage> images_to_keep(const Call& call, const Look& look,
                                      const std::map<std::string, Image>& after) {
  std::map<std::string, std::string> old;  // id -> repository
  for (const auto& [reference, id] : noted(call, before_note)) {
    if (!id.empty()) old[id] = repository_of(reference);
  }
  for (const Container& one : look.containers) {
    if (one.serves()) old[one.image_id] = repository_of(one.image);
  }
  for (const auto& [reference, image] : after) old.erase(image.id);
  std::vector<KeptImage> result;
  for (const auto& [id, repository] : old) {
    const auto found = look.question.present.find(id);
    if (found == look.question.present.end()) continue;
    result.push_back({id, keep_tag(call, result.size()), found->second.pullable(repository)});
  }
  return result;
}

void keep_old(const Call& call, const std::vector<KeptImage>& images) {
  const std::string lines = drydock::pull::to_lines(images);
  if (call.recall(kept_note).value_or("") != lines) call.remember(kept_note, lines);
  keep(call, images);  // also where it is noted: the run may have died before it was done
}

Ids known_ids(const Choices& choices) {
  Ids result;
  for (const auto& [reference, choice] : choices) result[reference] = choice.id;
  return result;
}

}  // namespace

void Pull::observe(Call& call) {
  const auto model = drydock::compose::resolved_model(call);
  const auto containers = drydock::compose::project_containers(call);
  std::set<std::string> names;
  for (const auto& [reference, wanted] : wanted_images(model)) names.insert(reference);
  const std::set<std::string> references = names;
  for (const Container& one : containers) {
    if (one.serves()) names.insert(one.image_id);
  }
  const auto present = drydock::compose::images(call, names);
  for (const std::string& reference : references) {
    const auto found = present.find(reference);
    // An image that was pulled stays, as a cache does; a name that had an image gets it back.
    if (found == present.end())
      call.informational_fact("image " + reference, "not on this engine");
    else
      call.fact("image " + reference, found->second.id);
  }
  for (const auto& [service, image] : images_before(containers, present)) {
    call.informational_fact("service " + service + " image",
                            image.reference + " " + image.id + " " + image.digest);
  }
}

void Pull::plan(Call& call) {
  Look now = look(call);
  Choices choices = choose_images(now.question);
  warn(call, now, choices);
  std::set<std::string> fetched;
  if (call.may_fetch()) fetched = asked_of_registries(choices, true);
  if (!fetched.empty()) {
    pull_all(call, orders_for(now, choices, fetched));
    look_again(call, now);
    prove(call, now, choices, fetched);
    for (const auto& [reference, image] : images_after(now, choices)) {
      if (fetched.count(reference) != 0) choices[reference].id = image.id;
    }
  }
  report(call, now, choices, fetched);
  drydock::compose::plan_images(call, known_ids(choices));
}

void Pull::run(Call& call) {
  Look now = look(call, ids_of(noted(call, before_note)));
  const ServiceImages before = images_before(now.containers, now.question.present);
  const Choices choices = choose_images(now.question);
  remember_before(call, before_note, names_to_move(choices));
  bring(call, now, choices);

  const std::map<std::string, Image> after = images_after(now, choices);
  keep_old(call, images_to_keep(call, now, after));
  Ids ids;
  for (const auto& [reference, image] : after) {
    const Choice& choice = choices.at(reference);
    if (choice.source == Source::running || choice.source == Source::digest) {
      drydock::compose::tag_image(call, image.id, reference);
      call.info(reference + " names " + short_id(image.id) + " now");
    }
    ids[reference] = image.id;
  }
  call.remember(after_note, to_lines(ids));
  drydock::compose::fix_images(call, ids);
  hand_on(call, before, images_of_services(now, after));
}

void Pull::verify(Call& call) {
  const Ids after = noted(call, after_note);
  std::set<std::string> names;
  for (const auto& [reference, id] : after) names.insert(reference);
  const Ids present = drydock::compose::image_ids(call, names);
  for (const auto& [reference, id] : after) {
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
  FirstFailure failure(call);
  failure.attempt([&] { drydock::compose::release_images(call); });
  failure.attempt([&] { fetch_again(call, from_lines(call.recall(kept_note).value_or(""))); });
  failure.attempt([&] { give_back(call, noted(call, before_note)); });
  failure.rethrow();
}
