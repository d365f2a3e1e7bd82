// A plugin as one file to hand on: a tar archive of a manifest and the .so file. The same plugin
// gives the same bytes, whoever packs it and when. The only door to libarchive.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "plugin_note.h"

namespace drydock {

struct PluginManifest {
  PluginNote note;
  std::string architecture;  // as machine_name() has it
  std::string file;          // "greet.so"
  std::string sha256;        // of that file
};

struct PluginArchive {
  PluginManifest manifest;
  std::string plugin;  // the bytes of the .so file
};

inline constexpr std::size_t largest_plugin_file = std::size_t{256} << 20;
inline constexpr std::size_t largest_archive = largest_plugin_file + (std::size_t{1} << 20);

// "" for what may be the name of a plugin's file: letters, digits, '.', '_', '+' and '-', first a
// letter or a digit, ".so" last. Else why not: completes "NAME ...".
std::string wrong_plugin_name(const std::string& name);

// The bytes of the archive. Throws Error.
std::string pack_plugin(const PluginArchive& plugin);
// Everything that is in it, compared with its manifest; nothing is written. Its members are a
// manifest and one plain file, by their very names: a path, a link or a further member is refused.
// Throws Error; `name` is the archive's, for the sentence.
PluginArchive unpack_plugin(const std::string& bytes, const std::string& name);

}  // namespace drydock
