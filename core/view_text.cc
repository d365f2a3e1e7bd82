#include "view_text.h"

#include <algorithm>

#include "json_text.h"
#include "text.h"

namespace drydock {

Ink::Ink(const ViewStyle& style) : color_(style.color) {
  if (style.utf8) {
    good = "✓", bad = "✗", arrow = "→", full = "━", rest = "─", ellipsis = "…";
    spinner = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
  } else {
    good = "+", bad = "x", arrow = "->", full = "=", rest = "-", ellipsis = "...";
    spinner = {"|", "/", "-", "\\"};
  }
}

std::string Ink::paint(const char* code, const std::string& text) const {
  if (!color_ || text.empty()) return text;
  return std::string("\x1b[") + code + "m" + text + "\x1b[0m";
}

std::string one_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  std::string result(text);
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return make_visible(result);
}

Lines wrap(std::string_view text, int width, const std::string& first, const std::string& next) {
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  Lines lines;
  std::string line = first;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string paragraph = one_line(text.substr(begin, end - begin));
    bool fresh = true;  // no word on this line yet
    for (std::size_t at = 0; at < paragraph.size();) {
      const std::size_t word_begin = paragraph.find_first_not_of(' ', at);
      if (word_begin == std::string::npos) break;
      const std::size_t word_end = std::min(paragraph.find(' ', word_begin), paragraph.size());
      const std::string word = paragraph.substr(word_begin, word_end - word_begin);
      if (!fresh && display_width(line) + 1 + display_width(word) > static_cast<unsigned>(width)) {
        lines.push_back(line);
        line = next;
        fresh = true;
      }
      // Within a line the blanks stay, so that what is aligned stays aligned.
      if (!fresh) line.append(word_begin - at, ' ');
      line += word;
      fresh = false;
      at = word_end;
    }
    lines.push_back(line);
    line = next;
    begin = end + 1;
  }
  return lines;
}

std::string pad(const std::string& text, std::size_t width) {
  const std::size_t now = display_width(text);
  return now < width ? text + std::string(width - now, ' ') : text;
}

std::string text_at(const nlohmann::json& data, const char* key) {
  const auto found = data.find(key);
  return found != data.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t number_at(const nlohmann::json& data, const char* key, std::int64_t fallback) {
  const auto found = data.find(key);
  return found != data.end() && found->is_number() ? found->get<std::int64_t>() : fallback;
}

bool flag_at(const nlohmann::json& data, const char* key) {
  const auto found = data.find(key);
  return found != data.end() && found->is_boolean() && found->get<bool>();
}

const nlohmann::json& list_at(const nlohmann::json& data, const char* key) {
  static const nlohmann::json none = nlohmann::json::array();
  const auto found = data.find(key);
  return found != data.end() && found->is_array() ? *found : none;
}

std::vector<std::string> texts_at(const nlohmann::json& data, const char* key) {
  std::vector<std::string> texts;
  for (const nlohmann::json& item : list_at(data, key)) texts.push_back(plain_text(item));
  return texts;
}

std::string plain_text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  return compact(value);
}

std::string pipeline_text(const nlohmann::json& data) {
  const std::string dir = text_at(data, "deployment");
  const std::string file = below(dir, text_at(data, "pipeline_file"));
  return text_at(data, "pipeline") + (file.empty() ? "" : " (" + file + ")") + " for " + dir;
}

std::string goes_on_text(const nlohmann::json& data) {
  const std::string stage = text_at(data, "goes_on_with");
  return stage.empty() ? "" : " goes on with stage '" + stage + "'";
}

std::string below(const std::string& dir, const std::string& path) {
  return path.rfind(dir + "/", 0) == 0 ? path.substr(dir.size() + 1) : path;
}

std::string duration_at(const nlohmann::json& data, const char* key) {
  return format_duration(std::chrono::milliseconds(number_at(data, key)));
}

std::string count_of(std::int64_t count, const char* thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string retry_text(const nlohmann::json& data) {
  return "failed, attempt " + std::to_string(number_at(data, "attempt")) + " of " +
         std::to_string(number_at(data, "times") + 1) + " in " + duration_at(data, "delay_ms") +
         ": " + text_at(data, "reason");
}

std::string progress_text(const nlohmann::json& data) {
  const std::int64_t done = number_at(data, "done"), total = number_at(data, "total");
  const std::string unit = one_line(text_at(data, "unit"));
  if (unit != "bytes") {
    return std::to_string(done) + (total > 0 ? "/" + std::to_string(total) : "") +
           (unit.empty() ? "" : " " + unit);
  }
  const std::string size = format_size(done);
  if (total <= 0) return size;
  const std::string whole = format_size(total);
  // "12/40 MB", not "12 MB/40 MB".
  const std::size_t blank = size.find(' ');
  const bool same_unit = blank != std::string::npos && whole.find(' ') != std::string::npos &&
                         size.substr(blank) == whole.substr(whole.find(' '));
  return (same_unit ? size.substr(0, blank) : size) + "/" + whole;
}

}  // namespace drydock
