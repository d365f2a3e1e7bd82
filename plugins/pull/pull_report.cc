#include "pull_report.h"

#include "image_reference.h"

namespace drydock::pull {
namespace {

using compose::Image;
using Choices = std::map<std::string, Choice>;

std::string how(const Choice& choice, bool fetched) {
  switch (choice.source) {
    case Source::registry:
      if (fetched) return "on this engine since this plan: " + short_id(choice.id);
      if (choice.before.empty()) return "its digest is known after pull";
      return "the tag may name another image, known after pull";
    case Source::digest:
      return "exactly " + choice.digest;
    case Source::archive:
      return "from the archive " + choice.archive;
    case Source::running:
      return choice.before.empty() ? "the tag is gone; given back to what runs"
                                   : "the tag was moved; given back to what runs";
    default:
      return "on this engine already";
  }
}

}  // namespace

std::string short_id(const std::string& id) { return id.substr(0, 19); }

ServiceImages images_of_services(const Look& look, const std::map<std::string, Image>& after) {
  ServiceImages result;
  for (const auto& [reference, image] : after) {
    for (const std::string& service : look.question.wanted.at(reference).services) {
      result[service] = {reference, image.id, image.digest(repository_of(reference))};
    }
  }
  return result;
}

void hand_on(const Call& call, const ServiceImages& before, const ServiceImages& after) {
  for (const auto& [service, now] : after) {
    const auto was = before.find(service);
    if (was == before.end() || was->second.id == now.id) continue;
    call.info(service + ": " + was->second.reference + " (" + short_id(was->second.id) + ") -> " +
              now.reference + " (" + short_id(now.id) + ")");
  }
  call.output("digests", digests_json(after), DRYDOCK_OUTPUT_PROMOTE);
  call.output("images", images_json(before, after));
}

void report(const Call& call, const Look& look, const Choices& choices,
            const std::set<std::string>& fetched) {
  const ServiceImages before = images_before(look.containers, look.question.present);
  for (const auto& [service_name, service] : look.model.services) {
    const auto found = choices.find(service.image);
    if (found == choices.end()) continue;
    const Choice& choice = found->second;
    const auto was = before.find(service_name);
    const std::string old = was == before.end() ? "" : was->second.reference;
    if (!choice.moves() && old == service.image) continue;
    const bool is_fetched = fetched.count(service.image) != 0;
    const bool brings = choice.moves() && choice.source != Source::running && !is_fetched;
    const char* action = brings ? "pull" : old.empty() ? "add" : "change";
    drydock::Change change{"image", action, service_name, old, service.image};
    change.detail = how(choice, is_fetched && choice.source == Source::registry);
    if (choice.source == Source::running) {
      change.detail = service.image + ": " + change.detail;
      change.before = short_id(choice.before);
      change.after = short_id(choice.id);
    }
    if (choice.source == Source::nowhere)
      change.detail = "not on this engine, and left out by `only`";
    if (brings) change.disk_bytes = -1;
    call.change(change);
  }
}

void warn(const Call& call, const Look& look, const Choices& choices) {
  for (const std::string& reference : ambiguous(look.question)) {
    call.warn("the containers of " + look.question.wanted.at(reference).names() +
              " run several images that were all named " + reference +
              "; it is left to mean what it means now");
  }
  for (const auto& [reference, choice] : choices) {
    if (choice.source != Source::nowhere) continue;
    call.warn("the image " + reference + " of service " +
              look.question.wanted.at(reference).names() +
              " is not on this engine, and `only` leaves it out; whatever starts that service "
              "will pull it while it is down");
  }
}

}  // namespace drydock::pull
