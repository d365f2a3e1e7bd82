// The two halves of the merge: what becomes of each variable, and the text that comes of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "merge.h"

namespace drydock::env_sync {

// One of the three files, evaluated. Borrows the file.
class Side {
 public:
  Side() = default;
  // `name` is for the error: "the template".
  Side(const EnvFile* file, const std::string& name, const EnvLookup& environment);

  bool exists() const { return file_ != nullptr; }
  const EnvFile& file() const { return *file_; }
  const EnvValues& values() const { return values_; }
  // The statement that counts; nullptr when there is none.
  const EnvStatement* statement(std::string_view key) const;
  std::optional<std::string_view> value(std::string_view key) const;
  // It has a line `# KEY=...`: that line, without its end.
  std::optional<std::string_view> commented(std::string_view key) const;
  // One of those lines sets what `line` sets.
  bool has_commented(std::string_view key, std::string_view line) const;
  // The last of those lines that neither of the others has.
  std::optional<std::string_view> commented_here_alone(std::string_view key, const Side& one,
                                                       const Side& other) const;

 private:
  const EnvFile* file_ = nullptr;
  EnvValues values_;
  std::multimap<std::string_view, std::string_view> commented_;
};

struct Sides {
  std::optional<EnvFile> renamed_base, renamed_ours;            // what base and ours then look into
  std::map<std::string, std::string, std::less<>> old_name_of;  // by the new name
  Side base, ours, theirs;
};

using Choice = MergedVariable;

class Choices {
 public:
  explicit Choices(const Sides& sides) : sides_(&sides) {}

  // First the template's variables in its order, then the operator's others in hers.
  std::vector<Choice> of;
  std::vector<std::string> refusals;
  const Choice* find(std::string_view key) const;
  Choice* find(std::string_view key);
  void add_own(Choice choice, std::size_t position_in_ours);

 private:
  const Sides* sides_;
  std::vector<std::uint32_t> own_;  // by position in ours: 1 + place in `of`; 0: none
};

Choices decide(const Sides& sides, const MergeOptions& options);

using Keys = std::set<std::string, std::less<>>;

// Where a line of the operator's would mean something else in the template's order.
struct Moves {
  Keys last;    // variables whose lines stand below all that they refer to
  Keys frozen;  // variables whose value is written in place of their text
};

std::string write_merged(const Sides& sides, const Choices& choices, const MergeOptions& options,
                         const Moves& moves);

// The same text or the same value; false when one is missing.
bool same(const Side& left, const Side& right, std::string_view key);

// Looks at base and ours by the new names of variables. Borrows the files that need no change.
void look_at(Sides& sides, const EnvFile* base, const EnvFile& ours, const EnvFile& theirs,
             const MergeOptions& options);

// The operator wrote the value otherwise than the old template, though it may be the same.
bool is_her_text(const Sides& sides, const EnvStatement& ours);

// The comment behind a value, from its # on; "" when there is none.
std::string_view note_of(const EnvStatement& statement);

// KEY of a line `# KEY=...`; "" of any other line.
std::string_view commented_key(std::string_view line);

// Each line of a text, without its end.
template <class Visit>
void for_each_line(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace drydock::env_sync
