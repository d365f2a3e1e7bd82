// How text for people is laid out: what every view shares. Lines come without their ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "view.h"

namespace drydock {

using Lines = std::vector<std::string>;

inline const std::string indent = "  ";  // of what belongs to the line above

// Colours and signs that the terminal can show.
struct Ink {
  explicit Ink(const ViewStyle& style);

  std::string bold(const std::string& text) const { return paint("1", text); }
  std::string dim(const std::string& text) const { return paint("2", text); }
  std::string red(const std::string& text) const { return paint("31", text); }
  std::string green(const std::string& text) const { return paint("32", text); }
  std::string yellow(const std::string& text) const { return paint("33", text); }

  std::string good, bad, arrow, full, rest, ellipsis;
  std::vector<std::string> spinner;

 private:
  std::string paint(const char* code, const std::string& text) const;
  bool color_;
};

// Foreign text on one line: line ends and tabs become blanks, control characters are made visible.
std::string one_line(std::string_view text);

// Words on lines of at most `width` columns; a word is never cut, so that paths and commands can be
// copied. The first line begins with `first`, the others with `next`. Line ends in the text stay.
// Control characters are made visible.
Lines wrap(std::string_view text, int width, const std::string& first, const std::string& next);

// With blanks up to `width` columns.
std::string pad(const std::string& text, std::size_t width);

// Members of an event's data; a member that is absent or of another type is the fallback.
std::string text_at(const nlohmann::json& data, const char* key);
std::int64_t number_at(const nlohmann::json& data, const char* key, std::int64_t fallback = 0);
bool flag_at(const nlohmann::json& data, const char* key);
std::vector<std::string> texts_at(const nlohmann::json& data, const char* key);
const nlohmann::json& list_at(const nlohmann::json& data, const char* key);  // [] when absent
// Any JSON value as a person would write it.
std::string plain_text(const nlohmann::json& value);

// "sample (drydock.yaml) for /srv/sample", of an event that names all three.
std::string pipeline_text(const nlohmann::json& data);
// " goes on with stage 'migrate'" of a run that was resumed; "" of another.
std::string goes_on_text(const nlohmann::json& data);
// A path below `dir`, as a person there would name it; another one stays as it is.
std::string below(const std::string& dir, const std::string& path);
std::string duration_at(const nlohmann::json& data, const char* key);  // "12 s"
std::string count_of(std::int64_t count, const char* thing);           // "1 stage", "3 stages"
// "failed, attempt 2 of 4 in 20 s: the reason of the failure", of a stage.retry event.
std::string retry_text(const nlohmann::json& data);
// "12/40 MB", "3 files", of a progress event.
std::string progress_text(const nlohmann::json& data);

}  // namespace drydock
