// plugin list: where plugins are looked for, which are found there, and which of them count.
#include <filesystem>
#include <iostream>

#include "command_plugin.h"
#include "json_text.h"
#include "text.h"
#include "view_text.h"
#include "workbench.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string folder_of(const std::string& path) { return fs::path(path).parent_path().string(); }

json to_json(const IndexedPlugin& plugin) {
  return {{"file", plugin.file},
          {"id", plugin.id},
          {"version", plugin.version},
          {"sha256", plugin.sha256},
          {"stage_types", plugin.stage_types},
          {"hidden_by", plugin.hidden_by.empty() ? json() : json(plugin.hidden_by)},
          {"hidden_stage_types", plugin.hidden_stages}};
}

json document(const std::vector<PluginFolder>& folders, const PluginIndex& index) {
  json path = json::array(), plugins = json::array(), problems = json::array();
  for (const PluginFolder& folder : folders) {
    path.push_back(
        {{"folder", folder.path}, {"origin", name_of(folder.origin)}, {"exists", folder.is_there}});
  }
  for (const IndexedPlugin& plugin : index.plugins()) plugins.push_back(to_json(plugin));
  for (const PluginProblem& problem : index.problems()) {
    problems.push_back({{"file", problem.file}, {"sentence", problem.sentence}});
  }
  return {{"folders", path},
          {"plugins", plugins},
          {"problems", problems},
          {"warnings", index.warnings()}};
}

void print_lines(const std::string& text, const std::string& first, const std::string& next) {
  constexpr int columns = 80;
  for (const std::string& line : wrap(text, columns, first, next)) std::cout << line << "\n";
}

void print(const IndexedPlugin& plugin) {
  print_lines(pad(fs::path(plugin.file).filename().string(), 22) + " " + plugin.id + " " +
                  plugin.version + ": " + join(plugin.stage_types, ", "),
              "  ", "    ");
  if (!plugin.hidden_by.empty()) {
    print_lines("hidden by " + plugin.hidden_by + ", which is the same plugin and found first",
                "    ", "    ");
  }
  for (const auto& [type, file] : plugin.hidden_stages) {
    print_lines(type + " is hidden by " + file + ", which is found first", "    ", "    ");
  }
}

}  // namespace

ExitCode command_plugin_list(const Arguments& arguments) {
  Workbench bench(arguments);
  const std::vector<PluginFolder> folders = bench.plugin_path();
  const PluginIndex index = bench.plugins_as_found();
  if (arguments.json) {
    std::cout << indented(document(folders, index));
    return ExitCode::done;
  }
  for (const PluginFolder& folder : folders) {
    const std::string named = folder.path + " (" + name_of(folder.origin) + ")";
    std::cout << make_visible(named) << (folder.is_there ? "" : ": not there") << "\n";
    for (const IndexedPlugin& plugin : index.plugins()) {
      if (folder_of(plugin.file) == folder.path) print(plugin);
    }
    for (const PluginProblem& problem : index.problems()) {
      if (folder_of(problem.file) != folder.path && problem.file != folder.path) continue;
      print_lines("refused: " + problem.sentence, "  ", "    ");
    }
  }
  for (const std::string& warning : index.warnings()) {
    print_lines("warning: " + warning, "", "  ");
  }
  return ExitCode::done;
}

}  // namespace drydock
