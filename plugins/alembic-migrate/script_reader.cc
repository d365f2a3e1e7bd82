#include "script_reader.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "script_places.h"

namespace drydock::alembic {
namespace {

// The options go before what the compose files say of the service.
std::vector<std::string> words_of_migrator(const Call& call,
                                           const std::optional<MigratorService>& service) {
  std::vector<std::string> words = call.texts("/entrypoint");
  const std::vector<std::string> command = call.texts("/command");
  words.insert(words.end(), command.begin(), command.end());
  return words.empty() && service ? service->command : words;
}

}  // namespace

Scripts read_scripts(const Call& call, const std::optional<MigratorService>& service) {
  ScriptQuestion question;
  question.folder = service ? service->folder : call.deployment_dir();
  question.named = call.text("/scripts");
  if (question.named == "auto") question.named.clear();
  question.command = words_of_migrator(call, service);
  Scripts scripts;
  if (service && service->renewed) {
    scripts.reason = "the service's pull_policy may bring another image when its container starts";
    return scripts;
  }
  try {
    FoundScripts found;
    if (service) {
      ImagePlace place(call, *service);
      found = find_scripts(place, question);
    } else {
      LocalPlace place(call);
      found = find_scripts(place, question);
    }
    scripts.folder = found.folder;
    scripts.graph.emplace(std::move(found.files));
  } catch (const Unreadable& e) {
    scripts.reason = e.what();
  }
  return scripts;
}

std::string owner_of_scripts(const Call& call, const std::optional<MigratorService>& service) {
  if (service) return "image " + service->image + " of service " + call.text("/service");
  return "`" + call.texts("/command").front() + "`";
}

std::vector<std::string> unknown_stamps(const RevisionGraph& graph, const Revisions& stamps) {
  std::vector<std::string> unknown;
  if (!stamps) return unknown;
  std::copy_if(stamps->begin(), stamps->end(), std::back_inserter(unknown),
               [&](const std::string& stamp) { return !graph.knows(stamp); });
  return unknown;
}

std::string upgrade_target(const Call& call, const std::optional<MigratorService>& service) {
  std::vector<std::string> words;  // also those of a line for a shell
  for (const std::string& word : words_of_migrator(call, service)) {
    std::istringstream parts(word);
    for (std::string part; parts >> part;) words.push_back(part);
  }
  const auto upgrade = std::find(words.rbegin(), words.rend(), "upgrade");
  if (upgrade == words.rend()) return "";
  for (auto word = upgrade.base(); word != words.end(); ++word) {
    if ((*word)[0] == '-') continue;
    if (std::isalnum(static_cast<unsigned char>((*word)[0])) != 0) return *word;
    break;
  }
  return "head";  // what `flask db upgrade` means
}

}  // namespace drydock::alembic
