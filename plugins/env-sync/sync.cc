#include "sync.h"

#include <algorithm>

#include "base.h"
#include "compose_proof.h"
#include "file_store.h"
#include "options.h"
#include "services.h"
#include "templates.h"
#include "variable_names.h"

namespace drydock::env_sync {
namespace {

// Where an earlier stage's plan has left files, those count beside the deployment's own.
std::vector<std::string> found_now(const Call& call, const std::string& glob) {
  return files_matching({call.planned_dir(), call.deployment_dir()}, glob);
}

std::optional<std::string> text_now(const Call& call, const std::string& name) {
  return files::read_if_present(call.planned(name), largest_env_file);
}

// A release may have templates that hold comments alone: one that only a glob has found may be such
// a file, but not all of them. Of several files the one is named that Compose could not read.
void refuse_unusable(const std::vector<NamedText>& files, const std::vector<std::string>& asked) {
  const bool all = std::all_of(files.begin(), files.end(),
                               [](const NamedText& file) { return sets_nothing(file.text); });
  for (const NamedText& file : files) {
    const auto error = files.size() > 1 ? EnvFile::parse(file.text).error() : std::nullopt;
    if (error) throw MergeError("the new template, " + file.name + ", " + error->explain());
    const bool named = std::find(asked.begin(), asked.end(), file.name) != asked.end();
    const bool blank = file.text.find_first_not_of(" \t\r\n") == file.text.npos;
    if ((all || named || blank) && sets_nothing(file.text)) {
      throw Failed("the template " + file.name + " sets no variable; is it empty or cut short?");
    }
  }
}

std::string read_template(const Call& call, std::vector<std::string>& names) {
  std::vector<std::string> missing;
  std::vector<NamedText> files = read_named(
      call.texts("/template"), [&](const std::string& glob) { return found_now(call, glob); },
      [&](const std::string& name) { return text_now(call, name); }, missing);
  if (!missing.empty()) {
    const bool glob = is_glob(missing[0]);
    throw Failed("the template " + call.planned(missing[0]) +
                 (glob ? " matches no file" : " does not exist") +
                 "; name the release's file with `template`");
  }
  for (const NamedText& file : files) names.push_back(file.name);
  refuse_unusable(files, call.texts("/template"));
  return joined(std::move(files));
}

// A line of a file goes on where the last one of the template ends.
bool is_begun_in(const EnvFile& file, const EnvFile& theirs) {
  const std::string last = "\n" + theirs.text().substr(theirs.text().rfind('\n') + 1);
  const std::size_t at = ("\n" + file.text()).find(last);
  const std::string_view rest =
      std::string_view(file.text())
          .substr(at == std::string::npos ? file.text().size() : at + last.size() - 1);
  return !rest.empty() && rest[0] != '\n' && rest[0] != '\r';
}

// What the old template ends with is not there.
bool lacks_the_end_of(const EnvFile& base, const EnvValues& theirs) {
  return !base.statements().empty() &&
         theirs.position(base.statements().back().key()) == EnvValues::npos;
}

// Her file has the last line of the template whole, and much that should come after it.
bool goes_on_in(const EnvFile& ours, const EnvFile& theirs) {
  constexpr std::size_t more = 10;
  const std::string& text = theirs.text();
  const std::string last = "\n" + text.substr(text.rfind('\n') + 1);
  const std::size_t at = ours.text().find(last);
  const std::size_t end = at + last.size();
  return at != std::string::npos && end < ours.text().size() && ours.text()[end] != '\n' &&
         ours.statements().size() >= theirs.statements().size() + more;
}

// A file that was cut off in the middle of a line lacks what came after it, and the line may be a
// variable with half a value. Some templates end so, though, with nothing missing.
void refuse_cut_off(const Sync& sync, Call& call) {
  const std::string& text = sync.theirs->text();
  if (text.empty() || text.back() == '\n') return;
  const bool old_one_ends = sync.base && sync.base->text().ends_with('\n');
  const std::string said = "the template " + call.texts("/template").back() +
                           " ends in the middle of a line; is it cut short?";
  const bool is_cut = old_one_ends ? is_begun_in(*sync.base, *sync.theirs) ||
                                         lacks_the_end_of(*sync.base, evaluate_here(*sync.theirs))
                                   : goes_on_in(*sync.ours, *sync.theirs);
  if (is_cut) {
    throw Failed(said + " Get the release's file again, or end it with a line end");
  }
  if (old_one_ends) call.warn(said + " It has all that the old one has up to its end");
}

// Of several releases' renames most find nothing to do; but a name that is nowhere is misspelt.
void warn_of_renames(Call& call, const Sync& sync, const MergeOptions& options) {
  if (options.renames.empty()) return;
  const EnvValues ours = evaluate_here(*sync.ours), theirs = evaluate_here(*sync.theirs);
  const auto has = [](const EnvValues& values, const std::string& key) {
    return values.position(key) != EnvValues::npos;
  };
  for (const auto& [old, name] : options.renames) {
    if (has(ours, old) && !has(ours, name) && !has(theirs, old) && !has(theirs, name)) {
      call.warn("renames: the new template has no " + name + ", so " + old + " keeps its name");
    }
  }
}

// At a line's end only the number of variables can tell: a release may have moved them elsewhere.
void warn_of_few(const Sync& sync, const Call& call) {
  if (!sync.base) return;
  std::size_t gone = 0;
  const EnvValues old = evaluate_here(*sync.base), now = evaluate_here(*sync.theirs);
  for (std::size_t i = 0; i < old.size(); ++i) {
    const std::string_view key = old.key_at(i);
    const bool there = now.position(key) != EnvValues::npos || sync.elsewhere.count(key) != 0;
    if (!there) ++gone;
  }
  if (2 * gone <= old.size()) return;
  call.warn("the new template lacks " + std::to_string(gone) + " of the " +
            std::to_string(old.size()) +
            " variables of the old one, and no other template has "
            "them; is it cut short? They stay in " +
            call.text("/env") + " unless `removed` says so");
}

std::set<std::string> interpolated_by(const Call& call) {
  std::set<std::string> names;
  for (const std::string& file : call.compose_files()) {
    if (const auto text = files::read_if_present(call.planned(file), largest_env_file)) {
      names.merge(interpolated_in(*text));
    }
  }
  return names;
}

void read_other_templates(const Call& call, Sync& sync) {
  std::vector<std::string> none;
  const std::vector<NamedText> files = read_named(
      call.texts("/also"), [&](const std::string& glob) { return found_now(call, glob); },
      [&](const std::string& name) { return text_now(call, name); }, none);
  for (const NamedText& file : files) {
    const auto& own = sync.templates;
    if (std::find(own.begin(), own.end(), file.name) != own.end()) continue;
    const EnvFile parsed = EnvFile::parse(file.text);
    for (const EnvStatement& statement : parsed.statements()) {
      std::vector<std::string>& where = sync.elsewhere[std::string(statement.key())];
      if (where.empty() || where.back() != file.name) where.push_back(file.name);
    }
  }
  if (sync.interpolated.empty() && !files.empty()) sync.interpolated = interpolated_by(call);
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

void require_values(const Call& call, const Merge& merge) {
  std::string empty;
  for (const std::string& key : call.texts("/require")) {
    const std::string_view* value = merge.now->find(key);
    if (value == nullptr || value->empty()) empty += (empty.empty() ? "" : ", ") + key;
  }
  if (empty.empty()) return;
  throw Failed("required, and without a value in the merged " + call.text("/env") + ": " + empty +
               "; set it there, then plan again");
}

std::set<std::string> keys_of_both(const EnvValues& old_values, const EnvValues& merged) {
  std::set<std::string> keys = askable(old_values);
  keys.merge(askable(merged));
  keys.insert("COMPOSE_PROFILES");
  return keys;
}

// Without an old template nobody can tell a service of the old release from a host elsewhere.
void warn_of_hosts(Call& call, const Merge& merge, const std::set<std::string>& services) {
  for (const MergedVariable& variable : merge.variables) {
    const bool asks = variable.decision == Decision::unproven && names_a_host(variable.key);
    if (!asks || !variable.ours || !variable.theirs) continue;
    const std::string name = no_service_any_more(*variable.ours, *variable.theirs, services);
    if (name.empty()) continue;
    const bool secret = is_secret(variable.key, *variable.ours);  // the host may be one, too
    call.warn(std::string(variable.key) + " names " + (secret ? "a host" : name) +
              ", and the new release has no service of that name; its template names " +
              service_in(*variable.theirs, services, true) +
              ". If it was a service of the old release, set it so, or give the old template as "
              "`base`");
  }
}

// With the new compose files: once for the old `.env`, which also tells their services, and once
// for the merged one.
void prove_with_compose(Call& call, Sync& sync, MergeOptions& options, const std::string& ours_path,
                        const std::string& scratch) {
  const auto merge_again = [&] {
    sync.merge = merge_env(sync.base ? &*sync.base : nullptr, *sync.ours, *sync.theirs, options);
    refuse_if_asked(sync.merge);
    files::write(scratch, *sync.merge.text);
  };
  const EnvValues old_values = evaluate_here(*sync.ours);
  std::set<std::string> running;
  if (!call.model_before().empty()) {
    running = services_of_model(files::read(call.model_before()));
  }
  files::write(scratch, *sync.merge.text);
  const auto asked = [&](const std::string& file, const char* called) {
    return ask_compose(call, file, called, keys_of_both(old_values, *sync.merge.now));
  };
  std::optional<ComposeView> before, after;
  try {
    before = asked(ours_path, "the old .env");
  } catch (const Failed& e) {
    // The new compose files may need a variable that only the new template has.
    call.debug(e.what());
    if (!compose_answers(call)) {
      sync.proof = "evaluated by Drydock alone (Docker Compose is not installed)";
      return;
    }
    after = asked(scratch, "the merged .env");
  }
  options.services = (before ? *before : *after).services;
  for (const std::string& service : running) {
    if (options.services.count(service) == 0) options.retired_services.insert(service);
  }
  sync.retired = options.retired_services;
  const std::string merged_before = *sync.merge.text;
  merge_again();
  if (!after || *sync.merge.text != merged_before) after = asked(scratch, "the merged .env");
  if (running.empty() && before) running = before->enabled;
  const std::string against =
      objection(sync.merge, &old_values, before ? &*before : nullptr, *after, running);
  if (!against.empty()) throw Failed(against + "; nothing was written");
  warn_of_hosts(call, sync.merge, options.services);
  sync.proof = "proven by Docker Compose";
}

}  // namespace

Sync synchronise(Call& call, std::optional<std::string> ours, const std::string& ours_path,
                 const std::string& scratch) {
  Sync sync;
  const bool creating = !ours;
  sync.ours = EnvFile::parse(std::move(ours).value_or(""));
  sync.theirs = EnvFile::parse(read_template(call, sync.templates));
  Base base = creating ? Base() : read_base(call, *sync.ours);
  sync.base = std::move(base.file);
  sync.base_name = std::move(base.name);
  if (sync.base) sync.base_variables = evaluate_here(*sync.base).size();
  refuse_cut_off(sync, call);
  MergeOptions options = read_options(call, creating);
  warn_of_renames(call, sync, options);
  options.environment = compose_environment;
  if (options.removed != Removed::keep) sync.interpolated = interpolated_by(call);
  options.interpolated = sync.interpolated;
  sync.merge = merge_env(sync.base ? &*sync.base : nullptr, *sync.ours, *sync.theirs, options);

  if (call.text("/proof") != "compose") {
    sync.proof = "evaluated by Drydock alone (`proof: own`)";
  } else if (creating) {  // Compose would look for the file in `env_file:`, and not find it
    sync.proof = "evaluated by Drydock alone (there was no " + call.text("/env") + ")";
  } else if (!can_ask_compose(call, call.text("/env"))) {
    sync.proof = "evaluated by Drydock alone (Docker Compose has nothing to do with it)";
  } else {
    prove_with_compose(call, sync, options, ours_path, scratch);
  }
  require_values(call, sync.merge);
  read_other_templates(call, sync);
  warn_of_few(sync, call);
  return sync;
}

}  // namespace drydock::env_sync
