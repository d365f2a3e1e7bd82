#include "events.h"

#include <algorithm>
#include <exception>

#include "json_text.h"
#include "utc_time.h"

namespace drydock {
std::string Event::to_json_line() const {
  std::string line = "{\"seq\":" + std::to_string(seq) + ",\"time\":" + compact(time) +
                     ",\"type\":" + compact(type);
  if (run != 0) line += ",\"run\":" + std::to_string(run);
  if (!stage.empty()) line += ",\"stage\":" + compact(stage);
  if (!step.empty()) line += ",\"step\":" + compact(step);
  if (!data.is_object() || data.empty()) return line + "}";
  return line + "," + compact(data).substr(1);
}

std::optional<Event> Event::from_json_line(const std::string& line) {
  try {
    nlohmann::json json = nlohmann::json::parse(line);
    Event event;
    event.seq = json.at("seq").get<std::uint64_t>();
    event.time = json.at("time").get<std::string>();
    event.type = json.at("type").get<std::string>();
    event.run = json.value("run", std::uint64_t{0});
    event.stage = json.value("stage", "");
    event.step = json.value("step", "");
    for (const char* name : {"seq", "time", "type", "run", "stage", "step"}) json.erase(name);
    event.data = std::move(json);
    return event;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

std::int64_t Event::milliseconds() const { return utc_milliseconds(time); }

void Events::remove(EventSink& sink) { std::erase(sinks_, &sink); }

void Events::emit(const std::string& type, nlohmann::json data, const std::string& stage,
                  const std::string& step) {
  const Event event{++seq_, utc_now(), type, run_, stage, step, masker_.mask(std::move(data))};
  std::vector<std::string> losses;
  for (std::size_t i = 0; i < sinks_.size();) {
    try {
      sinks_[i]->event(event);
      ++i;
    } catch (const std::exception& e) {
      sinks_.erase(sinks_.begin() + static_cast<std::ptrdiff_t>(i));
      losses.emplace_back(e.what());
    }
  }
  // Ends: each round has one sink less.
  for (const std::string& loss : losses) emit("warning", {{"text", loss + "; the run goes on"}});
}

void Events::idle() {
  // A sink that fails here fails at its next event as well, and is dropped there.
  for (EventSink* sink : sinks_) {
    try {
      sink->idle();
    } catch (const std::exception&) {
    }
  }
}

}  // namespace drydock
