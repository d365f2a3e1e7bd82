// plugin pack: a plugin file as one archive, with a manifest and hashes.
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

std::string file_name_of(const PluginManifest& manifest) {
  const std::string name =
      manifest.note.id + "-" + manifest.note.version + "-" + manifest.architecture + ".tar";
  // By the rule for the names of plugins, which this then is without its end.
  if (wrong_plugin_name(name + ".so").empty()) return name;
  throw Error("'" + make_visible(name) +
              "' is no plain file name; name the archive with --out FILE");
}

}  // namespace

ExitCode command_plugin_pack(const Arguments& arguments) {
  Workbench bench(arguments);
  const fs::path file = arguments.positional[1];
  PluginArchive archive;
  archive.plugin = read_file(file.string(), largest_plugin_file);
  const std::string unsafe = unsafe_to_load(file.string());
  if (!unsafe.empty()) throw Error(unsafe);
  PluginManifest& manifest = archive.manifest;
  manifest.file = file.filename().string();
  if (const std::string wrong = wrong_plugin_name(manifest.file); !wrong.empty()) {
    throw Error(file.string() + " " + wrong + "; rename the file");
  }
  const auto note = read_plugin_note(in_memory(archive.plugin));
  if (const auto* none = std::get_if<NoPluginNote>(&note)) {
    throw Error(file.string() + " " + none->reason);
  }
  manifest.note = std::get<PluginNote>(note);
  manifest.architecture = machine_name();
  manifest.sha256 = sha256(archive.plugin);
  // What cannot be loaded here is handed on to nobody.
  const PluginFile loaded(fs::canonical(file).string());
  if (loaded.sha256() != manifest.sha256) {
    throw Error(file.string() + " was changed while it was packed; begin again");
  }
  const ProbeResult probed = bench.worker().probe(loaded.identity());
  if (!std::holds_alternative<PluginDescription>(probed)) {
    std::string why = why_not_described(file.string(), probed);
    if (why.back() == '.') why.pop_back();
    throw Error(why + "; `drydock plugin check " + shell_word(file.string()) +
                "` looks at all of it");
  }

  const std::string bytes = pack_plugin(archive);
  const std::string out =
      arguments.plan_file.empty() ? file_name_of(manifest) : arguments.plan_file;
  write_file_atomically(out, bytes, 0644);
  const std::string digest = sha256(bytes);
  if (arguments.json) {
    std::cout << indented({{"archive", out},
                           {"sha256", digest},
                           {"size", bytes.size()},
                           {"id", manifest.note.id},
                           {"version", manifest.note.version},
                           {"architecture", manifest.architecture},
                           {"plugin_sha256", manifest.sha256}});
    return ExitCode::done;
  }
  std::cout << out << ": " << manifest.note.id << " " << manifest.note.version << " for "
            << manifest.architecture << ", " << format_size(static_cast<std::int64_t>(bytes.size()))
            << "\n\n"
            << "Whoever has it installs it with\n  drydock plugin install " << shell_word(out)
            << " \\\n    --sha256 " << digest << "\n";
  return ExitCode::done;
}

}  // namespace drydock
