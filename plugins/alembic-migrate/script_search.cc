#include "script_search.h"

#include <algorithm>
#include <filesystem>

#include "alembic_ini.h"

namespace drydock::alembic {
namespace {

struct ScriptLocation {
  std::string folder;  // that with env.py
  std::vector<std::string> version_folders;
  bool must_exist = true;  // Alembic leaves out missing ones of a list
  bool recursive = false;

  bool operator==(const ScriptLocation& other) const {
    return version_folders == other.version_folders && recursive == other.recursive;
  }
};

std::string below_folder(const std::string& folder, const std::string& path) {
  std::string result = (std::filesystem::path(folder) / path).lexically_normal().string();
  while (result.size() > 1 && result.back() == '/') result.pop_back();
  return result;
}

bool is_inside(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.compare(0, folder.size(), folder) == 0 &&
         (folder.back() == '/' || path[folder.size()] == '/');
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// The words from the program on, whatever its path; none when it is not among them.
std::vector<std::string> words_from(const std::vector<std::string>& command,
                                    const std::string& program) {
  const auto begin = std::find_if(command.begin(), command.end(), [&](const std::string& word) {
    return word == program || ends_with(word, "/" + program);
  });
  return {begin, command.end()};
}

// "-c FILE", "-cFILE", "--config FILE" or "--config=FILE"; "" when there is none.
std::string command_option(const std::vector<std::string>& command, const std::string& brief,
                           const std::string& full) {
  for (std::size_t i = 0; i < command.size(); ++i) {
    const std::string& word = command[i];
    if ((word == brief || word == full) && i + 1 < command.size()) return command[i + 1];
    if (word.compare(0, full.size() + 1, full + "=") == 0) return word.substr(full.size() + 1);
    const bool attached = word.size() > brief.size() && word[1] != '-';
    if (attached && word.compare(0, brief.size(), brief) == 0) return word.substr(brief.size());
  }
  return "";
}

class ScriptSearch {
 public:
  ScriptSearch(ScriptPlace& place, const ScriptQuestion& question)
      : place_(place), question_(question) {}

  FoundScripts find() {
    const ScriptLocation location = where();
    FoundScripts found{location.folder, {}};
    for (const std::string& folder : location.version_folders) {
      read_versions(location, folder, found);
    }
    if (found.files.empty()) throw Unreadable("there is no revision file in " + location.folder);
    return found;
  }

 private:
  ScriptLocation where() {
    if (!question_.named.empty()) {
      const std::string path = below_folder(question_.folder, question_.named);
      if (ends_with(path, ".ini")) return said_by_ini(path);
      if (files(path) == nullptr) throw Unreadable("there is no " + path);
      return said_by_folder(path);
    }
    if (const auto words = words_from(question_.command, "alembic"); !words.empty()) {
      if (!command_option(words, "-n", "--name").empty()) {
        throw Unreadable("the command names another section of its alembic.ini");
      }
      const std::string ini = command_option(words, "-c", "--config");
      return said_by_ini(below_folder(question_.folder, ini.empty() ? "alembic.ini" : ini));
    }
    if (const auto words = words_from(question_.command, "flask"); !words.empty()) {
      const std::string named = command_option(words, "-d", "--directory");
      const std::string path = below_folder(question_.folder, named.empty() ? "migrations" : named);
      if (files(path) == nullptr) throw Unreadable("there is no " + path);
      return said_by_folder(path);
    }
    return looked_for();
  }

  // An entrypoint that says nothing of what it runs.
  ScriptLocation looked_for() {
    std::vector<ScriptLocation> found;
    const auto add = [&](ScriptLocation location) {
      if (std::find(found.begin(), found.end(), location) == found.end()) {
        found.push_back(std::move(location));
      }
    };
    const std::string ini = below_folder(question_.folder, "alembic.ini");
    if (files(ini) != nullptr) add(said_by_ini(ini));
    for (const char* name : {"migrations", "alembic"}) {
      const std::string folder = below_folder(question_.folder, name);
      const ScriptFiles* inside = files(folder);
      if (inside != nullptr && inside->texts.count(folder + "/env.py") != 0) {
        add(said_by_folder(folder));
      }
    }
    if (found.size() == 1) return found.front();
    if (found.empty()) {
      throw Unreadable("there is no alembic.ini, migrations/env.py or alembic/env.py in " +
                       question_.folder);
    }
    throw Unreadable("both " + found[0].folder + " and " + found[1].folder +
                     " could be meant; name one with `scripts`");
  }

  ScriptLocation said_by_ini(const std::string& path) {
    const ScriptFiles* found = files(path);
    if (found == nullptr) throw Unreadable("there is no " + path);
    const AlembicIni ini = parsed(path, *found);
    if (ini.script_location.empty()) throw Unreadable(path + " has no `script_location`");
    return with_versions(below_folder(question_.folder, ini.script_location), ini);
  }

  // As Flask-Migrate has it, with an alembic.ini in the folder itself; or only the revision files.
  ScriptLocation said_by_folder(const std::string& folder) {
    const ScriptFiles& found = *files(folder);
    const std::string ini = folder + "/alembic.ini";
    if (found.texts.count(ini) != 0) return with_versions(folder, parsed(ini, found));
    const bool has_versions =
        found.links.count(folder + "/versions") != 0 ||
        found.texts.count(folder + "/env.py") != 0 ||
        std::any_of(found.texts.begin(), found.texts.end(),
                    [&](const auto& file) { return is_inside(file.first, folder + "/versions"); });
    if (has_versions) return with_versions(folder, {});
    return {folder, {folder}};
  }

  ScriptLocation with_versions(const std::string& folder, const AlembicIni& ini) const {
    ScriptLocation location{folder, {}, ini.version_locations.empty(), ini.recursive};
    for (const std::string& one : ini.version_locations) {
      location.version_folders.push_back(below_folder(question_.folder, one));
    }
    if (location.version_folders.empty()) location.version_folders = {folder + "/versions"};
    return location;
  }

  static AlembicIni parsed(const std::string& path, const ScriptFiles& files) {
    const auto text = files.texts.find(path);
    if (text == files.texts.end()) throw Unreadable(path + " is no plain file");
    return read_alembic_ini(path, text->second);
  }

  void read_versions(const ScriptLocation& location, const std::string& folder,
                     FoundScripts& found) {
    const ScriptFiles* inside = files(folder);
    if (inside == nullptr) {
      if (location.must_exist) throw Unreadable("there is no " + folder);
      return;
    }
    const auto counts = [&](const std::string& path) {
      const std::size_t slash = path.rfind('/');
      return is_inside(path, folder) && (location.recursive || slash == folder.size());
    };
    for (const std::string& link : inside->links) {
      if (link == folder || (counts(link) && (location.recursive || ends_with(link, ".py")))) {
        throw Unreadable(presentable(link) + " is a link");
      }
    }
    for (const auto& [path, text] : inside->texts) {
      if (!counts(path) || !is_revision_file(path.substr(path.rfind('/') + 1))) continue;
      if (!read_.insert(path).second) continue;  // folders of a list may lie in each other
      found.files.push_back(read_revision_file(presentable(path), text));
      found.files.back().source = text;
    }
  }

  // nullptr: there is nothing. What lies in something that was read is not asked for again.
  const ScriptFiles* files(const std::string& path) {
    for (const auto& [read, found] : answers_) {
      if (!found || (read != path && !is_inside(path, read))) continue;
      const bool there = read == path || found->texts.count(path) != 0 ||
                         found->links.count(path) != 0 ||
                         std::any_of(found->texts.begin(), found->texts.end(),
                                     [&](const auto& file) { return is_inside(file.first, path); });
      return there ? &*found : nullptr;
    }
    const auto& found = answers_[path] = place_.files(path);
    return found ? &*found : nullptr;
  }

  ScriptPlace& place_;
  const ScriptQuestion& question_;
  std::map<std::string, std::optional<ScriptFiles>> answers_;
  std::set<std::string> read_;
};

}  // namespace

FoundScripts find_scripts(ScriptPlace& place, const ScriptQuestion& question) {
  return ScriptSearch(place, question).find();
}

}  // namespace drydock::alembic
