#include "exposition.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view name, bool colons) {
  const auto allowed = [&](char c) { return is_letter(c) || is_digit(c) || (colons && c == ':'); };
  return !name.empty() && !is_digit(name[0]) && std::all_of(name.begin(), name.end(), allowed);
}

std::string number(double value) {
  if (value == std::trunc(value) && std::abs(value) < 1e15) {
    return std::to_string(static_cast<long long>(value));  // a time, not 1.7e+09
  }
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace

bool is_metric_name(std::string_view name) { return is_name(name, true); }
bool is_label_name(std::string_view name) { return is_name(name, false); }

std::string escaped(std::string_view value) {
  std::string result;
  for (const char c : value) {
    if (c == '\\' || c == '"')
      result.append(1, '\\').append(1, c);
    else if (c == '\n')
      result += "\\n";
    else
      result += c;
  }
  return result;
}

std::string gauge(const std::string& name, const std::string& help, const Labels& labels,
                  double value) {
  std::string inside;
  for (const auto& [label, text] : labels) {
    inside += (inside.empty() ? "" : ",") + label + "=\"" + escaped(text) + "\"";
  }
  return "# HELP " + name + " " + help + "\n# TYPE " + name + " gauge\n" + name +
         (inside.empty() ? "" : "{" + inside + "}") + " " + number(value) + "\n";
}

std::optional<double> sample_of(std::string_view textfile, std::string_view name) {
  while (!textfile.empty()) {
    const std::string_view line = textfile.substr(0, textfile.find('\n'));
    textfile.remove_prefix(std::min(textfile.size(), line.size() + 1));
    if (line.substr(0, name.size()) != name || line.size() == name.size()) continue;
    const char next = line[name.size()];
    if (next != '{' && next != ' ') continue;
    const std::string value(line.substr(line.rfind(' ') + 1));
    char* end = nullptr;
    const double parsed = std::strtod(value.c_str(), &end);
    if (end != value.c_str() && *end == '\0') return parsed;
  }
  return std::nullopt;
}
