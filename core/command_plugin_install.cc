// plugin install: an archive of `plugin pack`, whose hash one has from its author, into a folder of
// plugins. Whole or not at all.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>

#include "command_plugin.h"
#include "digest.h"
#include "files.h"
#include "json_text.h"
#include "load_safety.h"
#include "plugin_archive.h"
#include "plugin_file.h"
#include "text.h"
#include "workbench.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

std::string wanted_digest(const Arguments& arguments) {
  std::string digest = arguments.sha256;
  if (digest.empty()) {
    throw Error(
        "plugin install: --sha256 HEX is missing; it is what `drydock plugin pack` printed, "
        "and comes from the author by another way than the archive");
  }
  for (char& c : digest) c = static_cast<char>(c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
  if (digest.size() != 64 || digest.find_first_not_of("0123456789abcdef") != std::string::npos) {
    throw Error("plugin install: found '" + shorten(make_visible(arguments.sha256), 70) +
                "' after --sha256, allowed: 64 hexadecimal digits");
  }
  return digest;
}

// Hash first: nothing looks into bytes that are not those that were promised.
PluginArchive open_archive(const Arguments& arguments) {
  const std::string& name = arguments.positional[1];
  const std::string wanted = wanted_digest(arguments);
  const std::string bytes = read_file(name, largest_archive);
  const std::string found = sha256(bytes);
  if (found != wanted) {
    throw Error(
        name + " has the SHA-256 " + found + ", and " + wanted +
        " is expected; it is another one, or was changed: do not use it before you know why");
  }
  PluginArchive archive = unpack_plugin(bytes, name);
  const PluginManifest& manifest = archive.manifest;
  if (manifest.architecture != machine_name()) {
    throw Error(name + " is built for " + manifest.architecture + ", and this machine is " +
                machine_name() + "; get the archive for this one");
  }
  const std::string refusal = abi_refusal(name, manifest.note.abi_major, manifest.note.abi_minor);
  if (!refusal.empty()) throw Error(refusal);
  const auto read = read_plugin_note(in_memory(archive.plugin));
  if (const auto* none = std::get_if<NoPluginNote>(&read)) {
    throw Error(name + " holds " + manifest.file + ", which " + none->reason);
  }
  const auto& note = std::get<PluginNote>(read);
  if (note.id != manifest.note.id || note.version != manifest.note.version ||
      note.abi_major != manifest.note.abi_major || note.abi_minor != manifest.note.abi_minor) {
    throw Error(name + " says that it holds " + manifest.note.id + " " + manifest.note.version +
                ", and " + manifest.file + " in it is " + note.id + " " + note.version +
                "; it was not packed by `drydock plugin pack`");
  }
  return archive;
}

std::string target_folder(const Workbench& bench) {
  const Arguments& arguments = bench.arguments();
  if (!arguments.plugin_dirs.empty() && arguments.system) {
    throw Error("plugin install: found both --system and --plugin-dir; give one of them");
  }
  if (arguments.plugin_dirs.size() > 1) {
    throw Error("plugin install: found --plugin-dir twice; one folder is needed");
  }
  std::string folder =
      arguments.plugin_dirs.empty()
          ? (arguments.system ? bench.installation().plugins : user_plugin_folder())
          : arguments.plugin_dirs.front();
  if (folder.empty()) {
    throw Error(
        "plugin install: neither HOME nor XDG_DATA_HOME says where your plugins are; "
        "name a folder with --plugin-dir, or give --system");
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (!fs::is_directory(folder)) {
    throw Error("the plugin folder " + folder + " cannot be made" +
                (error ? " (" + error.message() + ")" : "") + "; name another one, or its owner");
  }
  folder = fs::canonical(folder).string();
  const std::string unsafe = unsafe_to_load(folder);
  if (!unsafe.empty()) throw Error(unsafe);
  return folder;
}

// What else is in the folder and would make `drydock` stop at once.
std::string replaced_version(const PluginIndex& there, const std::string& target,
                             const PluginDescription& plugin) {
  std::string replaced;
  for (const IndexedPlugin& other : there.plugins()) {
    if (other.file == target) {
      if (other.id != plugin.id) {
        throw Error(target + " is the plugin " + other.id + " " + other.version + ", and " +
                    plugin.id + " would replace it; remove it first, if that is meant");
      }
      replaced = other.version;
      continue;
    }
    if (other.id == plugin.id) {
      throw Error("the plugin " + plugin.id + " " + other.version + " is there already as " +
                  other.file + "; remove that file first");
    }
    for (const StageDescription& stage : plugin.stages) {
      if (std::find(other.stage_types.begin(), other.stage_types.end(), stage.name) ==
          other.stage_types.end()) {
        continue;
      }
      throw Error("the stage type '" + stage.name + "' is provided by " + other.file + " (" +
                  other.id + ") already; remove that file first");
    }
  }
  return replaced;
}

std::string hidden_by(const PluginIndex& index, const std::string& target) {
  for (const IndexedPlugin& plugin : index.plugins()) {
    if (plugin.file != target) continue;
    return plugin.hidden_by.empty() && !plugin.hidden_stages.empty()
               ? plugin.hidden_stages.begin()->second
               : plugin.hidden_by;
  }
  return "";
}

}  // namespace

ExitCode command_plugin_install(const Arguments& arguments) {
  const PluginArchive archive = open_archive(arguments);
  Workbench bench(arguments);
  const std::string folder = target_folder(bench);
  bench.plugin_folders();  // whether what it will be found by is sound is said before it is there
  // Who installs into the same folder at the same time sees what is there afterwards.
  const Descriptor lock(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock || ::flock(lock.get(), LOCK_EX) != 0) {
    throw Error("the plugin folder " + folder + " cannot be locked (" + std::strerror(errno) +
                "); name another one");
  }
  const std::string target = folder + "/" + archive.manifest.file;

  // Under a name that is no plugin's yet, in the folder itself: elsewhere programs may be
  // forbidden.
  NewFile file(target, archive.plugin, 0644);
  const std::string& temporary = file.temporary_path();
  const ProbeResult probed = bench.worker().probe(PluginFile(temporary).identity());
  const auto* plugin = std::get_if<PluginDescription>(&probed);
  if (plugin == nullptr) {
    std::string why = why_not_described(temporary, probed);
    for (std::size_t at = 0; (at = why.find(temporary, at)) != std::string::npos;) {
      why.replace(at, temporary.size(), archive.manifest.file);
    }
    if (why.back() == '.') why.pop_back();
    throw Error(why + "; nothing was installed");
  }
  const std::string replaced =
      replaced_version(PluginIndex::scan({folder}, bench.worker()), target, *plugin);
  file.publish();

  const std::string hiding = hidden_by(bench.plugins_as_found(), target);
  std::vector<std::string> types;
  for (const StageDescription& stage : plugin->stages) types.push_back(stage.name);
  if (arguments.json) {
    std::cout << indented({{"file", target},
                           {"id", plugin->id},
                           {"version", plugin->version},
                           {"sha256", archive.manifest.sha256},
                           {"stage_types", types},
                           {"replaced_version", replaced},
                           {"hidden_by", hiding}});
    return ExitCode::done;
  }
  std::cout << "installed " << plugin->id << " " << plugin->version
            << (replaced.empty() ? "" : " in place of " + replaced) << " as " << target << "\n"
            << "It provides " << join(types, ", ") << "; pin it in a pipeline with\n"
            << "  plugins:\n    " << plugin->id << ":\n      version: \"" << plugin->version
            << "\"\n      sha256: " << archive.manifest.sha256 << "\n";
  if (!hiding.empty()) std::cout << "It is hidden by " << hiding << ", which is found first.\n";
  return ExitCode::done;
}

}  // namespace drydock
