#include "report.h"

#include <map>

#include "variable_names.h"

namespace drydock::env_sync {
namespace {

// More of one kind are told in one line.
constexpr std::size_t most_of_a_kind = 20;

struct Wording {
  const char* action;
  const char* detail;  // %: the variable or service that decided it
  const char* total;   // what the totals call it
};

std::optional<Wording> wording(Decision decision, bool set) {
  switch (decision) {
    case Decision::unchanged:
    case Decision::converged:
      return std::nullopt;
    case Decision::derived:
      return Wording{"change", "refers to %, which changes", "derived"};
    case Decision::custom:
      return Wording{"keep", "your value", "kept"};
    case Decision::conflict:
      return Wording{"keep", "your value; the template changed its own too", "conflicts"};
    case Decision::unproven:
      return Wording{"keep", "differs from the template; no old template tells why", "kept"};
    case Decision::had_already:
      return Wording{"keep", "your value; new in the template", "kept"};
    case Decision::adopted:
      return Wording{"change", "never touched: follows the new default", "adopted"};
    case Decision::followed:
      return Wording{set ? "change" : "remove", "named the service %, which left", "adopted"};
    case Decision::kept_sticky:
      return Wording{"keep", "never touched, but not changed by itself (sticky)", "kept"};
    case Decision::kept_linked:
      return Wording{"keep", "belongs to %, which stays", "kept"};
    case Decision::kept_default:
      return Wording{"keep", "never touched; `defaults: keep`", "kept"};
    case Decision::added:
      return Wording{"add", "new in the template", "added"};
    case Decision::restored:
      return Wording{"add", "in the old template too, but not in your .env", "added"};
    case Decision::stays_commented:
      return Wording{"keep", "stays commented out, as you have it", "kept"};
    case Decision::own:
      return Wording{"keep", "your own: not in the template", "kept"};
    case Decision::removed_custom:
      return Wording{"keep", "your value; no longer in the template", "kept"};
    case Decision::removed_untouched:
      return Wording{"keep", "no longer in the template", "kept"};
    case Decision::commented_out:
      return Wording{"remove", "never touched, and commented out in the template", "removed"};
  }
  return std::nullopt;
}

std::string with_reason(std::string detail, const std::string& because) {
  if (const std::size_t at = detail.find('%'); at != detail.npos) detail.replace(at, 1, because);
  return detail;
}

// As a person may see it, also where only one of both sides looks like a secret.
std::string shown_side(const MergedVariable& variable, const std::optional<std::string>& value) {
  if (!value || value->empty()) return "";
  const bool secret = is_secret(variable.key, variable.ours.value_or("")) ||
                      is_secret(variable.key, variable.result.value_or(""));
  return secret ? "(secret)" : *value;
}

void report_one(Call& call, const MergedVariable& variable, const Wording& words) {
  Change change{"variable", words.action, variable.key};
  change.before = shown_side(variable, variable.ours);
  change.after = shown_side(variable, variable.result);
  change.detail = with_reason(words.detail, variable.because);
  if (variable.decision == Decision::conflict) {
    change.detail += " (to " + shown_side(variable, variable.theirs) + ")";
  }
  if (variable.frozen) change.detail += "; written as its value, since what it refers to moved";
  call.change(change);
}

}  // namespace

std::string totals(const Sync& sync) {
  std::map<std::string, std::size_t> counts;
  for (const MergedVariable& variable : sync.merge.variables) {
    const auto words = wording(variable.decision, variable.result.has_value());
    ++counts[words ? words->total : "unchanged"];
  }
  std::string text;
  for (const char* total :
       {"unchanged", "kept", "adopted", "derived", "added", "removed", "conflicts"}) {
    if (counts[total] == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts[total]) + " " + total;
  }
  text += "; base: " + sync.base;
  if (sync.base_variables > 0) {
    text += " (" + std::to_string(sync.merge.matching) + " of " +
            std::to_string(sync.base_variables) + " match)";
  }
  return text;
}

void report(Call& call, const Sync& sync, bool existed) {
  Change file{"file", existed ? "change" : "add", call.text("/env")};
  file.detail = existed ? totals(sync) : "from the template; check its passwords and keys";
  call.change(file);
  if (!existed) return;
  std::map<Decision, std::vector<const MergedVariable*>> by_decision;
  for (const MergedVariable& variable : sync.merge.variables) {
    by_decision[variable.decision].push_back(&variable);
  }
  for (const auto& [decision, variables] : by_decision) {
    const bool kept =
        wording(decision, true).value_or(Wording{"", "", ""}).total == std::string_view("kept");
    if (kept && variables.size() > most_of_a_kind) {
      const auto words = wording(decision, true);
      Change change{"variable", words->action, std::to_string(variables.size()) + " variables"};
      change.detail = with_reason(words->detail, "others");
      call.change(change);
      continue;
    }
    for (const MergedVariable* variable : variables) {
      const auto words = wording(decision, variable->result.has_value());
      if (words) report_one(call, *variable, *words);
    }
  }
}

}  // namespace drydock::env_sync
