// The two halves of the merge: what becomes of each variable, and the text that comes of it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "merge.h"

namespace drydock::env_sync {

// One of the three files, evaluated.
class Side {
 public:
  // `name` is for the error: "the template".
  Side(const EnvFile* file, const std::string& name);

  bool exists() const { return file_ != nullptr; }
  const EnvFile& file() const { return *file_; }
  const EnvValues& values() const { return values_; }
  // The statement that counts; nullptr when there is none.
  const EnvStatement* statement(std::string_view key) const;
  std::optional<std::string> value(std::string_view key) const;
  // It has a line `# KEY=...`: that line, without its end.
  std::optional<std::string_view> commented(std::string_view key) const;

 private:
  const EnvFile* file_;
  EnvValues values_;
  std::map<std::string_view, std::string_view> commented_;
};

struct Sides {
  Side base, ours, theirs;
};

// Whose text stands in the result.
enum class Text { theirs, ours, comment, none };

struct Choice {
  MergedVariable variable;
  Text text = Text::theirs;
};

struct Choices {
  std::vector<Choice>
      of;  // first the template's variables in its order, then the operator's others
  std::vector<std::string> refusals;
  const Choice* find(std::string_view key) const;
  Choice* find(std::string_view key);
  void index();

 private:
  std::map<std::string, std::size_t, std::less<>> index_;
};

Choices decide(const Sides& sides, const MergeOptions& options);

// `frozen`: variables whose value is written in place of their text.
std::string write_merged(const Sides& sides, const Choices& choices,
                         const std::set<std::string, std::less<>>& frozen);

// The same text or the same value; false when one is missing.
bool same(const Side& left, const Side& right, std::string_view key);

// KEY of a line `# KEY=...`; "" of any other line.
std::string_view commented_key(std::string_view line);

// The lines of a text, without their ends.
std::vector<std::string_view> lines_of(std::string_view text);

}  // namespace drydock::env_sync
