#include "plugin_note.h"

#include <drydock/stage.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "descriptor.h"
#include "plugin_words.h"

namespace drydock {
namespace {

constexpr std::string_view section_name = ".drydock";
constexpr std::size_t largest_note = 4096;

#if defined(__x86_64__)
constexpr Elf64_Half own_machine = EM_X86_64;
#elif defined(__aarch64__)
constexpr Elf64_Half own_machine = EM_AARCH64;
#else
#error "Drydock runs on x86-64 and on 64-bit ARM"
#endif

std::string name_of_machine(Elf64_Half machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86_64";
    case EM_AARCH64:
      return "aarch64";
    case EM_RISCV:
      return "riscv64";
    case EM_PPC64:
      return "ppc64le";
    case EM_S390:
      return "s390x";
    case EM_ARM:
      return "arm";
    case EM_386:
      return "i386";
    default:
      return "another machine (ELF machine " + std::to_string(machine) + ")";
  }
}

// The value of "key=value" in lines; nullopt when there is none.
std::optional<std::string> value_of(std::string_view note, std::string_view key) {
  while (!note.empty()) {
    const std::size_t end = std::min(note.find('\n'), note.size());
    const std::string_view line = note.substr(0, end);
    if (line.size() > key.size() && line.substr(0, key.size()) == key && line[key.size()] == '=') {
      return std::string(line.substr(key.size() + 1));
    }
    note.remove_prefix(std::min(end + 1, note.size()));
  }
  return std::nullopt;
}

std::variant<PluginNote, NoPluginNote> parse_note(std::string_view text) {
  // Its end is the first NUL: a second note may follow in the section.
  text = text.substr(0, std::min(text.find('\0'), text.size()));
  const NoPluginNote damaged{"has a damaged section .drydock: rebuild it with DRYDOCK_PLUGIN"};
  constexpr std::string_view first_line = "drydock-plugin\n";
  if (text.substr(0, first_line.size()) != first_line) return damaged;
  const auto abi = value_of(text, "abi");
  const auto id = value_of(text, "id");
  const auto version = value_of(text, "version");
  if (!abi || !id || !version || id->empty() || version->empty()) return damaged;
  if (!is_plugin_id(*id)) {
    return NoPluginNote{"calls itself " + quoted_word(*id) +
                        ", allowed: a letter or digit, then letters, digits, '.', '_' and '-', at "
                        "most 100"};
  }
  if (!is_plugin_version(*version)) {
    return NoPluginNote{"has the version " + quoted_word(*version) +
                        ", allowed: a letter or digit, then letters, digits, '.', '_', '-', '+' "
                        "and '~', at most 64"};
  }
  PluginNote note;
  const char* end = abi->data() + abi->size();
  const auto major = std::from_chars(abi->data(), end, note.abi_major);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return damaged;
  const auto minor = std::from_chars(major.ptr + 1, end, note.abi_minor);
  if (minor.ec != std::errc() || minor.ptr != end) return damaged;
  note.id = *id;
  note.version = *version;
  return note;
}

}  // namespace

std::variant<PluginNote, NoPluginNote> read_plugin_note(const ReadAt& read_at) {
  Elf64_Ehdr header{};
  if (!read_at(0, &header, sizeof header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) {
    return NoPluginNote{"is no ELF file: a plugin is a shared library"};
  }
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != own_machine) {
    return NoPluginNote{"is built for " + name_of_machine(header.e_machine) +
                        ", and this machine is " + machine_name() + ": rebuild it for this one"};
  }
  if (header.e_type != ET_DYN) {
    return NoPluginNote{"is no shared library: link it with -shared"};
  }
  const NoPluginNote without{
      "is no Drydock plugin: it has no section .drydock, which DRYDOCK_PLUGIN writes"};
  const NoPluginNote damaged{"is damaged: its ELF sections lie outside the file"};
  if (header.e_shoff == 0 || header.e_shnum == 0 || header.e_shentsize != sizeof(Elf64_Shdr)) {
    return without;
  }
  std::vector<Elf64_Shdr> sections(header.e_shnum);  // at most 65535
  if (!read_at(header.e_shoff, sections.data(), sections.size() * sizeof(Elf64_Shdr)) ||
      header.e_shstrndx >= sections.size()) {
    return damaged;
  }
  // Offsets are kept below 2^62, so that the sums here cannot overflow.
  constexpr std::uint64_t far = std::uint64_t{1} << 62;
  const Elf64_Shdr names = sections[header.e_shstrndx];
  for (const Elf64_Shdr& candidate : sections) {
    if (candidate.sh_offset >= far || names.sh_offset >= far) return damaged;
    char name[section_name.size() + 1] = {};
    if (candidate.sh_name >= names.sh_size || names.sh_size - candidate.sh_name < sizeof name ||
        !read_at(names.sh_offset + candidate.sh_name, name, sizeof name) ||
        std::string_view(name, sizeof name) != std::string_view(".drydock", sizeof name)) {
      continue;
    }
    std::string text(std::min<std::uint64_t>(candidate.sh_size, largest_note), '\0');
    if (candidate.sh_type != SHT_PROGBITS || text.empty() ||
        !read_at(candidate.sh_offset, text.data(), text.size())) {
      return damaged;
    }
    return parse_note(text);
  }
  return without;
}

std::variant<PluginNote, NoPluginNote> read_plugin_note(const std::string& path) {
  // Not blocking: a named pipe in its place must not hold us.
  return read_plugin_note(Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)));
}

std::variant<PluginNote, NoPluginNote> read_plugin_note(const Descriptor& file) {
  struct stat status {};
  if (!file || ::fstat(file.get(), &status) != 0) {
    return NoPluginNote{std::string("cannot be read: ") + std::strerror(errno)};
  }
  if (S_ISDIR(status.st_mode)) return NoPluginNote{"is a folder: a plugin is a shared library"};
  if (!S_ISREG(status.st_mode)) return NoPluginNote{"is no regular file"};
  if (status.st_size == 0) return NoPluginNote{"is empty: copy or build it again"};
  return read_plugin_note(
      ReadAt([&file](std::uint64_t offset, void* into, std::size_t size) -> bool {
        return ::pread(file.get(), into, size, static_cast<off_t>(offset)) ==
               static_cast<ssize_t>(size);
      }));
}

ReadAt in_memory(std::string_view bytes) {
  return [bytes](std::uint64_t offset, void* into, std::size_t size) {
    if (offset > bytes.size() || bytes.size() - offset < size) return false;
    std::memcpy(into, bytes.data() + offset, size);
    return true;
  };
}

std::string machine_name() { return name_of_machine(own_machine); }

std::string abi_refusal(const std::string& path, int abi_major, int abi_minor) {
  if (abi_major == DRYDOCK_ABI_MAJOR && abi_minor <= DRYDOCK_ABI_MINOR) return "";
  const bool older = abi_major < DRYDOCK_ABI_MAJOR;
  return path + " is built for plugin ABI " + std::to_string(abi_major) + "." +
         std::to_string(abi_minor) + " and this Drydock has " +
         DRYDOCK_QUOTE(DRYDOCK_ABI_MAJOR) "." DRYDOCK_QUOTE(DRYDOCK_ABI_MINOR) +
         (older ? ": its author must rebuild it with this Drydock's SDK."
                : ": upgrade Drydock, or let its author rebuild it with this Drydock's SDK.");
}

}  // namespace drydock
