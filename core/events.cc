#include "events.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>

namespace drydock {
namespace {

std::string utc_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto total = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(total / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[96];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(total % 1000));
  return text;
}

// Foreign bytes that are no UTF-8 become U+FFFD: a line of JSON must stay one.
std::string dump(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string Event::to_json_line() const {
  std::string line =
      "{\"seq\":" + std::to_string(seq) + ",\"time\":" + dump(time) + ",\"type\":" + dump(type);
  if (run != 0) line += ",\"run\":" + std::to_string(run);
  if (!stage.empty()) line += ",\"stage\":" + dump(stage);
  if (!step.empty()) line += ",\"step\":" + dump(step);
  if (!data.is_object() || data.empty()) return line + "}";
  return line + "," + dump(data).substr(1);
}

std::int64_t Event::milliseconds() const {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, thousandth = 0;
  if (std::sscanf(time.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &year, &month, &day, &hour, &minute,
                  &second, &thousandth) != 7) {
    return 0;
  }
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  return static_cast<std::int64_t>(timegm(&parts)) * 1000 + thousandth;
}

void Events::remove(EventSink& sink) { std::erase(sinks_, &sink); }

void Events::emit(const std::string& type, nlohmann::json data, const std::string& stage,
                  const std::string& step) {
  const Event event{++seq_, utc_now(), type, run_, stage, step, masker_.mask(data)};
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
