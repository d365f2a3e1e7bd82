#include "script_reader.h"

#include <algorithm>

#include "script_places.h"

namespace drydock::alembic {
namespace {

std::vector<std::string> words_of_migrator(const Call& call) {
  std::vector<std::string> words = call.texts("/entrypoint");
  const std::vector<std::string> command = call.texts("/command");
  words.insert(words.end(), command.begin(), command.end());
  return words;
}

}  // namespace

Scripts read_scripts(const Call& call, const std::optional<MigratorService>& service) {
  ScriptQuestion question;
  question.folder = service ? service->folder : call.deployment_dir();
  question.named = call.text("/scripts");
  if (question.named == "auto") question.named.clear();
  question.command = words_of_migrator(call);
  Scripts scripts;
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

std::string upgrade_target(const Call& call) {
  const std::vector<std::string> words = words_of_migrator(call);
  const auto upgrade = std::find(words.rbegin(), words.rend(), "upgrade");
  if (upgrade == words.rend()) return "";
  for (auto word = upgrade.base(); word != words.end(); ++word) {
    if (!word->empty() && (*word)[0] != '-') return *word;
  }
  return "head";  // what `flask db upgrade` means
}

}  // namespace drydock::alembic
