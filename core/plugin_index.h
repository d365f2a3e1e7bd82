// Which plugin files there are, and which stage types they provide. Nothing is loaded into this
// process: identity is read from the ELF note, the rest comes from a probe in a worker and is
// cached by path, size and mtime in $XDG_CACHE_HOME/drydock/plugins.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "plugin_cache.h"
#include "worker.h"

namespace drydock {

// A plugin file as it was when it was indexed.
struct IndexedFile {
  FileIdentity identity;
  std::string sha256;
};

struct IndexedStage {
  std::string plugin_file;  // absolute
  std::string plugin_id, plugin_version;
  StageDescription description;
  std::optional<IndexedFile> as_indexed;  // none for those that are known without looking
  bool has(Step step, const nlohmann::json& options) const;  // minds only_with
  std::string sha256() const;  // of the plugin file, now. Throws Error
};

// What was found of one sound plugin file.
struct IndexedPlugin {
  std::string file, id, version, sha256;
  std::vector<std::string> stage_types;
  // What an earlier folder has already: the whole plugin (the file that has its id, else ""), or
  // single stage types (name -> file).
  std::string hidden_by;
  std::map<std::string, std::string> hidden_stages;
};

struct PluginProblem {
  std::string file;
  std::string sentence;  // names the file and the remedy
};

class PluginIndex {
 public:
  // Folders are searched in order, not recursively, for *.so; what is found first wins. Two files
  // of one folder that have the same id or stage type are a problem: which of them is first is
  // chance. Files that are not known yet are probed on several threads.
  static PluginIndex scan(const std::vector<std::string>& folders, Worker& worker);
  // Of stage types that are known without looking.
  static PluginIndex of(std::map<std::string, IndexedStage> stages) {
    PluginIndex index;
    index.stages_ = std::move(stages);
    return index;
  }

  const std::map<std::string, IndexedStage>& stages() const { return stages_; }
  // Every sound file in the order in which it was found, those that are hidden too.
  const std::vector<IndexedPlugin>& plugins() const { return plugins_; }
  const std::vector<PluginProblem>& problems() const { return problems_; }  // bad files, duplicates
  // Warnings that stop nothing: a group-writable file.
  const std::vector<std::string>& warnings() const { return warnings_; }
  const IndexedStage* find(const std::string& stage_type) const;
  // Throws Error with the nearest name, or with the problems of files that may have provided it.
  const IndexedStage& require(const std::string& stage_type, const std::string& place) const;

 private:
  class PluginFile;
  void take(PluginFile& file);

  std::map<std::string, IndexedStage> stages_;
  std::vector<IndexedPlugin> plugins_;
  std::vector<PluginProblem> problems_;
  std::vector<std::string> warnings_;
};

// "" when only its owner, who is root or this user, can change the file or folder; else a sentence
// with the remedy.
std::string unsafe_to_load(const std::string& path);

}  // namespace drydock
