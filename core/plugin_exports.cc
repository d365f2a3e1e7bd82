#include "plugin_exports.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace drydock {
namespace {

// The struct at an offset, where all of it lies within the file.
template <class Struct>
bool read_at(std::string_view file, std::uint64_t offset, Struct& into) {
  if (offset > file.size() || file.size() - offset < sizeof into) return false;
  std::memcpy(&into, file.data() + offset, sizeof into);
  return true;
}

std::optional<std::string_view> part(std::string_view file, const Elf64_Shdr& section) {
  if (section.sh_offset > file.size() || file.size() - section.sh_offset < section.sh_size) {
    return std::nullopt;
  }
  return file.substr(section.sh_offset, section.sh_size);
}

bool is_offered(const Elf64_Sym& symbol) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  const auto visibility = ELF64_ST_VISIBILITY(symbol.st_other);
  return symbol.st_shndx != SHN_UNDEF && binding != STB_LOCAL &&
         (visibility == STV_DEFAULT || visibility == STV_PROTECTED);
}

}  // namespace

std::optional<std::vector<std::string>> exported_symbols(std::string_view file) {
  Elf64_Ehdr header{};
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return std::nullopt;
  }
  const auto section_at = [&](std::uint64_t index, Elf64_Shdr& section) {
    return index < header.e_shnum && header.e_shoff < file.size() &&
           read_at(file, header.e_shoff + index * sizeof section, section);
  };
  for (std::uint64_t i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr symbols{}, names{};
    if (!section_at(i, symbols)) return std::nullopt;
    if (symbols.sh_type != SHT_DYNSYM) continue;
    if (!section_at(symbols.sh_link, names)) return std::nullopt;
    const auto table = part(file, symbols), texts = part(file, names);
    if (!table || !texts) return std::nullopt;
    std::vector<std::string> found;
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->size(); at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol{};
      read_at(*table, at, symbol);
      if (!is_offered(symbol)) continue;
      if (symbol.st_name >= texts->size()) return std::nullopt;
      const std::string_view name = texts->substr(symbol.st_name);
      found.emplace_back(name.substr(0, name.find('\0')));
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  return std::nullopt;
}

}  // namespace drydock
