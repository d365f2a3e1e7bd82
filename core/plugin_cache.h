// What plugins said of themselves when they were probed, so that an unchanged file is not asked
// again. Losing it costs time and nothing else: every fault of it means "empty".
#pragma once

#include <map>
#include <optional>
#include <string>

#include "file_identity.h"
#include "worker.h"

namespace drydock {

class PluginCache {
 public:
  // $XDG_CACHE_HOME/drydock/plugins, else in $HOME/.cache: a line of JSON, then the schemas.
  static PluginCache load();

  // The SHA-256 of the file, while it is that very file.
  std::optional<std::string> digest(const FileIdentity& file) const;
  // What a plugin of these bytes said of itself, wherever it lies.
  std::optional<PluginDescription> description(const std::string& sha256) const;
  void keep(const FileIdentity& file, const std::string& sha256);
  void keep(const std::string& sha256, const PluginDescription& plugin);
  void save();  // when something was kept

 private:
  nlohmann::json with_schemas(nlohmann::json plugin) const;

  std::string path_;                                   // "": there is no place for it
  nlohmann::json files_ = nlohmann::json::object();    // by path
  nlohmann::json plugins_ = nlohmann::json::object();  // by SHA-256
  // Of the plugins that were loaded, which have the places of theirs in it: by far the most of the
  // file, and a pipeline needs few of them, so they are not parsed with the rest.
  std::string schemas_;
  bool changed_ = false;
};

}  // namespace drydock
