#include "merge.h"

#include <algorithm>
#include <iterator>

#include "merge_parts.h"

namespace drydock::env_sync {
namespace {

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

// The operator's variable whose line cannot be read where it stands now; "" when it is another
// line.
std::string_view unreadable(const EnvFile& file, const EnvError& error, const Choices& choices) {
  std::size_t line = 1;
  const char* counted = file.text().data();
  for (const EnvStatement& statement : file.statements()) {
    const char* begin = statement.whole().data();
    line += static_cast<std::size_t>(std::count(counted, begin, '\n'));
    counted = begin;
    if (line != error.at) continue;
    const Choice* choice = choices.find(statement.key());
    if (choice != nullptr && choice->text == Text::ours) return choice->key;
  }
  return {};
}

// Evaluates the text and fills in what each variable is now. Returns the variables that would
// change although nobody decided so.
Keys prove(const EnvFile& file, const EnvValues& values, Choices& choices, const Sides& sides,
           const MergeOptions& options) {
  if (values.error()) {
    const std::string_view key = unreadable(file, *values.error(), choices);
    if (!key.empty()) return {std::string(key)};
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
      const EnvStatement* statement = sides.ours.statement(variable.key);
      if (statement == nullptr) continue;
      const bool hers = choice.text == Text::ours && (variable.decision != Decision::unchanged ||
                                                      is_her_text(sides, *statement));
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

// What stands behind the = of a commented line.
std::string_view set_by(std::string_view line) {
  line.remove_prefix(line.find('=') + 1);
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return line.substr(0, line.find_last_not_of(" \t\r") + 1);
}

// Names that lines of the template refer to: what they name must stand where they find it.
Keys read_by_template(const Choices& choices, const Sides& sides) {
  Keys names;
  for (const Choice& choice : choices.of) {
    const EnvStatement* statement = sides.theirs.statement(choice.key);
    if (choice.text != Text::theirs || statement == nullptr) continue;
    for (const std::string_view name : interpolated_names(*statement)) names.emplace(name);
  }
  return names;
}

// What would change without reason: a line of the operator's moves to the end, any other is frozen.
// False when all that was done already.
bool move_lines(const Keys& broken, const Choices& choices, const Sides& sides, Moves& moves) {
  const std::size_t before = moves.last.size() + moves.frozen.size();
  const Keys read = read_by_template(choices, sides);
  for (const std::string& key : broken) {
    const Choice* choice = choices.find(key);
    const bool hers = choice != nullptr && choice->text == Text::ours && read.count(key) == 0;
    if (!hers || !moves.last.insert(key).second) moves.frozen.insert(key);
  }
  return moves.last.size() + moves.frozen.size() > before;
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

Side::Side(const EnvFile* file, const std::string& name, const EnvLookup& environment)
    : file_(file) {
  if (file == nullptr) return;
  values_ = evaluate(*file, {}, environment);
  if (values_.error()) throw MergeError(name + ", " + values_.error()->explain());
  const auto note = [this](std::string_view lead) {
    if (lead.find('=') == lead.npos) return;  // no line of it sets anything
    for_each_line(lead, [this](std::string_view line) {
      if (const std::string_view key = commented_key(line); !key.empty())
        commented_.emplace(key, line);
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
  const auto [begin, end] = commented_.equal_range(key);
  return begin == end ? std::nullopt : std::optional(std::prev(end)->second);
}

bool Side::has_commented(std::string_view key, std::string_view line) const {
  const auto [begin, end] = commented_.equal_range(key);
  return std::any_of(begin, end,
                     [line](const auto& each) { return set_by(each.second) == set_by(line); });
}

std::optional<std::string_view> Side::commented_here_alone(std::string_view key, const Side& one,
                                                           const Side& other) const {
  const auto [begin, end] = commented_.equal_range(key);
  for (auto at = end; at != begin;) {
    const std::string_view line = (--at)->second;
    if (!one.has_commented(key, line) && !other.has_commented(key, line)) return line;
  }
  return std::nullopt;
}

bool same(const Side& left, const Side& right, std::string_view key) {
  const EnvStatement* a = left.statement(key);
  const EnvStatement* b = right.statement(key);
  if (a == nullptr || b == nullptr) return false;
  if (left.value(key) == right.value(key)) return true;
  return !a->inherited && !b->inherited && a->value() == b->value() && a->quote == b->quote;
}

bool is_her_text(const Sides& sides, const EnvStatement& ours) {
  const EnvStatement* base = sides.base.statement(ours.key());
  return base == nullptr || base->value() != ours.value();
}

std::string_view note_of(const EnvStatement& statement) {
  if (statement.inherited) return {};
  const std::string_view whole = statement.whole(), value = statement.value();
  const auto end = static_cast<std::size_t>(value.data() - whole.data()) + value.size();
  std::string_view note = whole.substr(std::min(whole.find('#', end), whole.size()));
  note = note.substr(0, note.find_last_not_of(" \t\r\n") + 1);
  return note;
}

std::string_view commented_key(std::string_view line) {
  const auto skip = [&line](const char* blanks) {
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
  };
  skip(" \t");
  if (!line.starts_with('#')) return {};
  line.remove_prefix(1);
  if (line.starts_with(' ')) line.remove_prefix(1);
  if (line.starts_with("export ")) {
    line.remove_prefix(6);
    skip(" \t");
  }
  const auto in_a_name = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const auto end = std::find_if_not(line.begin(), line.end(), in_a_name);
  const std::string_view key = line.substr(0, static_cast<std::size_t>(end - line.begin()));
  line.remove_prefix(key.size());
  skip(" \t");
  return line.starts_with('=') ? key : std::string_view();
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
  // Moving one variable can show that another one must be moved, too.
  Moves moves;
  for (std::size_t rounds = 0;; ++rounds) {
    EnvFile file = EnvFile::parse(write_merged(*sides, choices, options, moves));
    const auto values = std::make_shared<EnvValues>(evaluate(file, {}, options.environment));
    const Keys broken = prove(file, *values, choices, *sides, options);
    if (broken.empty()) {
      merge.text = file.shared_text();
      merge.now = values;
      break;
    }
    if (!move_lines(broken, choices, *sides, moves) || rounds == 16) {
      throw MergeError("the merge would change " + *broken.begin() +
                       ", which nobody asked for; nothing was written. Set it in the .env without "
                       "referring to other variables");
    }
  }
  const bool any_moved = !moves.last.empty() || !moves.frozen.empty();
  for (Choice& choice : choices.of) {
    if (!any_moved) break;
    choice.frozen = moves.frozen.find(choice.key) != moves.frozen.end();
    choice.last = !choice.frozen && moves.last.find(choice.key) != moves.last.end();
  }
  merge.refusals = std::move(choices.refusals);
  merge.variables = std::move(choices.of);
  merge.matching = matching_base(*sides);
  merge.sides = sides;
  return merge;
}

}  // namespace drydock::env_sync
