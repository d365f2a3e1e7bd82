#include "compose_stops.h"

#include <sstream>

#include "compose_engine.h"

namespace drydock::compose {
namespace {

constexpr auto stopping_note = "stopping";

}  // namespace

void stop_noted(const Call& call, const std::vector<std::string>& ids,
                std::optional<std::chrono::milliseconds> grace) {
  // A repeated run may find that the engine has ended what was cut off.
  if (ids.empty() && call.recall(stopping_note).value_or("").empty()) return;
  std::string lines;
  for (const std::string& id : ids) lines += id + '\n';
  call.remember(stopping_note, lines);
  stop_containers(call, ids, grace);
  call.remember(stopping_note, "");
}

void end_cut_off_stops(const Call& call, std::vector<std::string> also) {
  const std::string noted = call.recall(stopping_note).value_or("");
  std::istringstream lines(noted);
  for (std::string id; std::getline(lines, id);) also.push_back(id);
  std::vector<std::string> running;
  std::string names;
  for (const Container& one : inspect(call, also)) {
    if (!one.runs()) continue;
    running.push_back(one.id);
    names += (names.empty() ? "" : ", ") + one.name;
  }
  if (!running.empty()) {
    call.info("the run was cut off while containers were being stopped; waiting until they are: " +
              names);
    stop_containers(call, running);
  }
  if (!noted.empty()) call.remember(stopping_note, "");
}

}  // namespace drydock::compose
