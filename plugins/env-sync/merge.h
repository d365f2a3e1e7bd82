// The three-way merge of an operator's `.env` with a new release's template. Pure: no files, no
// processes.
//
// Values are compared as Compose evaluates them; what is kept is kept byte for byte. The result has
// the new template's order and comments; variables that the template lacks stand in a block at its
// end, with the operator's own comments.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "env_file.h"

namespace drydock::env_sync {

enum class Defaults {
  automatic,  // what the operator never touched follows the new default, sticky variables do not
  keep,       // nothing effective changes
  adopt       // sticky ones follow too
};

// What becomes of a variable that the new template lacks and the operator never touched.
enum class Removed {
  keep,           // stays as it is
  comment,        // stays as a comment
  drop_untouched  // goes
};

struct MergeOptions {
  Defaults defaults = Defaults::automatic;
  Removed removed = Removed::keep;
  std::map<std::string, std::string, std::less<>> renames;    // old name, new name
  std::map<std::string, std::string, std::less<>> generated;  // values for variables without one
  std::vector<std::string> sticky;                            // globs
  std::vector<std::vector<std::string>> linked;               // groups of names
  // Services of the old Compose model that the new one lacks, and those that it has.
  std::set<std::string> retired_services;
  std::set<std::string> services;
  // Variables that the new compose files refer to: they work only where they stand.
  std::set<std::string> interpolated;
  // What a file may refer to beside its own variables: HOME and the like.
  EnvLookup environment;
};

enum class Decision {
  unchanged,
  derived,            // not changed itself, but it refers to a variable that was
  custom,             // the operator's; the template did not change it
  converged,          // the operator's, and now the template's too
  conflict,           // both changed it: the operator's stays
  unproven,           // differs from the template, and there is no old template to tell why
  had_already,        // new in the template, but the operator had it: hers stays
  adopted,            // untouched: follows the new default
  followed,           // named a service that left: follows the template even where sticky
  kept_sticky,        // untouched, but identity, credentials or state
  kept_linked,        // untouched, but belongs to one that could not be adopted
  kept_default,       // untouched, but the options say so
  added,              // new in the template
  restored,           // was in the old template too, and not in the operator's file
  stays_commented,    // the operator commented it out
  renamed,            // the operator's value of a variable that has a new name
  generated,          // had no value: a new secret
  own,                // the operator's own: never in a template
  removed_custom,     // no longer in the template: the operator's value stays
  removed_untouched,  // no longer in the template, never touched: stays
  removed_commented,  // no longer in the template, never touched: stays as a comment
  dropped,            // no longer in the template, never touched: goes
  commented_out       // commented out in the template and never touched: no longer set
};

// Whose text stands in the result.
enum class Text : unsigned char { theirs, ours, comment, generated, none };

// Views into the files and what they evaluate to, which the Merge keeps.
struct MergedVariable {
  std::string_view key;
  std::optional<std::string_view> base, ours, theirs, result;  // evaluated; nullopt: not set
  std::string because;  // the variable or service that decided it
  Decision decision = Decision::unchanged;
  Text text = Text::theirs;
  bool frozen = false;  // its text had to be replaced by its value, since what it refers to moved
  bool last = false;    // its text stands at the end instead
};

struct Sides;

struct Merge {
  std::shared_ptr<const std::string> text;
  std::vector<MergedVariable> variables;  // in the order of the result
  // Sentences that say what the operator must decide first. Not empty: the text must not be used.
  std::vector<std::string> refusals;
  std::size_t matching = 0;  // variables of the old template that have its value in the `.env`
  std::shared_ptr<const Sides> sides;    // what the views of `variables` look into,
  std::shared_ptr<const EnvValues> now;  // and what the text evaluates to

  std::size_t count(Decision decision) const;
};

// One of the three files is no env file; the text begins with `file`, "" for a merge that cannot
// be proven.
struct MergeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// base: the template that `ours` was made from; nullptr when nobody knows.
Merge merge_env(const EnvFile* base, const EnvFile& ours, const EnvFile& theirs,
                const MergeOptions& options);

}  // namespace drydock::env_sync
