// Small things about text that a person reads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace drydock {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
// The candidate closest to `name`, when one is close enough to be a slip of the keyboard.
std::optional<std::string> nearest_name(std::string_view name,
                                        const std::vector<std::string>& candidates);
// "; did you mean 'x'?" or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);
// The sentence with its full stop, unless it ends with a question.
std::string full_stop(std::string sentence);

// "90s", "1m30s", "2h", "100ms", "1d"; a bare number is refused. nullopt: not a duration.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);
// "0.3 s", "12 s", "1 min 30 s", "2 h 05 min".
std::string format_duration(std::chrono::milliseconds duration);
// Of up to nine digits and nothing else, as runs are numbered.
std::optional<std::uint64_t> parse_number(std::string_view text);
// "64MiB", "1.5GB", "512k"; bare numbers are bytes.
std::optional<std::int64_t> parse_size(std::string_view text);
std::string format_size(std::int64_t bytes);  // "94 MB"
// Of memory: "64 MiB" where it is that exactly.
std::string format_memory(std::int64_t bytes);

// Control characters (escapes of a terminal among them) and invalid UTF-8 made visible: ESC becomes
// \x1b. Tabs stay.
std::string make_visible(std::string_view text);
bool is_utf8(std::string_view text);
// Columns on a terminal, by code points.
std::size_t display_width(std::string_view text);
// Cut to `width` columns, with an ellipsis.
std::string shorten(std::string_view text, std::size_t width);

// As one word of a POSIX shell; quoted only where it has to be. With control characters in it as
// one of bash, ksh and zsh ($'...').
std::string shell_word(const std::string& text);

// What stands between the separators; nothing after a last one that ends the text.
std::vector<std::string> split(const std::string& text, char separator);
std::string join(const std::vector<std::string>& items, std::string_view separator);

// The first of some, and how many follow it.
std::string first_of(const std::vector<std::string>& items);
std::vector<std::string> all_but_first_of(const std::vector<std::string>& items);

}  // namespace drydock
