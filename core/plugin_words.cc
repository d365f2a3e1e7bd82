#include "plugin_words.h"

#include <algorithm>

namespace drydock {
namespace {

constexpr std::size_t longest_id = 100, longest_version = 64, longest_type = 64,
                      longest_summary = 200, longest_shown = 40;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_number(char c) { return c >= '0' && c <= '9'; }
bool is_plain(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || is_number(c); }

// A letter or digit, then those and some others.
bool is_word(std::string_view text, std::string_view others, std::size_t longest) {
  return !text.empty() && text.size() <= longest && is_plain(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_plain(c) || others.find(c) != std::string_view::npos;
         });
}

// What a terminal would act upon: C0, DEL, and C1 as UTF-8 writes it.
bool has_controls(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    const bool begins_c1 = c == 0xc2 && i + 1 < text.size();
    if (begins_c1 && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

}  // namespace

bool is_plugin_id(std::string_view id) { return is_word(id, "._-", longest_id); }

bool is_plugin_version(std::string_view version) {
  return is_word(version, "._-+~", longest_version);
}

bool is_stage_type(std::string_view name) {
  return !name.empty() && name.size() <= longest_type && is_lower(name[0]) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return is_lower(c) || is_number(c) || c == '_' || c == '-'; });
}

bool is_summary(std::string_view summary) {
  return !summary.empty() && summary.size() <= longest_summary && !has_controls(summary);
}

std::string quoted_word(std::string_view text) {
  constexpr const char* digits = "0123456789abcdef";
  std::string shown = "'";
  for (const char c : text.substr(0, longest_shown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    }
  }
  return shown + (text.size() > longest_shown ? "..." : "") + "'";
}

}  // namespace drydock
