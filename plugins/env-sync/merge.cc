#include "merge.h"

#include <algorithm>

#include "merge_parts.h"

namespace drydock::env_sync {
namespace {

using Keys = std::set<std::string, std::less<>>;

bool decided_to_change(Decision decision) {
  switch (decision) {
    case Decision::adopted:
    case Decision::followed:
    case Decision::added:
    case Decision::restored:
    case Decision::commented_out:
    case Decision::removed_commented:
    case Decision::dropped:
    case Decision::generated:
    case Decision::derived:
      return true;
    default:
      return false;
  }
}

// Why a variable may differ from what it was although nobody decided about it: it refers to one
// that changed. "" when it may not.
std::string changed_by(const Choice& choice, const Choices& choices, const Sides& sides,
                       bool may_change) {
  const Side& side = choice.text == Text::ours ? sides.ours : sides.theirs;
  const EnvStatement* statement = side.statement(choice.key);
  if (statement == nullptr) return "";
  for (const std::string_view name : interpolated_names(*statement)) {
    const Choice* referred = choices.find(name);
    if (referred == nullptr || referred->result == referred->ours) continue;
    const Decision decision = referred->decision;
    if (!decided_to_change(decision)) continue;
    // What follows a service that left takes its references along, hers too.
    if (may_change || decision == Decision::followed) return std::string(referred->key);
  }
  return "";
}

// Evaluates the text and fills in what each variable is now. Returns the variables that would
// change although nobody decided so.
Keys prove(const EnvValues& values, Choices& choices, const Sides& sides,
           const MergeOptions& options) {
  if (values.error()) {
    throw MergeError("the merged file would not be readable: " + values.error()->explain());
  }
  for (Choice& choice : choices.of) {
    const std::string_view* found = values.find(choice.key);
    choice.result = found == nullptr ? std::nullopt : std::optional<std::string_view>(*found);
  }
  Keys broken;
  const bool defaults_may_move = sides.base.exists() && options.defaults != Defaults::keep;
  for (bool more = true; more;) {
    more = false;
    for (Choice& choice : choices.of) {
      MergedVariable& variable = choice;
      if (decided_to_change(variable.decision) || variable.result == variable.ours) continue;
      if (sides.ours.statement(variable.key) == nullptr) continue;
      const bool hers = choice.text == Text::ours && variable.decision != Decision::unchanged;
      const std::string by = changed_by(choice, choices, sides, defaults_may_move && !hers);
      if (by.empty()) {
        broken.emplace(variable.key);
      } else {
        broken.erase(std::string(variable.key));
        variable.decision = Decision::derived;
        variable.because = by;
        more = true;
      }
    }
  }
  return broken;
}

std::size_t matching_base(const Sides& sides) {
  if (!sides.base.exists()) return 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < sides.base.values().size(); ++i) {
    if (same(sides.base, sides.ours, sides.base.values().key_at(i))) ++count;
  }
  return count;
}

}  // namespace

Side::Side(const EnvFile* file, const std::string& name) : file_(file) {
  if (file == nullptr) return;
  values_ = evaluate(*file);
  if (values_.error()) throw MergeError(name + ", " + values_.error()->explain());
  const auto note = [this](std::string_view lead) {
    if (lead.find('=') == lead.npos) return;  // no line of it sets anything
    for_each_line(lead, [this](std::string_view line) {
      if (const std::string_view key = commented_key(line); !key.empty()) commented_[key] = line;
    });
  };
  for (const EnvStatement& statement : file->statements()) note(statement.lead());
  note(file->tail());
}

const EnvStatement* Side::statement(std::string_view key) const {
  if (file_ == nullptr) return nullptr;
  const std::size_t found = values_.statement(key);
  return found == EnvValues::npos ? nullptr : &file_->statements()[found];
}

std::optional<std::string_view> Side::value(std::string_view key) const {
  const std::string_view* found = values_.find(key);
  return found == nullptr ? std::nullopt : std::optional<std::string_view>(*found);
}

std::optional<std::string_view> Side::commented(std::string_view key) const {
  const auto found = commented_.find(key);
  return found == commented_.end() ? std::nullopt : std::optional(found->second);
}

bool same(const Side& left, const Side& right, std::string_view key) {
  const EnvStatement* a = left.statement(key);
  const EnvStatement* b = right.statement(key);
  if (a == nullptr || b == nullptr) return false;
  if (left.value(key) == right.value(key)) return true;
  return !a->inherited && !b->inherited && a->value() == b->value() && a->quote == b->quote;
}

std::string_view commented_key(std::string_view line) {
  const auto skip = [&line](const char* blanks) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('#')) return {};
  line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  const auto in_a_name = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const auto end = std::find_if_not(line.begin(), line.end(), in_a_name);
  return end == line.end() || *end != '='
             ? std::string_view()
             : line.substr(0, static_cast<std::size_t>(end - line.begin()));
}

const Choice* Choices::find(std::string_view key) const {
  if (const std::size_t at = sides_->theirs.values().position(key); at != EnvValues::npos) {
    return &of[at];
  }
  const std::size_t at = sides_->ours.values().position(key);
  if (at == EnvValues::npos || at >= own_.size() || own_[at] == 0) return nullptr;
  return &of[own_[at] - 1];
}
Choice* Choices::find(std::string_view key) {
  return const_cast<Choice*>(static_cast<const Choices*>(this)->find(key));
}
void Choices::add_own(Choice choice, std::size_t position_in_ours) {
  own_.resize(sides_->ours.values().size());
  of.push_back(std::move(choice));
  own_[position_in_ours] = static_cast<std::uint32_t>(of.size());
}

std::size_t Merge::count(Decision decision) const {
  return static_cast<std::size_t>(
      std::count_if(variables.begin(), variables.end(),
                    [decision](const auto& variable) { return variable.decision == decision; }));
}

Merge merge_env(const EnvFile* base, const EnvFile& ours, const EnvFile& theirs,
                const MergeOptions& options) {
  const auto sides = std::make_shared<Sides>();
  look_at(*sides, base, ours, theirs, options);
  Choices choices = decide(*sides, options);
  Merge merge;
  // Freezing one variable cannot change another, but it can show that another must be frozen too.
  Keys frozen;
  for (std::size_t rounds = 0;; ++rounds) {
    EnvFile file = EnvFile::parse(write_merged(*sides, choices, options, frozen));
    const auto values = std::make_shared<EnvValues>(evaluate(file));
    const Keys broken = prove(*values, choices, *sides, options);
    if (broken.empty()) {
      merge.text = file.shared_text();
      merge.now = values;
      break;
    }
    const std::size_t before = frozen.size();
    frozen.insert(broken.begin(), broken.end());
    if (frozen.size() == before || rounds == 8) {
      throw MergeError("the merge would change " + *broken.begin() +
                       ", which nobody asked for; nothing was written. Set it in the .env without "
                       "referring to other variables");
    }
  }
  for (Choice& choice : choices.of) {
    choice.frozen = !frozen.empty() && frozen.find(choice.key) != frozen.end();
  }
  merge.refusals = std::move(choices.refusals);
  merge.variables = std::move(choices.of);
  merge.matching = matching_base(*sides);
  merge.sides = sides;
  return merge;
}

}  // namespace drydock::env_sync
