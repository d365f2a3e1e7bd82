#include "rollout_waves.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "error.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

std::vector<std::string> sorted(const std::set<std::string>& names) {
  return {names.begin(), names.end()};
}

// "a, b, c and 7 more": an inventory may have thousands.
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 12;
  if (names.size() <= shown) return names.empty() ? "none" : join(names, ", ");
  const std::vector<std::string> first(names.begin(), names.begin() + shown);
  return join(first, ", ") + " and " + std::to_string(names.size() - shown) + " more";
}

std::size_t position_of(const Rollout& rollout, const std::string& name, const Place& place) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < rollout.environments.size(); ++i) {
    if (rollout.environments[i].name == name) return i;
    names.push_back(rollout.environments[i].name);
  }
  refuse(place, "the unknown environment '" + make_visible(shorten(name, 60)) + "'",
         "'environments:' of a wave", some_of(names) + did_you_mean(name, names));
}

// The label exists, and at least one environment has one of the values.
void require_known(const Rollout& rollout, const Selector::Label& label) {
  std::set<std::string> names, values;
  for (const Environment& environment : rollout.environments) {
    for (const auto& [name, has] : environment.labels) {
      names.insert(name);
      if (name == label.name) values.insert(has.begin(), has.end());
    }
  }
  if (names.count(label.name) == 0) {
    refuse(label.place, "the label '" + label.name + "', which no environment has",
           "'environments:' of a wave",
           some_of(sorted(names)) + did_you_mean(label.name, sorted(names)));
  }
  for (const std::string& value : label.values) {
    if (values.count(value) != 0) continue;
    refuse(label.place,
           "the value '" + make_visible(shorten(value, 60)) + "' of '" + label.name +
               "', which no environment has",
           "'environments:' of a wave",
           some_of(sorted(values)) + did_you_mean(value, sorted(values)));
  }
}

bool has(const Environment& environment, const Selector::Label& label) {
  const auto found = environment.labels.find(label.name);
  if (found == environment.labels.end()) return false;
  return std::any_of(label.values.begin(), label.values.end(),
                     [&](const std::string& value) { return found->second.count(value) != 0; });
}

std::vector<std::size_t> selected(const Rollout& rollout, const Selector& selector) {
  std::vector<std::size_t> result;
  for (const auto& [name, place] : selector.names) {
    const std::size_t at = position_of(rollout, name, place);
    if (std::find(result.begin(), result.end(), at) != result.end()) {
      refuse(place, "the environment '" + name + "' a second time", "'environments:' of a wave",
             "once");
    }
    result.push_back(at);
  }
  if (!selector.names.empty()) return result;
  for (const Selector::Label& label : selector.labels) require_known(rollout, label);
  for (std::size_t i = 0; i < rollout.environments.size(); ++i) {
    const bool all = std::all_of(
        selector.labels.begin(), selector.labels.end(),
        [&](const Selector::Label& label) { return has(rollout.environments[i], label); });
    if (all) result.push_back(i);
  }
  if (result.empty()) {
    refuse(selector.place, "labels that no environment has all of", "'environments:' of a wave",
           "labels that at least one environment has together");
  }
  return result;
}

unsigned count_of(const Share& share, std::size_t of, const std::string& key) {
  if (!share.percent) return share.amount;
  const std::size_t count = of * share.amount / 100;
  if (count == 0 && of > 0) {
    const std::size_t least = (100 + of - 1) / of;
    refuse(share.place,
           std::to_string(share.amount) + "% of " + std::to_string(of) +
               (of == 1 ? " environment" : " environments") + ", which is less than one",
           key,
           (key == "'max_failures:'"      ? "0 if none may fail, "
            : key == "'max_unreachable:'" ? "0 if all must be reached, "
                                          : "") +
               std::string("a number, or ") + "at least " + std::to_string(least) + "%");
  }
  return static_cast<unsigned>(count);
}

void arrange(const Rollout& rollout, WaveOrder order, std::vector<std::size_t>& environments) {
  if (order == WaveOrder::reversed) std::reverse(environments.begin(), environments.end());
  if (order != WaveOrder::name) return;
  std::sort(environments.begin(), environments.end(), [&](std::size_t a, std::size_t b) {
    return rollout.environments[a].name < rollout.environments[b].name;
  });
}

}  // namespace

std::vector<WaveMembers> members_of_waves(const Rollout& rollout) {
  std::vector<WaveMembers> waves;
  std::vector<const WaveSpec*> owner(rollout.environments.size(), nullptr);
  for (const WaveSpec& wave : rollout.waves) {
    WaveMembers members;
    for (const std::size_t at : selected(rollout, wave.selector)) {
      if (owner[at] == nullptr) {
        members.environments.push_back(at);
        continue;
      }
      // A wave that takes a part leaves the rest, also of the same selector, to later ones.
      if (owner[at]->take && wave.selector.names.empty()) continue;
      refuse(wave.selector.place,
             "the environment '" + rollout.environments[at].name + "', which is in the wave '" +
                 owner[at]->name + "' already,",
             "the wave '" + wave.name + "'",
             "each environment in one wave; with 'take:' an earlier one leaves the rest");
    }
    arrange(rollout, wave.order, members.environments);
    const std::size_t available = members.environments.size();
    if (wave.take) {
      const std::size_t taken = count_of(*wave.take, available, "'take:'");
      members.environments.resize(std::min(taken, available));
    }
    const std::size_t size = members.environments.size();
    members.parallel = std::max(1u, count_of(wave.parallel, size, "'parallel:'"));
    members.max_failures = count_of(wave.max_failures, size, "'max_failures:'");
    members.max_unreachable = count_of(wave.max_unreachable, size, "'max_unreachable:'");
    for (const std::size_t at : members.environments) owner[at] = &wave;
    waves.push_back(std::move(members));
  }
  return waves;
}

std::vector<std::string> outside_of_waves(const Rollout& rollout,
                                          const std::vector<WaveMembers>& waves) {
  std::vector<bool> reached(rollout.environments.size(), false);
  for (const WaveMembers& wave : waves) {
    for (const std::size_t at : wave.environments) reached[at] = true;
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < reached.size(); ++i) {
    if (!reached[i]) names.push_back(rollout.environments[i].name);
  }
  return names;
}

}  // namespace drydock
