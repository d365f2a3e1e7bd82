// Lists of texts in one text: each field ends with a NUL, which no path and no name contains.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace drydock {

template <class Fields>
std::string joined_fields(const Fields& fields) {
  std::string text;
  for (const std::string& field : fields) text += field + '\0';
  return text;
}

// A last field without its NUL was cut off, and is left out.
inline std::vector<std::string> fields_of(std::string_view text) {
  std::vector<std::string> fields;
  for (std::size_t end; (end = text.find('\0')) != text.npos; text.remove_prefix(end + 1)) {
    fields.emplace_back(text.substr(0, end));
  }
  return fields;
}

}  // namespace drydock
