// Variables that have a new name: the old files as they would be with it.
#include "merge_parts.h"

namespace drydock::env_sync {
namespace {

bool refers_to(const EnvFile& file, std::string_view key) {
  for (const EnvStatement& statement : file.statements()) {
    for (const std::string_view name : interpolated_names(statement)) {
      if (name == key) return true;
    }
  }
  return false;
}

// Lines that refer to the old name keep it: then the new one comes in addition, at the end.
EnvFile with_new_names(const EnvFile& file,
                       const std::map<std::string, std::string, std::less<>>& old_name_of) {
  std::map<std::string_view, std::string_view> replaced;
  std::map<std::string_view, std::string_view> added;
  for (const auto& [name, old] : old_name_of) {
    (refers_to(file, old) ? added : replaced).emplace(old, name);
  }
  const auto renamed = [](const EnvStatement& statement, std::string_view name) {
    const auto before = static_cast<std::size_t>(statement.key().data() - statement.whole().data());
    return std::string(statement.whole().substr(0, before)) + std::string(name) +
           std::string(statement.whole().substr(before + statement.key().size()));
  };
  std::string text, end;
  for (const EnvStatement& statement : file.statements()) {
    text += statement.lead();
    const auto in_place = replaced.find(statement.key());
    text += in_place == replaced.end() ? std::string(statement.whole())
                                       : renamed(statement, in_place->second);
    if (const auto also = added.find(statement.key()); also != added.end()) {
      end += (statement.whole().ends_with('\n') ? "" : "\n") + renamed(statement, also->second);
    }
  }
  text += file.tail();
  if (!end.empty() && !text.ends_with('\n')) text += '\n';
  return EnvFile::parse(text + end);
}

}  // namespace

void look_at(Sides& sides, const EnvFile* base, const EnvFile& ours, const EnvFile& theirs,
             const MergeOptions& options) {
  sides.theirs = Side(&theirs, "the new template", options.environment);
  sides.ours = Side(&ours, "the .env", options.environment);
  sides.base = Side(base, "the old template", options.environment);
  for (const auto& [old, name] : options.renames) {
    const bool moves =
        sides.ours.statement(old) != nullptr && sides.ours.statement(name) == nullptr &&
        sides.theirs.statement(old) == nullptr && sides.theirs.statement(name) != nullptr;
    if (moves) sides.old_name_of[name] = old;
  }
  if (sides.old_name_of.empty()) return;
  sides.renamed_ours = with_new_names(ours, sides.old_name_of);
  sides.ours = Side(&*sides.renamed_ours, "the .env", options.environment);
  if (base == nullptr) return;
  std::map<std::string, std::string, std::less<>> of_base = sides.old_name_of;
  std::erase_if(of_base, [&](const auto& each) {
    return sides.base.statement(each.second) == nullptr ||
           sides.base.statement(each.first) != nullptr;
  });
  sides.renamed_base = with_new_names(*base, of_base);
  sides.base = Side(&*sides.renamed_base, "the old template", options.environment);
}

}  // namespace drydock::env_sync
