// Who a plugin file says it is, read from its ELF section .drydock without executing anything.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

#include "descriptor.h"

namespace drydock {

struct PluginNote {
  int abi_major = 0, abi_minor = 0;
  std::string id, version;
};

// Why there is none: completes "FILE ...": "is no ELF file".
struct NoPluginNote {
  std::string reason;
};

// Copies `size` bytes at `offset` of the file, or returns false: beyond its end, or unreadable.
using ReadAt = std::function<bool(std::uint64_t offset, void* into, std::size_t size)>;

// Nothing in the file is trusted: no offset, no size, no count.
std::variant<PluginNote, NoPluginNote> read_plugin_note(const ReadAt& read_at);
std::variant<PluginNote, NoPluginNote> read_plugin_note(const std::string& path);
std::variant<PluginNote, NoPluginNote> read_plugin_note(const Descriptor& file);
// Of a file that is in memory; the bytes must live as long as what is returned.
ReadAt in_memory(std::string_view bytes);

// What this machine is called in sentences and in the names of archives: "x86_64".
std::string machine_name();

// "" when this Drydock can load it, else a sentence that says who must do what.
std::string abi_refusal(const std::string& path, int abi_major, int abi_minor);

}  // namespace drydock
