// What Docker Compose itself makes of an env file with the deployment's compose files: one
// `docker compose config` answers for the whole file.
#pragma once

#include <drydock/stage.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "env_file.h"
#include "merge.h"

namespace drydock::env_sync {

struct ComposeView {
  std::map<std::string, std::string, std::less<>> values;  // of the keys asked for that are set
  std::set<std::string> services;                          // of the files, whatever their profiles
  std::set<std::string> enabled;                           // those whose profiles are active
  std::map<std::string, std::vector<std::string>> profiles;  // of services that have any
  std::map<std::string, std::set<std::string>> needs;        // service -> what it cannot do without
  std::string model;  // the resolved model in JSON, without what was asked for
};

// Whether Compose can be asked about this `.env`: it is installed, the deployment has compose
// files, and the file is the one that Compose reads by itself.
bool can_ask_compose(const Call& call, const std::string& env);

// What Compose's environment has of a variable, when it is asked here. nullopt: nothing.
std::optional<std::string> compose_environment(std::string_view name);
// What a file means here: its values may refer to that.
EnvValues evaluate_here(const EnvFile& file);

// Whether `docker` has the command at all.
bool compose_answers(Call& call);

// Asks with the planned compose files and a clean environment: only PATH, HOME and what finds the
// engine. `called`: the env file, for people. `keys`: variables whose values Compose is to tell.
// Throws Failed with Compose's own sentence when it refuses the file.
ComposeView ask_compose(Call& call, const std::string& env_file, const std::string& called,
                        const std::set<std::string>& keys);

// Reads what `docker compose config --format json` printed. Throws Failed.
ComposeView compose_view(const std::string& json, const std::vector<std::string>& profiles);

// The names that Compose can interpolate, without those that its environment holds anyway.
std::set<std::string> askable(const EnvValues& values);

// What Compose says against the merge, as a sentence; "" when it proves it. `before`: with the old
// file (nullptr: there was none, or it cannot be used with the new compose files); `old_values`:
// the old file as read here; `running`: services that run now.
std::string objection(const Merge& merge, const EnvValues* old_values, const ComposeView* before,
                      const ComposeView& after, const std::set<std::string>& running);

// Names after `$` and `${` in the text of compose files: what `.env` can reach.
std::set<std::string> interpolated_in(std::string_view text);

}  // namespace drydock::env_sync
