#include "plugin_index.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "error.h"
#include "files.h"
#include "in_parallel.h"
#include "plugin_cache.h"
#include "plugin_note.h"
#include "text.h"

namespace drydock {
namespace {

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string absolute(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), std::free);
  return real ? std::string(real.get()) : path;
}

// Whoever may write here decides what Drydock executes. "" when that is the user or root alone.
std::string unsafe(const std::string& path, const struct stat& status) {
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return path + " belongs to user " + std::to_string(status.st_uid) +
           ", who could change what Drydock executes: give it to yourself or to root with chown.";
  }
  if ((status.st_mode & S_IWOTH) != 0) {
    return path + " is writable by everybody, who could change what Drydock executes: chmod o-w " +
           path + ".";
  }
  return "";
}

std::string say(const std::string& file, const ProbeResult& result) {
  if (const auto* refused = std::get_if<WontLoad>(&result)) return refused->reason;
  if (const auto* timed_out = std::get_if<TimedOut>(&result)) {
    return file + " was not loaded within " + format_duration(timed_out->limit) +
           ": a constructor or drydock_plugin_v1() hangs; correct the plugin, or remove it.";
  }
  return file + " " + describe(std::get<Crashed>(result)) +
         " while it was loaded: correct the plugin, or remove it.";
}

std::vector<std::string> plugin_files(const std::string& folder) {
  std::vector<std::string> files;
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(folder.c_str()), ::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name(entry->d_name);
    if (name.size() > 3 && name[0] != '.' && name.substr(name.size() - 3) == ".so") {
      files.push_back(folder + "/" + std::string(name));
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

// A file that may be asked what it is, or the reason why not.
class PluginIndex::PluginFile {
 public:
  explicit PluginFile(std::string path) : path_(std::move(path)) {
    if (::stat(path_.c_str(), &status_) != 0) {
      problem = errno == ENOENT ? path_ +
                                      " is a link to a file that does not exist: remove it, or "
                                      "put the plugin back."
                                : path_ + " cannot be read: " + std::strerror(errno) + ".";
      return;
    }
    problem = unsafe(path_, status_);
    // A link leads to another folder, whose owner decides as well.
    struct stat link {};
    if (problem.empty() && ::lstat(path_.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      const std::string folder = parent_of(absolute(path_));
      struct stat folder_status {};
      if (::stat(folder.c_str(), &folder_status) == 0) problem = unsafe(folder, folder_status);
    }
    if (problem.empty() && (status_.st_mode & S_IWGRP) != 0) {
      warning = path_ + " is writable by its group: chmod g-w " + path_ + ".";
    }
  }

  bool is_known(const PluginCache& cache) {
    if (problem.empty()) known = cache.find(identity());
    return known.has_value();
  }
  // On any thread. Where `known` stays empty `problem` says why.
  void ask(Worker& worker) {
    const auto note = read_plugin_note(path_);
    if (const auto* none = std::get_if<NoPluginNote>(&note)) {
      problem = path_ + " " + none->reason + ".";
      return;
    }
    const auto& said = std::get<PluginNote>(note);
    problem = abi_refusal(path_, said.abi_major, said.abi_minor);
    if (!problem.empty()) return;
    ProbeResult result = worker.probe(path_);
    auto* description = std::get_if<PluginDescription>(&result);
    if (description == nullptr) {
      problem = say(path_, result);
      return;
    }
    try {
      known = KnownPlugin{std::move(*description), sha256_of_file(path_)};
    } catch (const Error& error) {
      problem = error.what();
    }
  }
  FileIdentity identity() const { return identity_of(path_, status_); }

  const std::string& path() const { return path_; }

  std::string problem, warning;
  std::optional<KnownPlugin> known;

 private:
  std::string path_;
  struct stat status_ {};
};

bool IndexedStage::has(Step step, const nlohmann::json& options) const {
  const auto found = description.steps.find(step);
  if (found == description.steps.end()) return false;
  if (found->second.empty()) return true;
  try {
    const nlohmann::json::json_pointer pointer(found->second);
    return options.contains(pointer) && !options.at(pointer).is_null();
  } catch (const nlohmann::json::exception&) {
    return false;  // the plugin wrote no JSON Pointer
  }
}

std::string unsafe_to_load(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return path + " cannot be read.";
  return unsafe(path, status);
}

std::string IndexedStage::sha256() const {
  struct stat status {};
  if (as_indexed && ::stat(plugin_file.c_str(), &status) == 0 &&
      identity_of(plugin_file, status) == as_indexed->identity) {
    return as_indexed->sha256;
  }
  return sha256_of_file(plugin_file);
}

PluginIndex PluginIndex::scan(const std::vector<std::string>& folders, Worker& worker) {
  PluginIndex index;
  std::vector<PluginFile> files;
  for (const std::string& named : folders) {
    const std::string folder = absolute(named);
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) ||
        ::access(folder.c_str(), R_OK | X_OK) != 0) {
      const std::string why = S_ISREG(status.st_mode) ? "is no folder" : "cannot be read";
      index.problems_.push_back({folder, "The plugin folder " + folder + " " + why +
                                             ": create it, or name another one."});
      continue;
    }
    if (std::string problem = unsafe(folder, status); !problem.empty()) {
      index.problems_.push_back({folder, std::move(problem)});
      continue;
    }
    if ((status.st_mode & S_IWGRP) != 0) {
      index.warnings_.push_back(folder + " is writable by its group: chmod g-w " + folder + ".");
    }
    for (std::string& path : plugin_files(folder)) files.emplace_back(std::move(path));
  }

  PluginCache cache = PluginCache::load();
  std::vector<PluginFile*> strangers;
  for (PluginFile& file : files) {
    if (!file.is_known(cache) && file.problem.empty()) strangers.push_back(&file);
  }
  in_parallel(strangers.size(), [&](std::size_t i) { strangers[i]->ask(worker); });
  for (PluginFile* file : strangers) {
    if (file->known) cache.keep(file->identity(), *file->known);
  }
  cache.save();
  for (PluginFile& file : files) index.take(file);
  return index;
}

void PluginIndex::take(PluginFile& file) {
  const std::string& path = file.path();
  if (!file.warning.empty()) warnings_.push_back(file.warning);
  if (!file.known) {
    problems_.push_back({path, file.problem});
    return;
  }
  PluginDescription& plugin = file.known->description;
  IndexedPlugin found{path, plugin.id, plugin.version, file.known->sha256, {}, "", {}};
  const auto problem = [&](const std::string& what, const std::string& other) {
    problems_.push_back(
        {path, what + " both " + other + " and " + path + ": remove one of the two files."});
  };
  const auto is_beside = [&](const std::string& other) {
    return parent_of(other) == parent_of(path);
  };
  const auto same = std::find_if(plugins_.begin(), plugins_.end(), [&](const IndexedPlugin& each) {
    return each.id == plugin.id && each.hidden_by.empty();
  });
  if (same != plugins_.end()) {
    found.hidden_by = same->file;
    if (is_beside(same->file)) problem("The plugin '" + plugin.id + "' is in", same->file);
  }
  for (StageDescription& stage : plugin.stages) {
    const std::string name = stage.name;
    found.stage_types.push_back(name);
    if (!found.hidden_by.empty()) continue;
    const auto [other, is_new] =
        stages_.try_emplace(name, IndexedStage{path, plugin.id, plugin.version, std::move(stage),
                                               IndexedFile{file.identity(), file.known->sha256}});
    if (is_new) continue;
    const std::string& other_file = other->second.plugin_file;
    found.hidden_stages.emplace(name, other_file);
    if (is_beside(other_file)) problem("The stage type '" + name + "' is provided by", other_file);
  }
  plugins_.push_back(std::move(found));
}

const IndexedStage* PluginIndex::find(const std::string& stage_type) const {
  const auto found = stages_.find(stage_type);
  return found == stages_.end() ? nullptr : &found->second;
}

const IndexedStage& PluginIndex::require(const std::string& stage_type,
                                         const std::string& place) const {
  if (const IndexedStage* stage = find(stage_type)) return *stage;
  std::vector<std::string> names;
  for (const auto& [name, stage] : stages_) names.push_back(name);
  std::string sentence = place.empty() ? "" : place + ": ";
  sentence +=
      "no plugin provides the stage type '" + stage_type + "'" + did_you_mean(stage_type, names);
  // One of the files that are no use may be the one that should have provided it.
  for (const PluginProblem& problem : problems_) sentence += "\n  " + problem.sentence;
  if (problems_.empty()) {
    sentence +=
        names.empty() ? "; there are no plugins at all" : "; known are " + join(names, ", ");
  }
  throw Error(sentence);
}

}  // namespace drydock
