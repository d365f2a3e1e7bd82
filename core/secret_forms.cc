#include "secret_forms.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>

namespace drydock {
namespace {

std::string url_encoded(std::string_view value, std::string_view digits, std::string_view kept,
                        bool plus_for_blank) {
  std::string result;
  for (char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      result += c;
    } else if (c == ' ' && plus_for_blank) {
      result += '+';
    } else {
      result += '%';
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

// The characters of the base64 of `offset` bytes + value + anything that depend on the value alone.
std::string base64_core(std::string_view value, std::size_t offset, std::string_view last_two) {
  std::string result;
  std::uint32_t bits = 0;
  // Negative: so many bits of the value end a character that began before it.
  int waiting = -static_cast<int>((6 - offset * 8 % 6) % 6);
  for (const char c : value) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (waiting += 8; waiting >= 6;) {
      waiting -= 6;
      const std::uint32_t six = bits >> waiting & 63;
      if (six < 26) {
        result += static_cast<char>('A' + six);
      } else if (six < 52) {
        result += static_cast<char>('a' + (six - 26));
      } else if (six < 62) {
        result += static_cast<char>('0' + (six - 52));
      } else {
        result += last_two[six - 62];
      }
    }
  }
  return result;
}

// Written as they are by everybody who quotes or encodes.
bool is_plain(const std::string& value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

void add_quoted(const std::string& value, std::set<std::string>& forms) {
  for (std::size_t start = 0; start < value.size();) {
    const std::size_t end = std::min(value.find('\n', start), value.size());
    std::string line = value.substr(start, end - start);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    forms.insert(std::move(line));
    start = end + 1;
  }
  const nlohmann::json text = value;
  for (const bool ascii : {false, true}) {
    const std::string quoted = text.dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
    forms.insert(quoted.substr(1, quoted.size() - 2));
  }
  for (const std::string_view digits : {"0123456789ABCDEF", "0123456789abcdef"}) {
    for (const std::string_view kept : {"-._~", "-._~/", "-._~!*'()"}) {
      forms.insert(url_encoded(value, digits, kept, false));
    }
    forms.insert(url_encoded(value, digits, "-._*", true));
  }
}

}  // namespace

std::vector<std::string> secret_forms(const std::string& value) {
  std::set<std::string> forms = {value};
  if (!is_plain(value)) add_quoted(value, forms);
  for (std::size_t offset = 0; offset < 3; ++offset) {
    forms.insert(base64_core(value, offset, "+/"));
    forms.insert(base64_core(value, offset, "-_"));
  }
  return {forms.begin(), forms.end()};
}

}  // namespace drydock
