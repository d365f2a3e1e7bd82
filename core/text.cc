#include "text.h"

#include <algorithm>
#include <array>
#include <sstream>

namespace drydock {
namespace {

// One character at the beginning of a text: its code point and its bytes. Bytes that are no UTF-8
// (overlong forms and surrogates among them) give one byte and no code point.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
  bool valid = false;
};

Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t code = lead & (0xFF >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3F);
  }
  constexpr std::array<char32_t, 5> smallest = {0, 0, 0x80, 0x800, 0x10000};
  if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, length, true};
}

// Characters that move the cursor, change colours, or make a line read otherwise than it is
// (the direction overrides of U+202x and U+206x).
bool deceives(char32_t code) {
  if (code < 0x20) return code != '\t';
  return (code >= 0x7F && code < 0xA0) || (code >= 0x200E && code <= 0x200F) ||
         (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string hexadecimal(char32_t value, std::size_t digits) {
  std::string result;
  for (std::size_t i = digits; i-- > 0;) result += "0123456789abcdef"[(value >> (4 * i)) & 15];
  return result;
}

// Edits (insert, delete, replace, swap of neighbours) that make `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

std::string folded(std::string_view text) {  // case and the kind of dash are slips too
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_') c = '-';
  }
  return result;
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 64;  // nobody slips in more, and the distance is quadratic
  if (name.empty() || name.size() > longest) return std::nullopt;
  const std::string wanted = folded(name);
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > longest) continue;
    const std::size_t distance = edit_distance(wanted, folded(candidate));
    if (distance >= best_distance || distance >= candidate.size()) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto nearest = nearest_name(name, candidates);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

std::string full_stop(std::string sentence) {
  if (sentence.empty() || (sentence.back() != '?' && sentence.back() != '.')) sentence += '.';
  return sentence;
}

std::string make_visible(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character character = first_character(text);
    const auto byte = static_cast<unsigned char>(text.front());
    if (character.valid && !deceives(character.code)) {
      result += text.substr(0, character.bytes);
    } else if (character.valid && character.code == '\n') {
      result += "\\n";
    } else if (character.valid && character.code == '\r') {
      result += "\\r";
    } else if (character.valid && character.code > 0xFF) {
      result += "\\u" + hexadecimal(character.code, 4);
    } else {
      result += "\\x" + hexadecimal(character.valid ? character.code : byte, 2);
    }
    text.remove_prefix(character.bytes);
  }
  return result;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character character = first_character(text);
    if (!character.valid) return false;
    text.remove_prefix(character.bytes);
  }
  return true;
}

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string shorten(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return "";
  std::size_t end = 0;
  for (std::size_t columns = 0; columns < width; ++columns) {  // to the begin of the last column
    if (columns + 1 == width) break;
    end += first_character(text.substr(end)).bytes;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) ++end;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  if (text.empty() || text.size() > 9 || !std::all_of(text.begin(), text.end(), is_digit)) {
    return std::nullopt;
  }
  std::uint64_t number = 0;
  for (const char digit : text) number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  return number;
}

std::string shell_word(const std::string& text) {
  const std::string plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%,=";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  std::string quoted;
  if (std::any_of(text.begin(), text.end(), is_control)) {  // nobody could copy them as they are
    for (const char c : text) {
      const auto octal = [c](int shift) { return static_cast<char>('0' + (c >> shift & 7)); };
      if (is_control(c) || c == '\'' || c == '\\') {
        quoted += {'\\', octal(6), octal(3), octal(0)};
      } else {
        quoted += c;
      }
    }
    return "$'" + quoted + "'";
  }
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return "'" + quoted + "'";
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::string join(const std::vector<std::string>& items, std::string_view separator) {
  std::string result;
  for (const std::string& item : items) {
    if (&item != &items.front()) result += separator;
    result += item;
  }
  return result;
}

std::string first_of(const std::vector<std::string>& items) {
  const std::size_t others = items.size() - 1;
  return items.front() + (others == 0 ? "" : " (and " + std::to_string(others) + " more)");
}

std::vector<std::string> all_but_first_of(const std::vector<std::string>& items) {
  return {items.begin() + 1, items.end()};
}

}  // namespace drydock
