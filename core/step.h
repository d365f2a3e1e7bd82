// The six steps of a stage type, in words that the journal, the wire and the screen share.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace drydock {

enum class Step { observe, plan, run, verify, rollback, settle };

inline constexpr std::array<Step, 6> all_steps = {Step::observe, Step::plan,     Step::run,
                                                  Step::verify,  Step::rollback, Step::settle};

constexpr std::string_view name_of(Step step) {
  constexpr std::array<std::string_view, 6> names = {"observe", "plan",     "run",
                                                     "verify",  "rollback", "settle"};
  return names[static_cast<std::size_t>(step)];
}

constexpr std::optional<Step> step_named(std::string_view name) {
  for (Step step : all_steps) {
    if (name_of(step) == name) return step;
  }
  return std::nullopt;
}

}  // namespace drydock
