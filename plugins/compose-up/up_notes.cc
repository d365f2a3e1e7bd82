#include "up_notes.h"

#include <iterator>
#include <sstream>

#include "compose_before.h"
#include "compose_json.h"

namespace drydock::compose {
namespace {

constexpr auto at_work_note = "compose up";
constexpr auto drained_note = "drained";
constexpr auto at_work = "at work", ended = "ended";

std::string lines_of(const Names& names) {
  std::string result;
  for (const std::string& name : names) result += (result.empty() ? "" : " ") + name;
  return result;
}

}  // namespace

Noted remember_once(const Call& call, const std::vector<Container>& existing, const Names& scope) {
  if (auto noted = noted_by_run(call)) return *noted;
  Noted noted{existing, from_before_the_run(call, existing), scope};
  call.remember("scope", lines_of(scope));
  call.remember("before", to_note(noted.before));
  call.remember("present", to_note(existing));
  return noted;
}

std::optional<Noted> noted_by_run(const Call& call) {
  const auto present = call.recall("present");
  if (!present) return std::nullopt;
  Noted result{from_note(*present), from_note(call.recall("before").value_or("[]")), {}};
  std::istringstream names(call.recall("scope").value_or(""));
  for (std::string name; names >> name;) result.scope.insert(name);
  return result;
}

void note_at_work(const Call& call) { call.remember(at_work_note, at_work); }

void note_ended(const Call& call) { call.remember(at_work_note, ended); }

std::vector<std::string> possibly_stopping(const Call& call, const Noted& noted) {
  std::vector<std::string> ids;
  if (call.recall(at_work_note) != at_work) return ids;
  for (const Container& one : noted.present) {
    if (one.runs() && one.serves() && noted.scope.count(one.service) != 0) ids.push_back(one.id);
  }
  return ids;
}

void note_drained(const Call& call, const std::string& id) {
  call.remember(drained_note, call.recall(drained_note).value_or("") + id + '\n');
}

Names drained(const Call& call) {
  std::istringstream ids(call.recall(drained_note).value_or(""));
  return {std::istream_iterator<std::string>(ids), {}};
}

std::vector<Container> started_since(const Noted& noted, const std::vector<Container>& existing) {
  std::vector<Container> result;
  for (const Container& one : existing) {
    if (!one.serves() || noted.scope.count(one.service) == 0) continue;
    const Container* before = find_id(noted.present, one.id);
    if (before == nullptr || !before->runs()) result.push_back(one);
  }
  return result;
}

}  // namespace drydock::compose
