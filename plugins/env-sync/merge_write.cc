// The text of the merged file: the template's, with the operator's lines in their places.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "merge_parts.h"

namespace drydock::env_sync {
namespace {

constexpr std::string_view mark = "# Kept from your .env: ";

std::string_view without_blanks(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) {
    line.remove_suffix(1);
  }
  return line;
}

bool is_comment(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  return first != line.npos && line[first] == '#';
}

class Writer {
 public:
  Writer(const Sides& sides, const Choices& choices, const MergeOptions& options,
         const Moves& moves)
      : sides_(sides), choices_(choices), options_(options), moves_(moves) {}

  std::string write() {
    text_.reserve(sides_.theirs.file().text().size() + sides_.ours.file().text().size() / 8);
    for (const EnvStatement& statement : sides_.theirs.file().statements()) {
      write_comments_of_template(statement.lead());
      write_in_template(statement);
    }
    write_comments_of_template(sides_.theirs.file().tail());
    const std::string above =
        block(referred_to(), "not in the new template, but referred to below");
    std::string below = block(others(), "not in the new template");
    below += block(last_ones(), "below what they refer to");
    below += comments_without_a_place();
    if (!below.empty() && !text_.empty()) {
      end_line(text_);
      if (!text_.ends_with("\n\n")) text_ += '\n';
    }
    return above + (above.empty() ? "" : "\n") + text_ + below;
  }

 private:
  // Built when it is first asked for: most files have no comment that the templates lack.
  bool in_a_template(std::string_view comment) const {
    if (known_comments_.empty()) {
      note_comments(sides_.theirs);
      if (sides_.base.exists()) note_comments(sides_.base);
    }
    return known_comments_.count(comment) != 0;
  }
  void note_comments(const Side& side) const {
    const auto note = [this](std::string_view lead) {
      for_each_line(lead, [this](std::string_view line) {
        if (is_comment(line)) known_comments_.insert(without_blanks(line));
      });
    };
    for (const EnvStatement& statement : side.file().statements()) note(statement.lead());
    note(side.file().tail());
  }
  static void end_line(std::string& text) {
    if (!text.empty() && text.back() != '\n') text += '\n';
  }

  // Under `# KEY=` of the template stands the KEY that the operator keeps.
  void write_comments_of_template(std::string_view lead) {
    while (!lead.empty()) {
      const std::size_t end = lead.find('\n');
      const bool last = end == lead.npos;
      const std::string_view line = lead.substr(0, last ? end : end + 1);
      text_ += line;
      lead.remove_prefix(line.size());
      const std::string_view key = commented_key(line);
      if (key.empty() || sides_.theirs.statement(key) != nullptr) continue;
      const Choice* choice = choices_.find(key);
      if (choice == nullptr || !has_a_line(*choice) || comes_last(key)) continue;
      if (!placed_.emplace(choice->key).second) continue;
      end_line(text_);
      write_ours(*choice, text_);
    }
  }

  void write_in_template(const EnvStatement& statement) {
    const Choice* choice = choices_.find(statement.key());
    const bool counts = sides_.theirs.statement(statement.key()) == &statement;
    if (choice == nullptr || choice->text == Text::theirs) {
      if (choice != nullptr && counts) write_own_comments(statement.key(), text_);
      if (choice != nullptr && counts && is_frozen(statement.key())) {
        write_value(*choice, text_);
      } else {
        text_ += statement.whole();
      }
      return;
    }
    if (!counts || comes_last(choice->key)) {  // an earlier duplicate would show through
      while (text_.ends_with(' ') || text_.ends_with('\t')) text_.pop_back();
      return;
    }
    if (choice->text == Text::ours || choice->text == Text::generated) {
      write_ours(*choice, text_);
    } else if (choice->text == Text::comment) {
      text_ += without_blanks(
          *sides_.ours.commented_here_alone(statement.key(), sides_.base, sides_.theirs));
      text_ += '\n';
    }
  }

  void write_ours(const Choice& choice, std::string& to) {
    write_own_comments(choice.key, to);
    if (choice.text == Text::generated) {
      append(to, choice.key, options_.generated.find(choice.key)->second);
      return;
    }
    if (is_frozen(choice.key)) {
      write_value(choice, to);
      return;
    }
    const EnvStatement* statement = sides_.ours.statement(choice.key);
    if (refers_to_itself(*statement)) {
      for (const EnvStatement* earlier : before(*statement)) copy_ours(*earlier, to);
    }
    copy_ours(*statement, to);
  }
  void copy_ours(const EnvStatement& statement, std::string& to) {
    refer_to(statement, &statement);
    to += statement.whole();
    end_line(to);
  }
  // An earlier statement that the last one repeats.
  bool goes_on(const EnvStatement& earlier, const Choice* choice) const {
    if (choice == nullptr || choice->text != Text::ours || is_frozen(choice->key)) return false;
    return refers_to_itself(*sides_.ours.statement(earlier.key()));
  }
  static bool refers_to_itself(const EnvStatement& statement) {
    const auto names = interpolated_names(statement);
    return std::find(names.begin(), names.end(), statement.key()) != names.end();
  }
  // The operator's earlier statements of the same variable: `A=${A},more` goes on from them.
  const std::vector<const EnvStatement*>& before(const EnvStatement& last) {
    if (!knows_repeated_) {
      knows_repeated_ = true;
      for (const EnvStatement& each : sides_.ours.file().statements()) {
        if (sides_.ours.statement(each.key()) != &each) repeated_[each.key()].push_back(&each);
      }
    }
    return repeated_[last.key()];
  }
  static void write_value(const Choice& choice, std::string& to) {
    append(to, choice.key, choice.ours.value_or(""));
  }
  static void append(std::string& to, std::string_view key, std::string_view value) {
    to.append(key).append("=").append(write_env_value(value)) += '\n';
  }
  bool is_frozen(std::string_view key) const {
    return !moves_.frozen.empty() && moves_.frozen.find(key) != moves_.frozen.end();
  }
  bool comes_last(std::string_view key) const {
    return !moves_.last.empty() && moves_.last.find(key) != moves_.last.end() && !is_frozen(key);
  }
  static bool has_a_line(const Choice& choice) {
    return choice.text == Text::ours || choice.text == Text::generated;
  }

  // The operator's comments above her statement. Without the old template only those of what is
  // hers count: the others may well be the old template's.
  std::vector<std::string_view> own_comments(std::string_view lead, bool hers) const {
    if (sides_.base.exists()) return own_lines(lead);
    if (!hers) return {};
    for (std::size_t end = lead.rfind('\n'); end != lead.npos && end > 0;) {
      const std::size_t begin = lead.rfind('\n', end - 1);
      const std::size_t line = begin == lead.npos ? 0 : begin + 1;
      if (without_blanks(lead.substr(line, end - line)).empty()) return own_lines(lead.substr(end));
      end = begin;
    }
    return own_lines(lead);
  }
  std::vector<std::string_view> own_lines(std::string_view lead) const {
    std::vector<std::string_view> result;
    for_each_line(lead, [&](std::string_view line) {
      if (!is_comment(line)) return;
      if (line.starts_with(mark) || in_a_template(without_blanks(line))) return;
      const Choice* named = choices_.find(commented_key(line));
      const bool elsewhere = named != nullptr && named->text == Text::comment &&
                             named->decision == Decision::stays_commented;
      if (!elsewhere) result.push_back(line);
    });
    return result;
  }
  // Only with the old template at hand one can tell that it is not from there.
  bool is_her_note(const EnvStatement& mine) const {
    const std::string_view note = note_of(mine);
    const EnvStatement* old = sides_.base.statement(mine.key());
    const EnvStatement* theirs = sides_.theirs.statement(mine.key());
    return !note.empty() && old != nullptr && note != note_of(*old) &&
           (theirs == nullptr || note != note_of(*theirs));
  }
  void write_own_comments(std::string_view key, std::string& to) {
    const EnvStatement* statement = sides_.ours.statement(key);
    if (statement == nullptr) return;
    const EnvStatement* old = sides_.base.statement(key);
    const Choice* choice = choices_.find(key);
    std::vector<std::string_view> lines;
    if (!statement->lead().empty() && (old == nullptr || old->lead() != statement->lead())) {
      lines = own_comments(statement->lead(), choice->text == Text::ours);
    }
    const bool new_text = choice->text != Text::ours || is_frozen(key);
    if (new_text && is_her_note(*statement)) lines.push_back(note_of(*statement));
    if (lines.empty()) return;
    const std::size_t indentation =
        to.find_last_of('\n') == to.npos ? 0 : to.find_last_of('\n') + 1;
    const std::string indent = to.substr(indentation);
    const bool only_blanks = indent.find_first_not_of(" \t") == indent.npos;
    if (!only_blanks) end_line(to);
    if (only_blanks) to.resize(indentation);
    for (const std::string_view line : lines) to.append(without_blanks(line)) += '\n';
    if (only_blanks) to += indent;
  }

  // With the old template at hand no comment of hers is lost, wherever it stood.
  std::string comments_without_a_place() const {
    if (!sides_.base.exists()) return comments_kept_before();
    std::string result;
    const auto add = [&](std::string_view lead) {
      for (const std::string_view line : own_comments(lead, true)) {
        result.append(without_blanks(line)) += '\n';
      }
    };
    for (const EnvStatement& statement : sides_.ours.file().statements()) {
      const Choice* choice = choices_.find(statement.key());
      const bool written = sides_.ours.statement(statement.key()) == &statement &&
                           choice != nullptr && choice->text != Text::none;
      const bool becomes_one = choice != nullptr && choice->decision == Decision::removed_commented;
      if (!written || becomes_one) add(statement.lead());
      const bool copied = written || goes_on(statement, choice);
      if (!copied && is_her_note(statement)) {
        result.append(note_of(statement)) += '\n';
      }
      if (!becomes_one) continue;
      for_each_line(statement.whole(), [&result](std::string_view line) {
        if (line.ends_with('\r')) line.remove_suffix(1);
        result.append("# ").append(line) += '\n';
      });
    }
    add(sides_.ours.file().tail());
    return result.empty() ? "" : std::string(mark) + "comments\n" + result;
  }

  // Those that an earlier merge has put there, which knew that they are hers.
  std::string comments_kept_before() const {
    const std::string heading = std::string(mark) + "comments\n";
    const std::string_view tail = sides_.ours.file().tail();
    const std::size_t at = tail.find(heading);
    if (at == tail.npos) return "";
    std::string result;
    for (const std::string_view line : own_lines(tail.substr(at + heading.size()))) {
      result.append(without_blanks(line)) += '\n';
    }
    return result.empty() ? "" : heading + result;
  }

  // `as_before`: where it stood in the operator's file, when it must mean what it meant there; what
  // stood below it was not there yet when it was read.
  void refer_to(const EnvStatement& statement, const EnvStatement* as_before) {
    for (const std::string_view name : interpolated_names(statement)) {
      const EnvStatement* read = sides_.ours.statement(name);
      if (as_before != nullptr && read != nullptr && read >= as_before) continue;
      if (names_.insert(name).second) waiting_.push_back(name);
    }
  }

  // Compose reads from top to bottom: what a line above refers to must stand above it.
  std::vector<const Choice*> referred_to() {
    for (const EnvStatement& statement : sides_.theirs.file().statements()) {
      const Choice* choice = choices_.find(statement.key());
      if (choice == nullptr || choice->text != Text::theirs) continue;
      const bool stays =
          choice->decision == Decision::unchanged || choice->decision == Decision::converged;
      refer_to(statement, stays ? sides_.ours.statement(choice->key) : nullptr);
    }
    std::vector<const Choice*> result;
    while (!waiting_.empty()) {
      const Choice* choice = choices_.find(waiting_.back());
      waiting_.pop_back();
      if (choice == nullptr || !has_a_line(*choice) || comes_last(choice->key)) continue;
      if (sides_.theirs.statement(choice->key) != nullptr) continue;
      if (!placed_.emplace(choice->key).second) continue;
      const EnvStatement* statement = sides_.ours.statement(choice->key);
      refer_to(*statement, statement);
      result.push_back(choice);
    }
    sort_as_in_ours(result);
    return result;
  }
  std::vector<const Choice*> others() const {
    std::vector<const Choice*> result;
    for (const Choice& choice : choices_.of) {
      const std::string_view key = choice.key;
      if (has_a_line(choice) && sides_.theirs.statement(key) == nullptr &&
          placed_.find(key) == placed_.end() && !comes_last(key)) {
        result.push_back(&choice);
      }
    }
    sort_as_in_ours(result);
    return result;
  }
  std::vector<const Choice*> last_ones() const {
    std::vector<const Choice*> result;
    if (moves_.last.empty()) return result;
    for (const Choice& choice : choices_.of) {
      if (comes_last(choice.key)) result.push_back(&choice);
    }
    sort_as_in_ours(result);
    return result;
  }
  void sort_as_in_ours(std::vector<const Choice*>& list) const {
    std::sort(list.begin(), list.end(), [this](const Choice* a, const Choice* b) {
      return sides_.ours.statement(a->key) < sides_.ours.statement(b->key);
    });
  }
  std::string block(const std::vector<const Choice*>& list, const std::string& title) {
    if (list.empty()) return "";
    std::string result = std::string(mark) + title + "\n";
    for (const Choice* choice : list) write_ours(*choice, result);
    return result;
  }

  const Sides& sides_;
  const Choices& choices_;
  const MergeOptions& options_;
  const Moves& moves_;
  mutable std::unordered_set<std::string_view> known_comments_;
  std::unordered_map<std::string_view, std::vector<const EnvStatement*>> repeated_;
  bool knows_repeated_ = false;
  std::set<std::string, std::less<>> placed_;  // kept variables that have their place
  std::set<std::string_view> names_;           // that the lines written so far refer to
  std::vector<std::string_view> waiting_;      // those of them that were not looked at yet
  std::string text_;
};

}  // namespace

std::string write_merged(const Sides& sides, const Choices& choices, const MergeOptions& options,
                         const Moves& moves) {
  return Writer(sides, choices, options, moves).write();
}

}  // namespace drydock::env_sync
