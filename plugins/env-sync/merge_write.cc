// The text of the merged file: the template's, with the operator's lines in their places.
#include <algorithm>
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
         const std::set<std::string, std::less<>>& frozen)
      : sides_(sides), choices_(choices), options_(options), frozen_(frozen) {}

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
      if (choice == nullptr || !has_a_line(*choice)) continue;
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
    if (!counts) {  // an earlier duplicate, that would show through
      while (text_.ends_with(' ') || text_.ends_with('\t')) text_.pop_back();
      return;
    }
    if (choice->text == Text::ours || choice->text == Text::generated) {
      write_ours(*choice, text_);
    } else if (choice->text == Text::comment) {
      text_ += without_blanks(*sides_.ours.commented(statement.key()));
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
    refer_to(*statement);
    to += statement->whole();
    end_line(to);
  }
  static void write_value(const Choice& choice, std::string& to) {
    append(to, choice.key, choice.ours.value_or(""));
  }
  static void append(std::string& to, std::string_view key, std::string_view value) {
    to.append(key).append("=").append(write_env_value(value)) += '\n';
  }
  bool is_frozen(std::string_view key) const {
    return !frozen_.empty() && frozen_.find(key) != frozen_.end();
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
  void write_own_comments(std::string_view key, std::string& to) {
    const EnvStatement* statement = sides_.ours.statement(key);
    if (statement == nullptr || statement->lead().empty()) return;
    const EnvStatement* old = sides_.base.statement(key);
    if (old != nullptr && old->lead() == statement->lead()) return;
    const Choice* choice = choices_.find(key);
    const auto lines = own_comments(statement->lead(), choice->text == Text::ours);
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
      if (!becomes_one) continue;
      for_each_line(statement.whole(),
                    [&result](std::string_view line) { result.append("# ").append(line) += '\n'; });
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

  void refer_to(const EnvStatement& statement) {
    for (const std::string_view name : interpolated_names(statement)) {
      if (names_.insert(name).second) waiting_.push_back(name);
    }
  }

  // Compose reads from top to bottom: what a line above refers to must stand above it.
  std::vector<const Choice*> referred_to() {
    for (const EnvStatement& statement : sides_.theirs.file().statements()) {
      const Choice* choice = choices_.find(statement.key());
      if (choice != nullptr && choice->text == Text::theirs) refer_to(statement);
    }
    std::vector<const Choice*> result;
    while (!waiting_.empty()) {
      const Choice* choice = choices_.find(waiting_.back());
      waiting_.pop_back();
      if (choice == nullptr || !has_a_line(*choice)) continue;
      if (sides_.theirs.statement(choice->key) != nullptr) continue;
      if (!placed_.emplace(choice->key).second) continue;
      refer_to(*sides_.ours.statement(choice->key));
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
          placed_.find(key) == placed_.end()) {
        result.push_back(&choice);
      }
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
  const std::set<std::string, std::less<>>& frozen_;
  mutable std::unordered_set<std::string_view> known_comments_;
  std::set<std::string, std::less<>> placed_;  // kept variables that have their place
  std::set<std::string_view> names_;           // that the lines written so far refer to
  std::vector<std::string_view> waiting_;      // those of them that were not looked at yet
  std::string text_;
};

}  // namespace

std::string write_merged(const Sides& sides, const Choices& choices, const MergeOptions& options,
                         const std::set<std::string, std::less<>>& frozen) {
  return Writer(sides, choices, options, frozen).write();
}

}  // namespace drydock::env_sync
