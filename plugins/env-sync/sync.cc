#include "sync.h"

#include <algorithm>

#include "compose_answers.h"
#include "file_store.h"
#include "services.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

std::string read_template(Call& call) {
  const std::string name = call.text("/template");
  const std::string path = call.planned(name);
  const std::optional<std::string> text = files::read_if_present(path);
  if (!text) {
    throw Failed("the template " + path +
                 " does not exist; name the release's file with `template`");
  }
  return *text;
}

struct Base {
  std::optional<EnvFile> file;
  std::string name = "none";
};

Base read_base(Call& call) {
  const std::string wanted = call.text("/base");
  if (wanted == "none") return {};
  const bool automatic = wanted.empty() || wanted == "auto";
  if (automatic && call.snapshot_dir().empty()) return {};
  const std::string name = automatic ? call.text("/template") : wanted;
  const std::string path = automatic ? call.snapshot_dir() + "/" + name : call.deployment(name);
  const std::optional<std::string> text = files::read_if_present(path);
  if (!text && automatic) return {};
  if (!text) throw Failed("the base " + path + " does not exist; give a file, auto or none");
  return {EnvFile::parse(*text), automatic ? name + " of the last snapshot" : wanted};
}

MergeOptions read_options(Call& call) {
  MergeOptions options;
  const std::string defaults = call.text("/defaults");
  if (defaults == "keep") options.defaults = Defaults::keep;
  if (defaults == "adopt") options.defaults = Defaults::adopt;
  options.sticky = call.has("/sticky") ? call.texts("/sticky") : default_sticky();
  options.linked = default_linked();
  if (call.has("/linked")) options.linked.clear();
  for (std::size_t i = 0; i < call.size("/linked"); ++i) {
    options.linked.push_back(call.texts("/linked/" + std::to_string(i)));
  }
  return options;
}

// What Compose says of the planned files with this `.env`.
std::string ask_compose(Call& call, const std::string& env_file,
                        std::vector<std::string> arguments) {
  if (env_file != call.planned(".env")) {
    arguments.insert(arguments.begin(), {"--env-file", env_file});
  }
  Captured answer = compose::capture_once(call, call.compose(std::move(arguments)));
  if (!answer.exit.ok()) {
    throw Failed("docker compose cannot read the new release's files with the merged .env (" +
                 answer.exit.describe() + "): " + answer.err);
  }
  return std::move(answer.out);
}

// All services of the planned files, whatever their profiles.
std::set<std::string> all_services(Call& call, const std::string& env_file) {
  const std::string listed =
      ask_compose(call, env_file, {"--profile", "*", "config", "--services"});
  std::set<std::string> names;
  std::string_view out = listed;
  while (!out.empty()) {
    const std::size_t end = std::min(out.find('\n'), out.size());
    if (end > 0) names.emplace(out.substr(0, end));
    out.remove_prefix(std::min(end + 1, out.size()));
  }
  return names;
}

bool names_one_of(const EnvFile& env, const std::set<std::string>& services) {
  const EnvValues values = evaluate(env);
  const auto keys = values.keys();
  return std::any_of(keys.begin(), keys.end(), [&](std::string_view key) {
    const std::string_view* value = values.find(key);
    return value != nullptr && !service_in(*value, services, true).empty();
  });
}

// What followed a service that left must name one that will run: its profile may not be enabled.
void check_enabled(Call& call, const Merge& merge, const MergeOptions& options,
                   const std::string& env_file) {
  if (merge.count(Decision::followed) == 0) return;
  const std::set<std::string> enabled =
      services_of_model(ask_compose(call, env_file, {"config", "--format", "json"}));
  for (const MergedVariable& variable : merge.variables) {
    if (variable.decision != Decision::followed || !variable.result) continue;
    const std::string service = service_in(*variable.result, options.services, true);
    if (service.empty() || enabled.count(service) != 0) continue;
    throw Failed(variable.key + " follows the template to the service \"" + service +
                 "\", which the merged .env does not enable; add its profile to COMPOSE_PROFILES "
                 "in the .env, then plan again");
  }
}

// Everything of the operator's that makes the result unusable comes out here, before any change.
void refuse_if_asked(const Merge& merge) {
  if (merge.refusals.empty()) return;
  std::string text = merge.refusals[0];
  if (merge.refusals.size() > 1) {
    text += " (and " + std::to_string(merge.refusals.size() - 1) + " more:";
    for (std::size_t i = 1; i < merge.refusals.size(); ++i) text += " " + merge.refusals[i] + ".";
    text += ")";
  }
  throw Failed(text);
}

}  // namespace

Sync synchronise(Call& call, const std::optional<std::string>& ours, const std::string& scratch) {
  const EnvFile ours_file = EnvFile::parse(ours.value_or(""));
  const EnvFile theirs = EnvFile::parse(read_template(call));
  if (theirs.statements().empty() && !theirs.error()) {
    throw Failed("the template " + call.planned(call.text("/template")) +
                 " sets no variable; is it empty or cut short?");
  }
  const Base base = read_base(call);
  const EnvFile* base_file = base.file ? &*base.file : nullptr;
  MergeOptions options = read_options(call);

  Sync sync;
  sync.base = base.name;
  if (base.file) sync.base_variables = evaluate(*base.file).keys().size();
  sync.merge = merge_env(base_file, ours_file, theirs, options);

  const std::string model = call.model_before();
  if (model.empty()) {
    call.debug("no Compose model of what ran: values that name a service are not looked at");
  } else if (const auto before = services_of_model(files::read(model));
             names_one_of(ours_file, before)) {
    files::write(scratch, sync.merge.text);
    options.services = all_services(call, scratch);
    for (const std::string& service : before) {
      if (options.services.count(service) == 0) options.retired_services.insert(service);
    }
    sync.merge = merge_env(base_file, ours_file, theirs, options);
    refuse_if_asked(sync.merge);
    files::write(scratch, sync.merge.text);
    check_enabled(call, sync.merge, options, scratch);
  }
  return sync;
}

}  // namespace drydock::env_sync
