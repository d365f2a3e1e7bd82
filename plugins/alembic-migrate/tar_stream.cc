#include "tar_stream.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "python_source.h"

namespace drydock::alembic {
namespace {

// https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html, "ustar Interchange Format".
constexpr std::size_t block_size = 512;
constexpr std::size_t most_entries = 100000;
struct HeaderField {
  std::size_t begin, size;
};
constexpr HeaderField name_field{0, 100}, size_field{124, 12}, checksum_field{148, 8},
    magic_field{257, 5}, prefix_field{345, 155};
constexpr std::size_t kind_at = 156;

std::string_view bytes_of(std::string_view header, HeaderField field) {
  return header.substr(field.begin, field.size);
}

std::string_view text_of(std::string_view header, HeaderField field) {
  const std::string_view bytes = bytes_of(header, field);
  return bytes.substr(0, bytes.find('\0'));
}

// Octal digits among spaces; or, where the first bit is set, a number in base 256 (GNU).
std::optional<std::uint64_t> number_of(std::string_view header, HeaderField field) {
  const std::string_view bytes = bytes_of(header, field);
  std::uint64_t value = 0;
  if ((static_cast<unsigned char>(bytes[0]) & 0x80) != 0) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      const auto byte = static_cast<unsigned char>(i == 0 ? bytes[i] & 0x7F : bytes[i]);
      if (value >> 55 != 0) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  for (const char c : bytes) {
    if (c == ' ' || c == '\0') continue;
    if (c < '0' || c > '7') return std::nullopt;
    value = value << 3 | static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool checksum_is_right(std::string_view header) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const bool own = i >= checksum_field.begin && i < checksum_field.begin + checksum_field.size;
    sum += own ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return number_of(header, checksum_field) == sum;
}

// The records of a pax header, "LENGTH KEY=VALUE\n" each: those that this reader needs.
struct PaxRecords {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
};

std::optional<std::uint64_t> decimal(std::string_view digits) {
  if (digits.empty() || digits.size() > 18) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

std::optional<PaxRecords> pax_records(std::string_view text) {
  PaxRecords records;
  while (!text.empty()) {
    const std::size_t space = std::min(text.find(' '), text.size());
    const auto length = decimal(text.substr(0, space));
    if (!length || *length > text.size() || *length < space + 3) return std::nullopt;
    const std::string_view record =
        text.substr(space + 1, static_cast<std::size_t>(*length) - space - 2);
    text.remove_prefix(static_cast<std::size_t>(*length));
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path") records.path = value;
    if (key == "size" && !(records.size = decimal(value))) return std::nullopt;
  }
  return records;
}

TarEntry::Kind kind_of(char flag) {
  if (flag == '0' || flag == '\0' || flag == '7') return TarEntry::Kind::file;
  if (flag == '5') return TarEntry::Kind::folder;
  return flag == '1' || flag == '2' ? TarEntry::Kind::link : TarEntry::Kind::other;
}

Unreadable broken(const std::string& why) {
  return Unreadable("what `docker cp` gave is no whole tar: " + why);
}

}  // namespace

std::vector<TarEntry> read_tar(std::string_view stream) {
  std::vector<TarEntry> entries;
  PaxRecords next;  // what extension headers say of the entry after them
  while (stream.size() >= block_size) {
    const std::string_view header = stream.substr(0, block_size);
    stream.remove_prefix(block_size);
    if (header.find_first_not_of('\0') == std::string_view::npos) return entries;
    if (!checksum_is_right(header)) throw broken("the checksum of a header is wrong");
    const char flag = header[kind_at];
    const bool extension = flag == 'x' || flag == 'g' || flag == 'L' || flag == 'K';
    std::optional<std::uint64_t> size = number_of(header, size_field);
    if (!extension && next.size) size = next.size;
    if (!size || *size > stream.size()) throw broken("it ends within a file");
    const std::string_view content = stream.substr(0, static_cast<std::size_t>(*size));
    const std::size_t padded = (content.size() + block_size - 1) / block_size * block_size;
    stream.remove_prefix(std::min(padded, stream.size()));
    if (flag == 'x') {
      const auto records = pax_records(content);
      if (!records) throw broken("an extension header cannot be read");
      if (records->path) next.path = records->path;
      if (records->size) next.size = records->size;
    } else if (flag == 'L') {
      next.path = std::string(content.substr(0, content.find('\0')));
    }
    if (extension) continue;
    TarEntry entry{kind_of(flag), next.path.value_or(""), content};
    if (!next.path) {
      const std::string_view prefix =
          text_of(header, magic_field) == "ustar" ? text_of(header, prefix_field) : "";
      entry.name = std::string(prefix) + (prefix.empty() ? "" : "/") +
                   std::string(text_of(header, name_field));
    }
    while (entry.name.size() > 1 && entry.name.back() == '/') entry.name.pop_back();
    next = {};
    if (entries.size() == most_entries) throw broken("it has too many files");
    entries.push_back(std::move(entry));
  }
  throw broken("its end is missing");
}

}  // namespace drydock::alembic
