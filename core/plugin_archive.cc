#include "plugin_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>

#include "digest.h"
#include "error.h"
#include "json_text.h"
#include "plugin_words.h"
#include "text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr const char* manifest_name = "manifest.json";
constexpr std::size_t largest_manifest = 64 << 10;
constexpr int format = 1;

using Writing = std::unique_ptr<archive, int (*)(archive*)>;
using Reading = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

la_ssize_t append(archive*, void* into, const void* bytes, std::size_t size) {
  static_cast<std::string*>(into)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

// Nothing of who packs it, where and when.
void add_member(archive* writing, const std::string& name, const std::string& bytes) {
  const Entry entry(::archive_entry_new(), ::archive_entry_free);
  ::archive_entry_set_pathname(entry.get(), name.c_str());
  ::archive_entry_set_filetype(entry.get(), AE_IFREG);
  ::archive_entry_set_perm(entry.get(), 0644);
  ::archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes.size()));
  ::archive_entry_set_mtime(entry.get(), 0, 0);
  if (::archive_write_header(writing, entry.get()) != ARCHIVE_OK ||
      ::archive_write_data(writing, bytes.data(), bytes.size()) !=
          static_cast<la_ssize_t>(bytes.size())) {
    throw Error("the archive cannot be made: " + std::string(::archive_error_string(writing)));
  }
}

json to_json(const PluginManifest& manifest, std::size_t size) {
  return {{"drydock_plugin", format},
          {"id", manifest.note.id},
          {"version", manifest.note.version},
          {"abi", {manifest.note.abi_major, manifest.note.abi_minor}},
          {"architecture", manifest.architecture},
          {"files", {{manifest.file, {{"sha256", manifest.sha256}, {"size", size}}}}}};
}

class Unpacking {
 public:
  Unpacking(const std::string& bytes, const std::string& name)
      : name_(name), reading_(::archive_read_new(), ::archive_read_free) {
    ::archive_read_support_format_tar(reading_.get());
    if (::archive_read_open_memory(reading_.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
      refuse("is no archive that `drydock plugin pack` makes");
    }
  }

  PluginArchive unpack() {
    const PluginManifest manifest = read_manifest(member(manifest_name, largest_manifest));
    PluginArchive result{manifest, member(manifest.file, largest_plugin_file)};
    archive_entry* entry = nullptr;
    const int next = ::archive_read_next_header(reading_.get(), &entry);
    if (next == ARCHIVE_OK || next == ARCHIVE_WARN) {
      refuse("has the member " + shown(::archive_entry_pathname(entry)) +
             ", and only a manifest and one plugin are allowed in it");
    }
    if (next != ARCHIVE_EOF) refuse("is damaged after its last member");
    const std::string digest = sha256(result.plugin);
    if (digest != manifest.sha256) {
      refuse("has the file " + manifest.file + " with the SHA-256 " + digest +
             ", and its manifest says " + manifest.sha256);
    }
    return result;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw Error(name_ + " " + why + "; it was not packed by `drydock plugin pack`, or was changed");
  }
  static std::string shown(const char* path) {
    return path == nullptr ? "without a name" : "'" + shorten(make_visible(path), 60) + "'";
  }

  // The next member, which has to be a plain file of that name.
  std::string member(const std::string& wanted, std::size_t largest) {
    archive_entry* entry = nullptr;
    if (::archive_read_next_header(reading_.get(), &entry) != ARCHIVE_OK) {
      refuse("has no member '" + wanted + "' in its place");
    }
    const char* path = ::archive_entry_pathname(entry);
    if (path == nullptr || path != wanted) {
      refuse("has the member " + shown(path) + " where '" + wanted + "' is expected");
    }
    if (::archive_entry_filetype(entry) != AE_IFREG || ::archive_entry_hardlink(entry) != nullptr ||
        ::archive_entry_symlink(entry) != nullptr) {
      refuse("has the member " + shown(path) + ", which is no plain file");
    }
    const la_int64_t size = ::archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) > largest) {
      refuse("has the member " + shown(path) + " of " + format_size(size) +
             ", allowed: " + format_size(static_cast<std::int64_t>(largest)));
    }
    std::string bytes(static_cast<std::size_t>(size), '\0');
    if (::archive_read_data(reading_.get(), bytes.data(), bytes.size()) != size) {
      refuse("ends within its member " + shown(path));
    }
    return bytes;
  }

  PluginManifest read_manifest(const std::string& text) const {
    PluginManifest manifest;
    try {
      const json read = json::parse(text);
      if (read.at("drydock_plugin") != format) {
        throw Error(name_ + " has the format " + read.at("drydock_plugin").dump() +
                    ", and this Drydock reads " + std::to_string(format) + "; upgrade Drydock");
      }
      manifest.note.id = read.at("id");
      manifest.note.version = read.at("version");
      manifest.note.abi_major = read.at("abi").at(0);
      manifest.note.abi_minor = read.at("abi").at(1);
      manifest.architecture = read.at("architecture");
      const json& files = read.at("files");
      if (!files.is_object() || files.size() != 1) refuse("has a manifest of several files");
      manifest.file = files.begin().key();
      manifest.sha256 = files.begin().value().at("sha256");
    } catch (const json::exception&) {
      refuse("has a manifest that cannot be read");
    }
    if (!is_plugin_id(manifest.note.id) || !is_plugin_version(manifest.note.version) ||
        !is_plugin_version(manifest.architecture) || !is_plugin_version(manifest.sha256)) {
      refuse("has a manifest whose words are no plain ones");
    }
    if (const std::string wrong = wrong_plugin_name(manifest.file); !wrong.empty()) {
      refuse("would install '" + shorten(make_visible(manifest.file), 60) + "', which " + wrong);
    }
    return manifest;
  }

  const std::string& name_;
  Reading reading_;
};

}  // namespace

std::string wrong_plugin_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
  };
  const auto allowed = [&](char c) {
    return is_plain(c) || c == '.' || c == '_' || c == '+' || c == '-';
  };
  if (name.size() <= 3 || name.size() > 80 || name.substr(name.size() - 3) != ".so") {
    return "is no name that ends with .so";
  }
  if (!is_plain(name[0]) || !std::all_of(name.begin(), name.end(), allowed)) {
    return "is no plain name: letters, digits, '.', '_', '+' and '-' are allowed";
  }
  return "";
}

std::string pack_plugin(const PluginArchive& plugin) {
  std::string bytes;
  const Writing writing(::archive_write_new(), ::archive_write_free);
  ::archive_write_set_format_ustar(writing.get());
  if (::archive_write_open(writing.get(), &bytes, nullptr, append, nullptr) != ARCHIVE_OK) {
    throw Error("the archive cannot be made: " +
                std::string(::archive_error_string(writing.get())));
  }
  add_member(writing.get(), manifest_name,
             indented(to_json(plugin.manifest, plugin.plugin.size())));
  add_member(writing.get(), plugin.manifest.file, plugin.plugin);
  if (::archive_write_close(writing.get()) != ARCHIVE_OK) {
    throw Error("the archive cannot be made: " +
                std::string(::archive_error_string(writing.get())));
  }
  return bytes;
}

PluginArchive unpack_plugin(const std::string& bytes, const std::string& name) {
  return Unpacking(bytes, name).unpack();
}

}  // namespace drydock
