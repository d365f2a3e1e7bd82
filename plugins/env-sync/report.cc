#include "report.h"

#include <algorithm>
#include <array>
#include <map>

#include "difference.h"
#include "merge_parts.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

// Each change is a message to the host: more than a person can want are counted in one.
constexpr std::size_t most_rows = 5000;
// And longer values than a message can hold are cut.
constexpr std::size_t longest_shown = 256u << 10;

struct Wording {
  const char* action;
  const char* detail;  // %: the variable or service that decided it
  const char* total;   // what the totals call it
};

// What a person must look at comes before what is only good to know.
constexpr std::array most_important_first = {Decision::followed,
                                             Decision::conflict,
                                             Decision::adopted,
                                             Decision::derived,
                                             Decision::renamed,
                                             Decision::generated,
                                             Decision::commented_out,
                                             Decision::dropped,
                                             Decision::removed_commented,
                                             Decision::unproven,
                                             Decision::removed_custom,
                                             Decision::kept_linked,
                                             Decision::kept_sticky,
                                             Decision::had_already,
                                             Decision::custom,
                                             Decision::stays_commented,
                                             Decision::own,
                                             Decision::kept_default,
                                             Decision::unchanged,
                                             Decision::converged,
                                             Decision::added,
                                             Decision::restored,
                                             Decision::removed_untouched};

Wording wording(Decision decision, bool set) {
  switch (decision) {
    case Decision::unchanged:
    case Decision::converged:
      return {"keep", "", "unchanged"};
    case Decision::derived:
      return {"change", "refers to %, which changes", "derived"};
    case Decision::custom:
      return {"keep", "your value", "kept"};
    case Decision::conflict:
      return {"keep", "your value; the template changed its own too", "in conflict"};
    case Decision::unproven:
      return {"keep", "differs from the template; no old template tells why", "kept"};
    case Decision::had_already:
      return {"keep", "your value; new in the template", "kept"};
    case Decision::adopted:
      return {"change", "never touched: follows the new default", "adopted"};
    case Decision::followed:
      return {set ? "change" : "remove", "named the service %, which left", "adopted"};
    case Decision::kept_sticky:
      return {"keep", "never touched, but not changed by itself (sticky)", "kept"};
    case Decision::kept_linked:
      return {"keep", "belongs to %, which stays", "kept"};
    case Decision::kept_default:
      return {"keep", "never touched; `defaults: keep`", "kept"};
    case Decision::added:
      return {"add", "new in the template", "added"};
    case Decision::restored:
      return {"add", "in the old template too, but not in your .env", "added"};
    case Decision::stays_commented:
      return {"keep", "stays commented out, as you have it", "kept"};
    case Decision::renamed:
      return {"change", "your value of %, which has this name now", "renamed"};
    case Decision::generated:
      return {"change", "had no value: a new secret", "generated"};
    case Decision::own:
      return {"keep", "your own: not in the template", "kept"};
    case Decision::removed_custom:
      return {"keep", "your value; no longer in the template", "kept"};
    case Decision::removed_untouched:
      return {"keep", "no longer in the template", "kept"};
    case Decision::removed_commented:
      return {"remove", "never touched, no longer in the template: a comment now", "removed"};
    case Decision::dropped:
      return {"remove", "never touched, no longer in the template", "removed"};
    case Decision::commented_out:
      return {"remove", "never touched, and commented out in the template", "removed"};
  }
  return {"keep", "", "unchanged"};
}

// Also where only one of the files has what looks like a secret.
bool is_secret(const MergedVariable& variable) {
  const auto secret = [](const std::optional<std::string_view>& value) {
    return value && is_secret_value(*value);
  };
  return secret(variable.ours) || secret(variable.result) || secret(variable.theirs) ||
         secret(variable.base) || is_secret_name(variable.key);
}

std::string shown(const MergedVariable& variable, const std::optional<std::string_view>& value) {
  if (!value || value->empty()) return "";
  if (is_secret(variable)) return "(secret)";
  if (value->size() <= longest_shown) return std::string(*value);
  return std::string(value->substr(0, longest_shown)) + "… (" + std::to_string(value->size()) +
         " bytes)";
}

// Everybody can read it in the template.
bool is_public_secret(const MergedVariable& variable) {
  return variable.result && !variable.result->empty() &&
         (variable.result == variable.theirs || variable.result == variable.base) &&
         is_secret(variable);
}

void add(std::string& text, const std::string& more) {
  if (!more.empty()) text += (text.empty() ? "" : "; ") + more;
}

std::string kind(const MergedVariable& variable, const std::optional<std::string_view>& before,
                 const std::optional<std::string_view>& after) {
  const std::string found =
      kind_of_difference(variable.key, before.value_or(""), after.value_or(""));
  const bool tells_nothing = found == "emptied" || found == "set";
  return is_secret(variable) && !tells_nothing && !found.empty() ? "another secret" : found;
}

std::string where_it_went(const Sync& sync, std::string_view key) {
  const auto found = sync.elsewhere.find(key);
  if (found == sync.elsewhere.end()) return "";
  std::string text = "now in " + found->second[0];
  if (found->second.size() > 1) {
    text += " and " + std::to_string(found->second.size() - 1) + " more";
  }
  if (sync.interpolated.count(std::string(key)) != 0) {
    text += ", but the compose files take it from .env: it must stay here";
  }
  return text;
}

std::string detail_of(const Sync& sync, const MergedVariable& variable) {
  const Wording words = wording(variable.decision, variable.result.has_value());
  std::string text = words.detail;
  if (const std::size_t at = text.find('%'); at != text.npos) {
    text.replace(at, 1, variable.because);
  }
  const bool changes = variable.ours && variable.result && variable.ours != variable.result;
  if (changes) {
    const std::string how = kind(variable, variable.ours, variable.result);
    if (!how.empty()) text = how + "; " + text;
  } else if (variable.ours && variable.theirs && variable.ours != variable.theirs) {
    const std::string how = kind(variable, variable.ours, variable.theirs);
    const std::string theirs = shown(variable, variable.theirs);
    add(text, "the template has " + (theirs.empty() ? "no value" : theirs) +
                  (how.empty() ? "" : " (" + how + ")"));
  }
  if (!variable.theirs) add(text, where_it_went(sync, variable.key));
  if (is_public_secret(variable)) add(text, "everybody knows it: it is the template's default");
  if (variable.frozen) add(text, "written as its value, since what it refers to moved");
  if (variable.last) add(text, "stands at the end, below what it refers to");
  return text;
}

Change change_of(const Sync& sync, const MergedVariable& variable) {
  Change change{"variable", wording(variable.decision, variable.result.has_value()).action,
                std::string(variable.key)};
  change.before = shown(variable, variable.ours);
  change.after = shown(variable, variable.result);
  change.detail = detail_of(sync, variable);
  return change;
}

using Rows = std::vector<const MergedVariable*>;

Rows public_secrets(const Sync& sync) {
  Rows found;
  for (const MergedVariable& variable : sync.merge.variables) {
    if (is_public_secret(variable)) found.push_back(&variable);
  }
  return found;
}

bool goes_without_saying(const MergedVariable& variable) {
  return variable.decision == Decision::unchanged || variable.decision == Decision::converged;
}

// Those of which something is said, in the order of their importance.
Rows worth_a_row(const Sync& sync, const Rows& known_secrets) {
  std::map<Decision, Rows> by_decision;
  for (const MergedVariable& variable : sync.merge.variables) {
    if (!goes_without_saying(variable)) by_decision[variable.decision].push_back(&variable);
  }
  for (const MergedVariable* variable : known_secrets) {
    if (goes_without_saying(*variable)) by_decision[Decision::unchanged].push_back(variable);
  }
  Rows rows;
  for (const Decision decision : most_important_first) {
    const Rows& some = by_decision[decision];
    rows.insert(rows.end(), some.begin(), some.end());
  }
  return rows;
}

std::string count_of(std::size_t count, const char* one, const char* several) {
  return std::to_string(count) + " " + (count == 1 ? one : several);
}

std::string file_detail(const Sync& sync, bool existed, std::size_t known_secrets) {
  std::string text = totals(sync);
  if (!existed) text = "from the template; check its credentials; " + text;
  std::size_t moved = 0;
  for (const MergedVariable& variable : sync.merge.variables) {
    if (!variable.theirs && variable.ours && sync.elsewhere.count(variable.key) != 0) ++moved;
  }
  if (moved > 0) add(text, count_of(moved, "has", "have") + " moved to other templates");
  if (known_secrets > 0) {
    add(text, count_of(known_secrets, "secret is", "secrets are") + " the template's default");
  }
  std::string leaving;
  for (const std::string& service : sync.retired)
    leaving += (leaving.empty() ? "" : ", ") + service;
  if (!leaving.empty()) add(text, "services that leave: " + leaving);
  add(text, sync.proof);
  return text;
}

std::size_t line_of(const std::optional<EnvFile>& file, const Side& side, std::string_view key) {
  const std::size_t at = side.exists() ? side.values().statement(key) : EnvValues::npos;
  return !file || at >= file->statements().size() ? 0 : file->line_of(file->statements()[at]);
}

// What one file says of a variable.
void say_source(Call& call, const MergedVariable& variable, const std::string& where,
                const std::optional<EnvFile>& file, const Side& side,
                const std::optional<std::string_view>& value) {
  Change source{"variable", "keep", std::string(variable.key) + " in " + where};
  const std::size_t line = line_of(file, side, variable.key);
  if (value) {
    source.after = value->empty() ? "(empty)" : shown(variable, value);
    source.detail = line == 0 ? "" : "line " + std::to_string(line);
  } else {
    source.detail = side.exists() && side.commented(variable.key) ? "commented out" : "not there";
  }
  if (source.detail.empty()) source.detail = "under another name";
  call.change(source);
}

}  // namespace

std::string totals(const Sync& sync) {
  std::map<std::string_view, std::size_t> counts;
  for (const MergedVariable& variable : sync.merge.variables) {
    ++counts[wording(variable.decision, variable.result.has_value()).total];
  }
  std::string text;
  for (const char* total : {"unchanged", "kept", "adopted", "derived", "renamed", "generated",
                            "added", "removed", "in conflict"}) {
    if (counts[total] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts[total]) + " " + total;
  }
  text += "; base " + sync.base_name;
  if (sync.base) {
    text += ": " + std::to_string(sync.merge.matching) + " of " +
            std::to_string(sync.base_variables) + " match";
  }
  return text;
}

void report(Call& call, const Sync& sync, bool existed, bool writes) {
  Change file{"file", !writes ? "keep" : existed ? "change" : "add", call.text("/env")};
  const Rows known_secrets = public_secrets(sync);
  file.detail = file_detail(sync, existed, known_secrets.size());
  call.change(file);
  Rows rows = worth_a_row(sync, known_secrets);
  if (!existed) {  // all of it is new
    std::erase_if(rows, [](const auto* row) { return row->decision != Decision::generated; });
  }
  for (std::size_t i = 0; i < rows.size() && i < most_rows; ++i) {
    call.change(change_of(sync, *rows[i]));
  }
  std::map<std::string, std::size_t> others;  // by what becomes of them
  for (std::size_t i = most_rows; i < rows.size(); ++i) {
    ++others[wording(rows[i]->decision, rows[i]->result.has_value()).action];
  }
  for (const auto& [action, count] : others) {
    Change more{"variable", action, count_of(count, "variable", "variables")};
    more.detail = "more, of which the totals tell";
    call.change(more);
  }
}

void explain(Call& call, const Sync& sync, const std::string& key) {
  const auto& variables = sync.merge.variables;
  const auto found = std::find_if(variables.begin(), variables.end(),
                                  [&](const auto& each) { return each.key == key; });
  if (found == variables.end()) {
    const std::string elsewhere = where_it_went(sync, key);
    throw Failed("explain: neither " + call.text("/env") + " nor the new template has a variable " +
                 key + (elsewhere.empty() ? "" : "; it is " + elsewhere) +
                 "; names are case-sensitive");
  }
  Change change = change_of(sync, *found);
  if (change.detail.empty()) change.detail = "the same everywhere";
  call.change(change);
  const Sides& sides = *sync.merge.sides;
  say_source(call, *found, call.text("/env"), sync.ours, sides.ours, found->ours);
  if (sync.base) {
    say_source(call, *found, "the old template (" + sync.base_name + ")", sync.base, sides.base,
               found->base);
  }
  say_source(call, *found, "the new template", sync.theirs, sides.theirs, found->theirs);
  if (const auto where = sync.elsewhere.find(key); where != sync.elsewhere.end()) {
    for (const std::string& file : where->second) {
      call.change({"variable", "keep", key + " in " + file, "", "", "another template"});
    }
  }
}

}  // namespace drydock::env_sync
