#include "compose_proof.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "base.h"
#include "file_store.h"
#include "services.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

using nlohmann::json;

constexpr const char* probe_field = "x-drydock-probe";
constexpr const char* not_set = "drydock: not set";
// Of Compose's own environment, which wins over every env file.
constexpr std::array<const char*, 11> kept_environment = {"PATH",
                                                          "HOME",
                                                          "DOCKER_HOST",
                                                          "DOCKER_CONTEXT",
                                                          "DOCKER_CONFIG",
                                                          "DOCKER_CERT_PATH",
                                                          "DOCKER_TLS_VERIFY",
                                                          "DOCKER_TLS",
                                                          "DOCKER_API_VERSION",
                                                          "XDG_RUNTIME_DIR",
                                                          "COMPOSE_PROJECT_NAME"};

bool in_name(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}
bool is_name(std::string_view key) {
  return !key.empty() && (key[0] < '0' || key[0] > '9') &&
         std::all_of(key.begin(), key.end(), in_name);
}

// Compose prints a dollar as two.
std::string single_dollars(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '$') ++i;
  }
  return result;
}

// An extension field, which Compose interpolates like everything else and prints again.
std::string probe(const std::set<std::string>& keys) {
  json fields = json::object();
  for (const std::string& key : keys) fields[key] = "${" + key + "-" + not_set + "}";
  return json{{probe_field, std::move(fields)}}.dump();
}

std::set<std::string> words(const std::string& list) {
  std::set<std::string> result;
  std::string_view rest = list;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(','), rest.size());
    std::string_view word = rest.substr(0, end);
    while (!word.empty() && word.front() == ' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == ' ') word.remove_suffix(1);
    if (!word.empty()) result.emplace(word);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return result;
}

// Invalid UTF-8 cannot stand in JSON, so Compose's answer has lost it.
bool is_utf8(std::string_view text) {
  return json(std::string(text))
             .dump(-1, ' ', false, json::error_handler_t::replace)
             .find("\xef\xbf\xbd") == std::string::npos;
}

std::string how(const std::string_view* here, const std::string* there) {
  if (there == nullptr) return "Compose does not set it";
  return here == nullptr ? "Compose sets it" : "Compose reads another value";
}

// The first variable that Compose reads differently; "" when it reads all as we do.
std::string read_differently(const EnvValues& values, const ComposeView& view,
                             const std::string& file) {
  for (const std::string& key : askable(values)) {
    const std::string_view* here = values.find(key);
    const auto found = view.values.find(key);
    const std::string* there = found == view.values.end() ? nullptr : &found->second;
    if ((here == nullptr) == (there == nullptr) && (here == nullptr || *here == *there)) continue;
    if (here != nullptr && !is_utf8(*here)) continue;
    return key + " in " + file + " is not what Docker Compose makes of it (" + how(here, there) +
           "); write its value in single quotes in the .env, or set `proof: own`";
  }
  return "";
}

// A variable that differs although the merge did not report it.
std::string changed_unreported(const Merge& merge, const ComposeView& before,
                               const ComposeView& after) {
  bool any_reported = false;
  for (const MergedVariable& variable : merge.variables) {
    const bool reported = variable.ours != variable.result;
    any_reported = any_reported || reported;
    const auto was = before.values.find(variable.key), is = after.values.find(variable.key);
    const bool same = (was == before.values.end()) == (is == after.values.end()) &&
                      (was == before.values.end() || was->second == is->second);
    if (!same && !reported) {
      return std::string(variable.key) +
             " would change for Docker Compose, which the merge did not ask for";
    }
  }
  if (!any_reported && before.model != after.model) {
    return "the Compose model would change although no variable does";
  }
  return "";
}

std::string profile_advice(const ComposeView& view, const std::string& service) {
  const auto found = view.profiles.find(service);
  if (found == view.profiles.end() || found->second.empty()) return "enable it";
  return "add its profile \"" + found->second.front() + "\" to COMPOSE_PROFILES";
}

// A service that runs and would not any longer, or that another one cannot do without.
std::string service_missing(const ComposeView& after, const std::set<std::string>& running) {
  for (const std::string& service : running) {
    if (after.services.count(service) == 0 || after.enabled.count(service) != 0) continue;
    return "the service \"" + service +
           "\" runs now, and the merged .env does not enable it any longer; " +
           profile_advice(after, service) + " in the .env, then plan again";
  }
  for (const auto& [service, needed] : after.needs) {
    if (after.enabled.count(service) == 0) continue;
    for (const std::string& other : needed) {
      if (after.enabled.count(other) != 0) continue;
      return "the service \"" + service + "\" needs \"" + other +
             "\", which the merged .env does not enable; " + profile_advice(after, other) +
             " in the .env, then plan again";
    }
  }
  return "";
}

// A value that names a service which is there, but will not run, though what it named did. A
// default for a service that nobody uses may name one that is off.
std::string name_unresolved(const Merge& merge, const ComposeView& after,
                            const std::set<std::string>& running) {
  for (const MergedVariable& variable : merge.variables) {
    if (!variable.result || !variable.ours) continue;
    const std::string service = service_named(variable.key, *variable.result, after.services);
    if (service.empty() || after.enabled.count(service) != 0) continue;
    const bool followed = variable.decision == Decision::followed;
    if (!followed && service_named(variable.key, *variable.ours, running).empty()) continue;
    return std::string(variable.key) + " names the service \"" + service +
           "\", which the merged .env does not enable; " + profile_advice(after, service) +
           " in the .env, then plan again";
  }
  return "";
}

}  // namespace

bool can_ask_compose(const Call& call, const std::string& env) {
  return env == ".env" && !call.compose_files().empty() && in_path("docker");
}

std::optional<std::string> compose_environment(std::string_view name) {
  for (const char* kept : kept_environment) {
    if (name != kept) continue;
    const char* value = std::getenv(kept);
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
  }
  return std::nullopt;
}

EnvValues evaluate_here(const EnvFile& file) { return evaluate(file, {}, compose_environment); }

bool compose_answers(Call& call) {
  Process version;
  version.arguments = {"docker", "compose", "version"};
  return call.capture(version).exit.ok();
}

std::set<std::string> askable(const EnvValues& values) {
  std::set<std::string> keys;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string key(values.key_at(i));
    const bool ours_alone = std::none_of(kept_environment.begin(), kept_environment.end(),
                                         [&](const char* name) { return key == name; });
    if (ours_alone && is_name(key)) keys.insert(key);
  }
  return keys;
}

ComposeView compose_view(const std::string& text, const std::vector<std::string>& profiles) {
  json model = json::parse(text, nullptr, false);
  if (!model.is_object() || !model.contains("services") || !model["services"].is_object()) {
    throw Failed(
        "what `docker compose config --format json` prints is no Compose model; is it Compose 2?");
  }
  ComposeView view;
  const json asked = model.value(probe_field, json::object());
  for (const auto& [key, value] : asked.items()) {
    const std::string found = value.is_string() ? single_dollars(value.get<std::string>()) : "";
    if (found != not_set) view.values.emplace(key, found);
  }
  model.erase(probe_field);
  std::set<std::string> active(profiles.begin(), profiles.end());
  if (const auto set = view.values.find("COMPOSE_PROFILES"); set != view.values.end()) {
    active.merge(words(set->second));
  }
  for (const auto& [name, service] : model["services"].items()) {
    view.services.insert(name);
    std::vector<std::string>& of = view.profiles[name];
    of = service.value("profiles", std::vector<std::string>());
    const bool on = of.empty() || active.count("*") != 0 ||
                    std::any_of(of.begin(), of.end(),
                                [&](const auto& profile) { return active.count(profile) != 0; });
    if (on) view.enabled.insert(name);
    const json depends = service.value("depends_on", json::object());
    for (const auto& [other, condition] : depends.items()) {
      if (condition.is_object() && condition.value("required", true))
        view.needs[name].insert(other);
    }
  }
  view.model = model.dump();
  return view;
}

ComposeView ask_compose(Call& call, const std::string& env_file, const std::string& called,
                        const std::set<std::string>& keys) {
  const std::string folder = call.planning_dir().empty() ? call.private_dir() : call.planning_dir();
  const std::string probe_file = folder + "/env-sync-probe.json";
  files::write(probe_file, probe(keys));
  Process process;
  process.arguments = {"env", "-i"};
  for (const char* name : kept_environment) {
    if (const char* value = std::getenv(name)) {
      process.arguments.push_back(std::string(name) + "=" + value);
    }
  }
  for (const char* word : {"docker", "compose", "--ansi", "never", "--project-directory"}) {
    process.arguments.emplace_back(word);
  }
  process.arguments.push_back(call.deployment_dir());
  const auto add = [&](const char* option, const std::string& value) {
    process.arguments.emplace_back(option);
    process.arguments.push_back(value);
  };
  if (!call.project().empty()) add("--project-name", call.project());
  add("--env-file", env_file);
  for (const std::string& file : call.compose_files()) add("--file", call.planned(file));
  add("--file", probe_file);
  for (const std::string& profile : call.profiles()) add("--profile", profile);
  add("--profile", "*");
  for (const char* word : {"config", "--format", "json"}) process.arguments.emplace_back(word);
  Captured answer = call.capture(std::move(process));
  if (!answer.exit.ok()) {
    while (answer.err.ends_with('\n')) answer.err.pop_back();
    throw Failed("docker compose cannot read the new release's files with " + called + " (" +
                 answer.exit.describe() + "): " + answer.err +
                 "; mend that, or set `proof: own` to go without Compose");
  }
  return compose_view(answer.out, call.profiles());
}

std::string objection(const Merge& merge, const EnvValues* old_values, const ComposeView* before,
                      const ComposeView& after, const std::set<std::string>& running) {
  std::string text;
  if (before != nullptr && old_values != nullptr) {
    text = read_differently(*old_values, *before, "the old .env");
  }
  if (text.empty()) text = read_differently(*merge.now, after, "the merged .env");
  if (text.empty() && before != nullptr) text = changed_unreported(merge, *before, after);
  if (text.empty()) text = name_unresolved(merge, after, running);
  if (text.empty()) text = service_missing(after, running);
  return text;
}

std::set<std::string> interpolated_in(std::string_view text) {
  std::set<std::string> names;
  for (std::size_t i = text.find('$'); i != text.npos; i = text.find('$', i)) {
    if (++i == text.size()) break;
    if (text[i] == '$') {
      ++i;
      continue;
    }
    if (text[i] == '{') ++i;
    std::size_t end = i;
    while (end < text.size() && in_name(text[end])) ++end;
    if (is_name(text.substr(i, end - i))) names.emplace(text.substr(i, end - i));
  }
  return names;
}

}  // namespace drydock::env_sync
