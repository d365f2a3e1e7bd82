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
#include "load_safety.h"
#include "plugin_cache.h"
#include "plugin_file.h"
#include "plugin_words.h"
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
class PluginIndex::Candidate {
 public:
  explicit Candidate(std::string path) : path_(std::move(path)) {
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) {
      problem = errno == ENOENT ? path_ +
                                      " is a link to a file that does not exist: remove it, or "
                                      "put the plugin back."
                                : path_ + " cannot be read: " + std::strerror(errno) + ".";
      return;
    }
    identity_ = identity_of(path_, status);
    problem = unsafe(path_, status);
    // A link leads to another folder, whose owners decide as well.
    struct stat link {};
    if (problem.empty() && ::lstat(path_.c_str(), &link) == 0 && S_ISLNK(link.st_mode)) {
      problem = unsafe_folder_of(absolute(path_));
    }
    if (problem.empty() && (status.st_mode & S_IWGRP) != 0) {
      warning = path_ + " is writable by its group: chmod g-w " + path_ + ".";
    }
  }

  // What is known of it without opening it.
  void look_up(const PluginCache& cache) {
    if (!problem.empty()) return;
    sha256 = cache.digest(identity_).value_or("");
    if (!sha256.empty()) known = cache.description(sha256);
  }
  // On any thread: what it is, without executing it.
  void read(const PluginCache& cache, const std::map<std::string, std::string>& pins) {
    try {
      const PluginFile file(path_);
      if (file.identity() != identity_) {
        problem = path_ + " was changed while it was looked at: look who changes it.";
        return;
      }
      const auto read = file.note();
      if (const auto* none = std::get_if<NoPluginNote>(&read)) {
        problem = path_ + " " + none->reason + ".";
        return;
      }
      note = std::get<PluginNote>(read);
      problem = abi_refusal(path_, note.abi_major, note.abi_minor);
      if (!problem.empty()) return;
      sha256 = file.sha256();
    } catch (const Error& error) {
      problem = full_stop(error.what());
      return;
    }
    known = cache.description(sha256);
    const auto pin = pins.find(note.id);
    pinned_otherwise = pin != pins.end() && pin->second != sha256;
  }
  bool may_be_asked() const { return problem.empty() && !known && !pinned_otherwise; }
  // On any thread. Where `known` stays empty `problem` says why.
  void ask(Worker& worker) {
    ProbeResult result = worker.probe(identity_);
    if (auto* description = std::get_if<PluginDescription>(&result)) {
      problem = contradiction(*description);
      if (problem.empty()) known = std::move(*description);
    } else {
      problem = why_not_described(path_, result);
    }
  }
  const FileIdentity& identity() const { return identity_; }
  const std::string& path() const { return path_; }

  std::string problem, warning, sha256;
  PluginNote note;  // when it was read
  bool pinned_otherwise = false;
  std::optional<PluginDescription> known;

 private:
  static std::string unsafe_folder_of(const std::string& real) {
    const std::string folder = parent_of(real);
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0) return "";  // opening it says why
    const std::string found = unsafe(folder, status);
    return found.empty() ? unsafe_above(folder) : found;
  }
  // The worker has checked this, but in a process in which the plugin is at home.
  std::string contradiction(const PluginDescription& said) const {
    if (said.id == note.id && said.version == note.version &&
        std::all_of(said.stages.begin(), said.stages.end(), [](const StageDescription& stage) {
          return is_stage_type(stage.name) && is_summary(stage.summary);
        })) {
      return "";
    }
    return path_ + " describes itself in words that its note and the SDK do not know: rebuild it.";
  }

  std::string path_;
  FileIdentity identity_;
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

std::string why_not_described(const std::string& file, const ProbeResult& result) {
  if (const auto* refused = std::get_if<WontLoad>(&result)) return refused->reason;
  if (const auto* timed_out = std::get_if<TimedOut>(&result)) {
    return file + " was not loaded within " + format_duration(timed_out->limit) +
           ": a constructor or drydock_plugin_v1() hangs; correct the plugin, or remove it.";
  }
  return file + " " + describe(std::get<Crashed>(result)) +
         " while it was loaded: correct the plugin, or remove it.";
}

PluginIndex PluginIndex::of(std::map<std::string, IndexedStage> stages) {
  PluginIndex index;
  for (const auto& [name, stage] : stages) {
    auto known = std::find_if(index.plugins_.begin(), index.plugins_.end(),
                              [&](const auto& each) { return each.id == stage.plugin_id; });
    if (known == index.plugins_.end()) {
      known = index.plugins_.insert(
          known, {stage.plugin_file, stage.plugin_id, stage.plugin_version, "", {}, true, "", {}});
    }
    known->stage_types.push_back(name);
  }
  index.stages_ = std::move(stages);
  return index;
}

std::string IndexedStage::sha256() const {
  return as_indexed ? as_indexed->sha256 : sha256_of_file(plugin_file);
}

PluginIndex PluginIndex::scan(const std::vector<std::string>& folders, Worker& worker,
                              const std::map<std::string, std::string>& pins) {
  PluginIndex index;
  std::vector<Candidate> files;
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
    std::string problem = unsafe(folder, status);
    if (problem.empty()) problem = unsafe_above(folder);
    if (!problem.empty()) {
      index.problems_.push_back({folder, std::move(problem)});
      continue;
    }
    if ((status.st_mode & S_IWGRP) != 0) {
      index.warnings_.push_back(folder + " is writable by its group: chmod g-w " + folder + ".");
    }
    for (std::string& path : plugin_files(folder)) files.emplace_back(std::move(path));
  }

  PluginCache cache = PluginCache::load();
  std::vector<Candidate*> strangers;
  for (Candidate& file : files) {
    file.look_up(cache);
    if (!file.known && file.problem.empty()) strangers.push_back(&file);
  }
  in_parallel(strangers.size(), [&](std::size_t i) { strangers[i]->read(cache, pins); });
  // Of files with the same bytes the first is asked, and the others if it had no answer.
  std::map<std::string, Candidate*> first;
  std::vector<Candidate*> asked, others;
  for (Candidate* file : strangers) {
    if (!file->sha256.empty()) cache.keep(file->identity(), file->sha256);
    if (!file->may_be_asked()) continue;
    (first.try_emplace(file->sha256, file).second ? asked : others).push_back(file);
  }
  in_parallel(asked.size(), [&](std::size_t i) { asked[i]->ask(worker); });
  for (Candidate* file : others) {
    file->known = first[file->sha256]->known;
    if (!file->known) file->ask(worker);
  }
  for (const Candidate* file : asked) {
    if (file->known) cache.keep(file->sha256, *file->known);
  }
  cache.save();
  for (Candidate& file : files) index.take(file);
  return index;
}

void PluginIndex::take(Candidate& file) {
  const std::string& path = file.path();
  if (!file.warning.empty()) warnings_.push_back(file.warning);
  if (!file.known && !file.pinned_otherwise) {
    problems_.push_back({path, file.problem});
    return;
  }
  if (!file.known) file.known = PluginDescription{file.note.id, file.note.version, 0, 0, {}};
  PluginDescription& plugin = *file.known;
  IndexedPlugin found{path, plugin.id, plugin.version, file.sha256, {}, !file.pinned_otherwise,
                      "",   {}};
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
                                               IndexedFile{file.identity(), file.sha256}});
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
