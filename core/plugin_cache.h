// What plugins said of themselves when they were probed, so that an unchanged file is not asked
// again. Losing it costs time and nothing else: every fault of it means "empty".
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "worker.h"

namespace drydock {

struct FileIdentity {
  std::string path;
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
FileIdentity identity_of(const std::string& path, const struct stat& status);

// What is known of a plugin file of that identity.
struct KnownPlugin {
  PluginDescription description;
  std::string sha256;  // of the file
};

class PluginCache {
 public:
  // $XDG_CACHE_HOME/drydock/plugins, else in $HOME/.cache: a line of JSON, then the schemas.
  static PluginCache load();

  std::optional<KnownPlugin> find(const FileIdentity& file) const;
  void keep(const FileIdentity& file, const KnownPlugin& plugin);
  void save();  // when something was kept

 private:
  nlohmann::json with_schemas(nlohmann::json plugin) const;

  std::string path_;                                   // "": there is no place for it
  nlohmann::json entries_ = nlohmann::json::object();  // by path
  // Of the entries that were loaded, which have the places of theirs in it: by far the most of the
  // file, and a pipeline needs few of them, so they are not parsed with the rest.
  std::string schemas_;
  bool changed_ = false;
};

}  // namespace drydock
