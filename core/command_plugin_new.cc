// plugin new: a folder with a stage that works, copied from the SDK's template.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "command_plugin.h"
#include "files.h"
#include "json_text.h"
#include "text.h"
#include "workbench.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 40;
constexpr std::size_t largest_file = 1u << 20;  // of the template

bool is_plugin_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= longest_name && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(), allowed);
}

// "restart-queue" as a C++ type: "RestartQueue".
std::string type_name(const std::string& name) {
  std::string result;
  bool capital = true;
  for (const char c : name) {
    const bool separates = c == '-' || c == '_';
    if (!separates) result += capital && !is_digit(c) ? static_cast<char>(c - 'a' + 'A') : c;
    capital = separates;
  }
  return result;
}

using Words = std::map<std::string, std::string>;  // what stands for @KEY@

std::string filled(std::string text, const Words& words) {
  for (const auto& [key, value] : words) {
    const std::string placeholder = "@" + key + "@";
    for (std::size_t at = 0; (at = text.find(placeholder, at)) != std::string::npos;) {
      text.replace(at, placeholder.size(), value);
      at += value.size();
    }
  }
  return text;
}

struct Language {
  const char* name;    // on the command line, and of its folder beside any/
  const char* spoken;  // to people
  const char* extension;
  const char* compilers;
  const char* compiler_variable;  // of CMake
};
constexpr Language languages[] = {
    {"c++", "C++", "cc", "g++ clang++", "CMAKE_CXX_COMPILER"},
    {"c", "C", "c", "gcc clang", "CMAKE_C_COMPILER"},
};

const Language& language_of(const std::string& named) {
  if (named.empty()) return languages[0];
  for (const Language& language : languages) {
    if (named == language.name) return language;
  }
  throw Error("plugin new: found --language " + named + ", allowed: c++ or c");
}

Words words_for(const std::string& name, const Language& language) {
  return {{"name", name},
          {"Type", type_name(name)},
          {"extension", language.extension},
          {"compilers", language.compilers},
          {"compiler_variable", language.compiler_variable}};
}

void check_name(const std::string& name, Workbench& bench) {
  if (!is_plugin_name(name)) {
    throw Error("plugin new: found the name '" + name +
                "', allowed: a lower-case letter, then lower-case letters, digits, '-' and '_', "
                "at most " +
                std::to_string(longest_name) + " characters, for example restart-queue");
  }
  const PluginIndex plugins = bench.plugins_as_found();
  if (const IndexedStage* taken = plugins.find(name)) {
    throw Error("plugin new: the stage type '" + name + "' exists already, in " +
                taken->plugin_file + "; choose another name");
  }
}

void make_folder(const std::string& dir) {
  if (::mkdir(dir.c_str(), 0777) == 0) return;
  if (errno == EEXIST) {
    throw Error("plugin new: " + dir + " exists already; name a folder that is to be made, with " +
                "--dir");
  }
  throw Error("plugin new: the folder " + dir + " cannot be made (" + std::strerror(errno) +
              "); name another one with --dir");
}

// One file of the template, with the same mode but for the umask.
void write_new(const fs::path& from, const fs::path& to, const Words& words) {
  fs::create_directories(to.parent_path());
  std::ofstream file(to, std::ios::binary);
  file << filled(read_file(from.string(), largest_file), words);
  file.close();
  if (!file) throw Error("plugin new: " + to.string() + " cannot be written; is the disk full?");
  if ((fs::status(from).permissions() & fs::perms::owner_exec) == fs::perms::none) return;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  fs::permissions(to, static_cast<fs::perms>(0777 & ~mask));
}

// Adds the names of the files, relative to both folders.
void copy_template(const fs::path& from, const fs::path& to, const Words& words,
                   std::vector<std::string>& names) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (!entry.is_regular_file()) continue;
    const std::string name = filled(entry.path().lexically_relative(from).string(), words);
    write_new(entry.path(), to / name, words);
    names.push_back(name);
  }
}

}  // namespace

ExitCode command_plugin_new(const Arguments& arguments) {
  Workbench bench(arguments);
  const std::string name = arguments.positional[1];
  const Language& language = language_of(arguments.language);
  check_name(name, bench);
  const fs::path templates = bench.installation().templates;
  if (!fs::is_directory(templates / "any")) {
    throw Error("plugin new: the template " + templates.string() +
                " is missing; install the SDK beside drydock");
  }
  const Words words = words_for(name, language);

  const std::string dir = arguments.dir.empty() ? name : arguments.dir;
  make_folder(dir);
  std::vector<std::string> files;
  try {
    copy_template(templates / "any", dir, words, files);
    copy_template(templates / language.name, dir, words, files);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(dir, ignored);
    throw;
  }
  std::sort(files.begin(), files.end());
  if (arguments.json) {
    std::cout << indented(
        {{"name", name}, {"language", language.name}, {"folder", dir}, {"files", files}});
    return ExitCode::done;
  }
  std::cout << dir << ": a stage plugin in " << language.spoken << "\n";
  for (const std::string& file : files) std::cout << "  " << file << "\n";
  std::cout << "\nNext:\n  cd " << shell_word(dir)
            << "\n  cmake -B build && cmake --build build && ctest --test-dir build\n";
  return ExitCode::done;
}

}  // namespace drydock
