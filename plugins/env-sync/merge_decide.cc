// What becomes of each variable: the table of the three-way merge, then what ties variables
// together.
#include <algorithm>

#include "merge_parts.h"
#include "services.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

class Decider {
 public:
  Decider(const Sides& sides, const MergeOptions& options)
      : sides_(sides), options_(options), choices_(sides) {}

  Choices decide() {
    const EnvValues &theirs = sides_.theirs.values(), &ours = sides_.ours.values();
    choices_.of.reserve(theirs.size());
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      choices_.of.push_back(in_template(theirs.key_at(i)));
      name_renamed(choices_.of.back());
    }
    for (std::size_t i = 0; i < ours.size(); ++i) {
      const std::string_view key = ours.key_at(i);
      if (theirs.position(key) == EnvValues::npos) choices_.add_own(not_in_template(key), i);
    }
    follow_services();
    keep_what_the_operator_refers_to();
    while (keep_linked()) {
    }
    generate();
    return std::move(choices_);
  }

 private:
  Choice begin(std::string_view key) const {
    Choice choice;
    choice.key = key;
    choice.base = sides_.base.value(key);
    choice.ours = sides_.ours.value(key);
    choice.theirs = sides_.theirs.value(key);
    return choice;
  }
  static Choice& set(Choice& choice, Decision decision, Text text) {
    choice.decision = decision;
    choice.text = text;
    return choice;
  }
  // Differs from what the old template had: somebody decided it.
  bool touched(std::string_view key) const { return !same(sides_.base, sides_.ours, key); }

  // The template has the same value: does her line stay all the same?
  bool stays_as_written(const EnvStatement& ours, const EnvStatement* base,
                        const EnvStatement& theirs) const {
    // What refers to other variables would no longer follow them.
    if (ours.interpolated() && is_her_text(sides_, ours)) return true;
    if (ours.whole() == theirs.whole()) return false;
    // Her inline comment or way of quoting, where the template did not change its own.
    if (base != nullptr && theirs.whole() == base->whole()) return true;
    const std::string_view hers = note_of(ours), of_theirs = note_of(theirs);
    if (hers.empty() || hers == of_theirs) return false;
    return base == nullptr ? of_theirs.empty() : hers != note_of(*base);
  }

  Choice in_template(std::string_view key) const {
    Choice choice = begin(key);
    const EnvStatement* ours = sides_.ours.statement(key);
    const EnvStatement* base = sides_.base.statement(key);
    const EnvStatement* theirs = sides_.theirs.statement(key);
    if (ours == nullptr) {
      if (sides_.ours.commented_here_alone(key, sides_.base, sides_.theirs))
        return set(choice, Decision::stays_commented, Text::comment);
      return set(choice, base != nullptr ? Decision::restored : Decision::added, Text::theirs);
    }
    if (same(sides_.ours, sides_.theirs, key)) {
      const bool converged = base != nullptr && touched(key);
      return set(choice, converged ? Decision::converged : Decision::unchanged,
                 stays_as_written(*ours, base, *theirs) ? Text::ours : Text::theirs);
    }
    if (!sides_.base.exists()) return set(choice, Decision::unproven, Text::ours);
    if (base == nullptr) return set(choice, Decision::had_already, Text::ours);
    if (touched(key)) {
      const bool only_hers = same(sides_.base, sides_.theirs, key);
      return set(choice, only_hers ? Decision::custom : Decision::conflict, Text::ours);
    }
    if (options_.defaults == Defaults::keep) {
      return set(choice, Decision::kept_default, Text::ours);
    }
    if (options_.defaults == Defaults::automatic && is_sticky(choice)) {
      return set(choice, Decision::kept_sticky, Text::ours);
    }
    return set(choice, Decision::adopted, Text::theirs);
  }

  Choice not_in_template(std::string_view key) const {
    Choice choice = begin(key);
    if (sides_.base.statement(key) == nullptr) return set(choice, Decision::own, Text::ours);
    if (touched(key)) return set(choice, Decision::removed_custom, Text::ours);
    const bool may_go = options_.defaults == Defaults::adopt ||
                        (options_.defaults == Defaults::automatic && !is_sticky(choice));
    if (sides_.theirs.commented(key) && may_go) {
      return set(choice, Decision::commented_out, Text::none);
    }
    const bool may_leave = options_.removed != Removed::keep && !is_sticky(choice) &&
                           options_.interpolated.count(std::string(key)) == 0;
    if (may_leave) {
      const bool drops = options_.removed == Removed::drop_untouched;
      return set(choice, drops ? Decision::dropped : Decision::removed_commented,
                 drops ? Text::none : Text::comment);
    }
    return set(choice, Decision::removed_untouched, Text::ours);
  }

  // What the operator had under the old name stands under the new one.
  void name_renamed(Choice& choice) const {
    const auto old = sides_.old_name_of.find(choice.key);
    if (old == sides_.old_name_of.end()) return;
    choice.because = old->second;
    if (choice.text == Text::ours) choice.decision = Decision::renamed;
  }

  bool is_sticky(const MergedVariable& variable) const {
    return matches_any(options_.sticky, variable.key) ||
           is_secret(variable.key, variable.ours.value_or("")) ||
           is_secret(variable.key, variable.theirs.value_or(""));
  }

  // A value that names a service which is gone cannot work any longer.
  void follow_services() {
    if (options_.services.empty() && options_.retired_services.empty()) return;
    for (Choice& choice : choices_.of) {
      MergedVariable& variable = choice;
      if (!variable.ours || variable.ours == variable.theirs || choice.text != Text::ours) continue;
      const bool host = names_a_host(variable.key);
      const bool hers = sides_.base.statement(variable.key) == nullptr || touched(variable.key);
      std::string gone = service_named(variable.key, *variable.ours, options_.retired_services);
      // A default that was never touched, also where nobody knows what ran before.
      if (gone.empty() && host && !hers && variable.theirs) {
        gone = no_service_any_more(*variable.ours, *variable.theirs, options_.services);
      }
      if (gone.empty()) continue;
      variable.because = gone;
      if (!hers) {
        const bool set_in_template = sides_.theirs.statement(variable.key) != nullptr;
        set(choice, Decision::followed, set_in_template ? Text::theirs : Text::none);
        followed_.emplace(variable.key);
      } else {
        choices_.refusals.push_back(refusal(variable, gone));
      }
    }
    for (const auto& group : options_.linked) {
      const bool together = std::any_of(group.begin(), group.end(), [this](const auto& member) {
        return followed_.count(member) != 0;
      });
      for (const std::string& member : group) {
        Choice* choice = choices_.find(member);
        if (!together || choice == nullptr) continue;
        const Decision now = choice->decision;
        if (now == Decision::kept_sticky || now == Decision::kept_default) {
          choice->because.clear();
          set(*choice, Decision::adopted, Text::theirs);
        }
      }
    }
  }

  std::string refusal(const MergedVariable& variable, const std::string& gone) const {
    std::string text = std::string(variable.key) + " names the service \"" + gone +
                       "\", which the new release no longer has; ";
    const std::string wanted =
        variable.theirs ? service_in(*variable.theirs, options_.services, true) : "";
    const bool all_of_it = variable.ours == gone;
    text += wanted.empty() ? "set it to a service of the new release"
                           : "its template names \"" + wanted +
                                 "\": " + (all_of_it ? "set it to that" : "put that in its place");
    return text + " in the .env, then plan again" +
           (sides_.base.exists() ? "" : "; or give the old release's template as `base`");
  }

  // What her own lines refer to keeps its value, or her lines would change with it.
  void keep_what_the_operator_refers_to() {
    std::vector<std::string> waiting;
    for (const Choice& choice : choices_.of) {
      const EnvStatement* statement = sides_.ours.statement(choice.key);
      if (choice.text != Text::ours || statement == nullptr || !statement->interpolated()) continue;
      const bool hers = touched(choice.key) || is_her_text(sides_, *statement);
      if (hers) waiting.emplace_back(choice.key);
    }
    std::set<std::string> seen;
    while (!waiting.empty()) {
      const std::string by = waiting.back();
      waiting.pop_back();
      const EnvStatement* statement = sides_.ours.statement(by);
      if (statement == nullptr || !seen.insert(by).second) continue;
      for (const std::string_view name : interpolated_names(*statement)) {
        if (sides_.ours.statement(name) >= statement) continue;  // not there yet when it is read
        waiting.emplace_back(name);
        Choice* choice = choices_.find(name);
        if (choice == nullptr) continue;
        const Decision now = choice->decision;
        if (now != Decision::adopted && now != Decision::commented_out &&
            now != Decision::removed_commented && now != Decision::dropped) {
          continue;
        }
        choice->because = by;
        const bool set_in_template = now == Decision::adopted;
        set(*choice, set_in_template ? Decision::kept_linked : Decision::removed_untouched,
            Text::ours);
      }
    }
  }

  // True when something was kept, so that other groups must be looked at again.
  bool keep_linked() {
    bool kept = false;
    for (const auto& group : options_.linked) {
      const auto holds_back = std::find_if(group.begin(), group.end(), [this](const auto& member) {
        const Choice* choice = choices_.find(member);
        if (choice == nullptr || choice->text != Text::ours) return false;
        return sides_.base.statement(member) != nullptr &&
               sides_.theirs.statement(member) != nullptr &&
               !same(sides_.base, sides_.theirs, member);
      });
      if (holds_back == group.end()) continue;
      for (const std::string& member : group) {
        Choice* choice = choices_.find(member);
        if (choice == nullptr || choice->decision != Decision::adopted) continue;
        set(*choice, Decision::kept_linked, Text::ours);
        choice->because = *holds_back;
        kept = true;
      }
    }
    return kept;
  }

  // A secret that nobody set. What the operator set to nothing, unlike the old template, stays so.
  void generate() {
    for (const auto& [key, value] : options_.generated) {
      Choice* choice = choices_.find(key);
      if (choice == nullptr || choice->text == Text::none || choice->text == Text::comment)
        continue;
      const bool from_ours = choice->text == Text::ours;
      if (!(from_ours ? choice->ours : choice->theirs).value_or("").empty()) continue;
      const bool has_it = sides_.ours.statement(key) != nullptr;
      if (has_it && sides_.base.statement(key) != nullptr && touched(key)) continue;
      set(*choice, Decision::generated, Text::generated);
    }
  }

  const Sides& sides_;
  const MergeOptions& options_;
  Choices choices_;
  std::set<std::string> followed_;
};

}  // namespace

Choices decide(const Sides& sides, const MergeOptions& options) {
  return Decider(sides, options).decide();
}

}  // namespace drydock::env_sync
