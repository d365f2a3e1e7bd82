#include "difference.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <optional>

#include "variable_names.h"

namespace drydock::env_sync {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

bool is_boolean(const std::string& value) {
  return value == "true" || value == "false" || value == "yes" || value == "no" || value == "on" ||
         value == "off";
}

// The number at the begin, and what follows it in lower case; nullopt when there is none.
std::optional<std::pair<double, std::string>> number_with_unit(std::string_view value) {
  const std::size_t digits = value.starts_with('-') ? 1 : 0;
  const std::size_t end = std::min(value.find_first_not_of("0123456789.", digits), value.size());
  if (end == digits || value[digits] == '.' || std::count(value.begin(), value.end(), '.') > 1) {
    return std::nullopt;
  }
  return std::pair(std::strtod(std::string(value.substr(0, end)).c_str(), nullptr),
                   lower(value.substr(end)));
}

// In the smallest unit; nullopt when the value is no number with one of `units`.
std::optional<double> measured(std::string_view value, const std::map<std::string, double>& units) {
  const auto number = number_with_unit(value);
  const auto unit = number ? units.find(number->second) : units.end();
  return unit == units.end() ? std::nullopt : std::optional(number->first * unit->second);
}

std::optional<double> size(std::string_view value) {
  static const std::map<std::string, double> units = {
      {"b", 1},           {"k", 1024},         {"kb", 1024},         {"kib", 1024},
      {"m", 1048576},     {"mb", 1048576},     {"mib", 1048576},     {"g", 1073741824},
      {"gb", 1073741824}, {"gib", 1073741824}, {"t", 1099511627776}, {"tb", 1099511627776}};
  return measured(value, units);
}

std::optional<double> duration(std::string_view value) {
  static const std::map<std::string, double> units = {
      {"ms", 1},      {"s", 1000},     {"sec", 1000}, {"min", 60000},
      {"h", 3600000}, {"d", 86400000}, {"us", 0.001}};
  return measured(value, units);
}

std::optional<double> plain_number(std::string_view value) {
  static const std::map<std::string, double> none = {{"", 1}};
  return measured(value, none);
}

bool is_duration_by_name(std::string_view name) {
  static const std::vector<std::string> names = {
      "*TIMEOUT*", "*_SECONDS*", "*_MINUTES*", "*_HOURS*", "*_DAYS*", "*_INTERVAL*", "*_TTL*"};
  return matches_any(names, name);
}

// 80, or 127.0.0.1:80
bool is_port(std::string_view value) {
  if (const std::size_t colon = value.rfind(':'); colon != value.npos)
    value.remove_prefix(colon + 1);
  const bool digits =
      !value.empty() && value.size() <= 5 && value.find_first_not_of("0123456789") == value.npos;
  const long number = digits ? std::strtol(std::string(value).c_str(), nullptr, 10) : 0;
  return number >= 1 && number <= 65535;
}

bool is_port_by_name(std::string_view name) {
  static const std::vector<std::string> names = {"PORT", "PORT_*", "*_PORT", "*_PORT_*"};
  return matches_any(names, name);
}

bool is_url(std::string_view value) {
  const std::size_t scheme = value.find("://");
  return scheme != value.npos && scheme > 0 &&
         std::all_of(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(scheme),
                     [](char c) {
                       return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' ||
                              c == '-' || c == '.';
                     });
}

bool is_path(std::string_view value) {
  return value.starts_with('/') || value.starts_with("./") || value.starts_with("../");
}

std::string up_or_down(const char* what, double before, double after) {
  if (before == after) return "";
  return std::string(what) + (after > before ? " up" : " down");
}

}  // namespace

std::string kind_of_difference(std::string_view name, std::string_view before,
                               std::string_view after) {
  if (before == after) return "";
  if (after.empty()) return "emptied";
  if (before.empty()) return "set";
  const std::string old_word = lower(before), new_word = lower(after);
  if (is_boolean(old_word) && is_boolean(new_word)) return old_word == new_word ? "" : "boolean";
  if (is_port_by_name(name) && is_port(before) && is_port(after)) return "port";
  const auto old_number = plain_number(before), new_number = plain_number(after);
  if (old_number && new_number) {
    return up_or_down(is_duration_by_name(name) ? "duration" : "number", *old_number, *new_number);
  }
  // A minute and a mebibyte are both an m: the name decides.
  const bool time_by_name = is_duration_by_name(name);
  const auto old_size = size(before), new_size = size(after);
  if (old_size && new_size && !time_by_name) return up_or_down("size", *old_size, *new_size);
  const auto time = [&](std::string_view value) {
    const auto found = duration(value);
    if (found || !time_by_name) return found;
    const auto number = number_with_unit(value);
    if (!number) return found;
    if (number->second.empty()) return std::optional(number->first * 1000);
    if (number->second == "m") return std::optional(number->first * 60000);
    return found;
  };
  const auto old_time = time(before), new_time = time(after);
  if (old_time && new_time) return up_or_down("duration", *old_time, *new_time);
  if (is_url(before) || is_url(after)) return "URL";
  if (is_path(before) || is_path(after)) return "path";
  return "text";
}

}  // namespace drydock::env_sync
