#include "rollout_drift.h"

#include "rollout_answer.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

// A run that has changed nothing for good.
bool was_put_back(const std::string& state) {
  return state == "rolled_back" || state == "cancelled" || state == "rehearsed";
}

std::string image_drift(const json& known, const json& found) {
  std::vector<std::string> parts;
  for (const auto& [service, image] : known.items()) {
    if (!found.contains(service)) {
      parts.push_back(service + " has no container any more");
    } else if (found[service] != image) {
      parts.push_back(service + " runs " + plain_text(found[service]) + " instead of " +
                      plain_text(image));
    }
  }
  for (const auto& [service, image] : found.items()) {
    if (!known.contains(service)) parts.push_back(service + " is new");
  }
  return join(parts, ", ");
}

}  // namespace

json images_in(const json& services) {
  json images = json::object();
  if (!services.is_array()) return images;
  for (const json& each : services) images[text_at(each, "service")] = text_at(each, "image");
  return images;
}

std::string version_in(const json& vars) {
  return vars.is_object() && vars.contains("to") && !vars["to"].is_null() ? plain_text(vars["to"])
                                                                          : "";
}

std::optional<FoundEnvironment> read_status(const std::string& document) {
  const json said = answer_in(document);
  if (!said.is_object() || !said.contains("last_run")) return std::nullopt;
  FoundEnvironment found;
  if (const json& last = said["last_run"]; last.is_object()) {
    found.run = static_cast<std::uint64_t>(number_at(last, "run"));
    found.key = text_at(last, "key");
    found.state = text_at(last, "state");
    found.pipeline = text_at(last, "pipeline");
    found.finished = text_at(last, "finished");
    if (last.contains("vars")) found.version = version_in(last["vars"]);
  }
  for (const char* key : {"interrupted", "half_done"}) {
    if (found.waits.empty()) found.waits = text_at(said, key);
  }
  if (said.contains("services") && said["services"].is_array()) {
    found.images = images_in(said["services"]);
  }
  return found;
}

std::string drift_of(const KnownEnvironment& known, const FoundEnvironment& found) {
  const std::string left =
      "the rollout '" + known.rollout + "' left it at run " + std::to_string(known.run);
  const std::string run = "run " + std::to_string(found.run);
  if (found.run < known.run) {
    return left + ", and " + (found.run == 0 ? "no run" : "only " + run) + " is known there";
  }
  if (found.run == known.run && was_put_back(found.state)) {
    return left + ", which was rolled back since";
  }
  if (found.run > known.run && !was_put_back(found.state)) {
    return left + ", and " + run + (found.pipeline.empty() ? "" : " of " + found.pipeline) +
           " came after it";
  }
  if (known.images.empty() || !found.images) return "";
  const std::string images = image_drift(known.images, *found.images);
  return images.empty() ? "" : left + ", and since then " + images;
}

std::string drift_refusal(const std::string& drift) {
  return "it has drifted: " + drift +
         "; look at it, then begin the rollout with `drift: include`, or leave it out with "
         "`drift: skip`";
}

}  // namespace drydock
