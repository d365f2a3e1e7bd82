// Durations and sizes, as people write them and as they are shown to people.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "text.h"

namespace drydock {
namespace {

using std::chrono::milliseconds;

// Digits at the front of the text, taken from it. nullopt: none, or more than fits.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  std::size_t digits = 0;
  for (; digits < text.size() && is_digit(text[digits]); ++digits) {
    if (number > (std::numeric_limits<std::int64_t>::max() - 9) / 10) return std::nullopt;
    number = number * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

struct Unit {
  std::string_view name;
  std::int64_t value;
};

std::string one_decimal(double value) {
  const auto tenths = static_cast<std::int64_t>(std::llround(value * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string two_digits(std::int64_t value) {
  return (value < 10 ? "0" : "") + std::to_string(value);
}

}  // namespace

std::optional<milliseconds> parse_duration(std::string_view text) {
  // In the order in which they may follow one another, each at most once.
  constexpr std::array<Unit, 5> units = {
      Unit{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
  constexpr std::int64_t longest = 36'500 * units[0].value;  // a century: no sum overflows
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  do {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    std::size_t letters = 0;
    while (letters < text.size() && !is_digit(text[letters])) ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next_unit < units.size() && units[next_unit].name != name) ++next_unit;
    if (next_unit == units.size() || *number > longest / units[next_unit].value) {
      return std::nullopt;
    }
    total += *number * units[next_unit++].value;
    text.remove_prefix(letters);
  } while (!text.empty());
  return total > longest ? std::nullopt : std::optional(milliseconds(total));
}

std::string format_duration(milliseconds duration) {
  const std::int64_t count = duration.count();
  if (count < 0) return "-" + format_duration(-duration);
  if (count < 9'950) return one_decimal(static_cast<double>(count) / 1000) + " s";
  const std::int64_t seconds = (count + 500) / 1000;
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + " min " + two_digits(seconds % 60) + " s";
  }
  return std::to_string(seconds / 3600) + " h " + two_digits(seconds % 3600 / 60) + " min";
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  constexpr std::array<Unit, 14> units = {Unit{"", 1},
                                          {"b", 1},
                                          {"k", 1'000},
                                          {"kb", 1'000},
                                          {"m", 1'000'000},
                                          {"mb", 1'000'000},
                                          {"g", 1'000'000'000},
                                          {"gb", 1'000'000'000},
                                          {"t", 1'000'000'000'000},
                                          {"tb", 1'000'000'000'000},
                                          {"kib", 1LL << 10},
                                          {"mib", 1LL << 20},
                                          {"gib", 1LL << 30},
                                          {"tib", 1LL << 40}};
  const auto whole = take_number(text);
  if (!whole) return std::nullopt;
  double fraction = 0;
  if (text.size() >= 2 && text[0] == '.' && is_digit(text[1])) {
    double weight = 0.1;
    for (text.remove_prefix(1); !text.empty() && is_digit(text[0]); text.remove_prefix(1)) {
      fraction += weight * (text[0] - '0');
      weight /= 10;
    }
  }
  if (!text.empty() && text[0] == ' ') text.remove_prefix(1);
  std::string name(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    // A part of a byte is nothing, and the largest size is one that every use can still add to.
    if ((fraction > 0 && unit.value == 1) || *whole >= (1LL << 62) / unit.value) {
      return std::nullopt;
    }
    return *whole * unit.value + std::llround(fraction * static_cast<double>(unit.value));
  }
  return std::nullopt;
}

std::string format_size(std::int64_t bytes) {
  if (bytes < 0)
    return "-" + format_size(-std::max(bytes, -std::numeric_limits<std::int64_t>::max()));
  if (bytes < 1000) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 6> names = {"kB", "MB", "GB", "TB", "PB", "EB"};
  double value = static_cast<double>(bytes) / 1000;
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < names.size(); ++unit) value /= 1000;
  const std::string number =
      value < 9.95 ? one_decimal(value) : std::to_string(std::llround(value));
  return number + " " + std::string(names[unit]);
}

std::string format_memory(std::int64_t bytes) {
  constexpr std::int64_t mebibyte = 1 << 20;
  return bytes % mebibyte == 0 ? std::to_string(bytes / mebibyte) + " MiB" : format_size(bytes);
}

}  // namespace drydock
