#include "migrator.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <regex>

#include "compose_command.h"
#include "compose_images.h"
#include "compose_patience.h"
#include "rehearsal_model.h"

namespace drydock::alembic {
namespace {

constexpr auto container_note = "container/";
constexpr auto session_note = "session/";

// "": the migrator runs on this machine.
std::string service(const Call& call) { return call.text("/service"); }

// Compose splits the option's text as a shell would.
std::string shell_word(const std::string& text) {
  if (text.find_first_of(" \t'\"\\$") == std::string::npos) return text;
  return "'" + std::regex_replace(text, std::regex("'"), "'\\''") + "'";
}

// Compose goes by the tag, which somebody may have moved since the run has settled its image.
void hold_image(const Call& call) {
  if (call.step() == "run" || call.step() == "verify" || call.step() == "rollback")
    compose::hold_images(call, {service(call)});
}

// The options' own, and in place of them what is given.
Variables variables(const Call& call, const Variables& instead) {
  Variables result = instead;
  for (const std::string& key : call.keys("/environment")) {
    result.insert({key, {call.text(Call::member("/environment", key)), false}});
  }
  for (const std::string& key : call.keys("/secret_environment")) {
    result.insert(
        {key, {call.secret(Call::member("/secret_environment", key)).value_or(""), true}});
  }
  return result;
}

Process one_off(const Call& call, const std::string& container,
                const std::vector<std::string>& entrypoint, const std::vector<std::string>& command,
                const Variables& instead) {
  std::vector<std::string> arguments = {"run",    "--rm",    "-T",      "--no-deps",
                                        "--name", container, "--label", call.run_label()};
  const auto add = [&](std::initializer_list<std::string> more) {
    arguments.insert(arguments.end(), more);
  };
  // Names the database sessions of libpq clients, so that they can be ended when the container is
  // gone. (PGOPTIONS would not do: applications that pass `options` themselves replace it.)
  add({"-e", "PGAPPNAME=" + container});
  // A renamed service of the old files is an orphan to the new ones, and not to be removed here,
  // whatever .env says.
  std::vector<std::string> environment = {"COMPOSE_REMOVE_ORPHANS=0", "COMPOSE_IGNORE_ORPHANS=1"};
  for (const auto& [name, variable] : variables(call, instead)) {
    add({"-e", variable.secret ? name : name + "=" + variable.value});
    if (variable.secret) environment.push_back(name + "=" + variable.value);
  }
  if (!entrypoint.empty()) add({"--entrypoint", shell_word(entrypoint.front())});
  add({service(call)});
  if (!entrypoint.empty()) {
    arguments.insert(arguments.end(), entrypoint.begin() + 1, entrypoint.end());
  }
  arguments.insert(arguments.end(), command.begin(), command.end());
  hold_image(call);
  // What a rehearsal has prepared is there.
  Process process = call.step() == "run" && call.text("/mode") == "rehearse"
                        ? rehearsal_compose(call, std::move(arguments))
                        : call.compose(std::move(arguments));
  process.environment = std::move(environment);
  return process;
}

Process local(const Call& call, const std::string& session, const std::vector<std::string>& command,
              const Variables& instead) {
  Process process;
  process.arguments = command;
  process.environment = {"PGAPPNAME=" + session};
  for (const auto& [name, variable] : variables(call, instead)) {
    process.environment.push_back(name + "=" + variable.value);
  }
  return process;
}

}  // namespace

std::string joined(const std::vector<std::string>& words) {
  std::string result;
  for (const std::string& word : words) result += (result.empty() ? "" : " ") + word;
  return result;
}

std::string container_name(const Call& call, const std::string& purpose) {
  // The folder, since two deployments on one engine may have projects of one name.
  char folder[9];
  std::snprintf(folder, sizeof folder, "%08x",
                static_cast<unsigned>(std::hash<std::string>{}(call.deployment_dir())));
  return "drydock-" + call.stage_id().substr(0, 16) + "-" + purpose + "-" + folder + "-" +
         std::to_string(call.run_id()) + "-" + std::to_string(call.attempt());
}

void note_container(const Call& call, const std::string& container) {
  call.remember(container_note + container, container);
}

void note_session(const Call& call, const std::string& session) {
  call.remember(session_note + session, session);
}

std::vector<std::string> noted_sessions(const Call& call) {
  std::vector<std::string> names;
  for (const char* kind : {container_note, session_note}) {
    for (const auto& note : call.notes(kind)) names.push_back(note.second);
  }
  return names;
}

Process migrator_process(const Call& call, const std::string& container, const Variables& instead) {
  const std::vector<std::string> command = call.texts("/command");
  if (service(call).empty()) return local(call, container, command, instead);
  return one_off(call, container, call.texts("/entrypoint"), command, instead);
}

Process script_process(const Call& call, const std::string& container,
                       const std::vector<std::string>& command, const Variables& instead) {
  return service(call).empty() ? local(call, container, command, instead)
                               : one_off(call, container, command, {}, instead);
}

std::vector<std::string> in_place_of_upgrade(const Call& call,
                                             const std::vector<std::string>& words) {
  for (std::vector<std::string> command : {call.texts("/command"), call.texts("/entrypoint")}) {
    const auto upgrade = std::find(command.begin(), command.end(), "upgrade");
    if (upgrade == command.begin() || upgrade == command.end()) continue;
    command.erase(upgrade, command.end());
    command.insert(command.end(), words.begin(), words.end());
    return command;
  }
  return {};
}

std::vector<std::vector<std::string>> heads_commands(const Call& call) {
  if (call.has("/heads_command")) return {call.texts("/heads_command")};
  // `flask --app app db upgrade` and `alembic -c x.ini upgrade head` each name their own way to
  // the scripts; the question for the heads takes the same one.
  for (std::vector<std::string> command : {call.texts("/command"), call.texts("/entrypoint")}) {
    const auto upgrade = std::find(command.rbegin(), command.rend(), "upgrade");
    if (upgrade == command.rend() || upgrade + 1 == command.rend()) continue;
    command.erase(upgrade.base() - 1, command.end());
    command.push_back("heads");
    return {command};
  }
  if (service(call).empty()) {
    throw BadOptions("`" + joined(call.texts("/command")) +
                     "` does not say how the heads of the scripts can be asked for; name the "
                     "command with `heads_command`");
  }
  return {{"flask", "db", "heads"}, {"alembic", "heads"}};
}

std::vector<std::vector<std::string>> current_commands(const Call& call) {
  std::vector<std::vector<std::string>> commands = heads_commands(call);
  for (std::vector<std::string>& command : commands) {
    if (command.back() != "heads") return {};
    command.back() = "current";
  }
  return commands;
}

std::vector<std::string> parse_heads(const std::string& printed) {
  // "72c1f0a1b2c3 (billing) (head)"; verbose: "Rev: 72c1f0a1b2c3 (head)". Not "(effective head)":
  // on that one another revision depends, and no database keeps a row of it.
  static const std::regex line(R"((?:Rev: )?([A-Za-z0-9_]+)(?: \([^()]*\))* \(head\).*)");
  std::vector<std::string> heads;
  std::size_t begin = 0;
  while (begin < printed.size()) {
    const std::size_t end = std::min(printed.find('\n', begin), printed.size());
    std::smatch match;
    const std::string text = printed.substr(begin, end - begin);
    if (std::regex_match(text, match, line)) heads.push_back(match[1]);
    begin = end + 1;
  }
  std::sort(heads.begin(), heads.end());
  heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
  return heads;
}

std::vector<std::string> ask_heads(const Call& call) {
  std::string failures;
  int number = 0;
  for (const std::vector<std::string>& command : heads_commands(call)) {
    const std::string container = container_name(call, "heads" + std::to_string(++number));
    if (!service(call).empty()) note_container(call, container);
    const Captured answer = call.capture(script_process(call, container, command));
    const std::vector<std::string> heads = parse_heads(answer.out);
    if (answer.exit.ok() && !heads.empty()) return heads;
    LastLines last;
    std::size_t begin = 0;
    const std::string said = answer.err.empty() ? answer.out : answer.err;
    while (begin < said.size()) {
      const std::size_t end = std::min(said.find('\n', begin), said.size());
      last.add(std::string_view(said).substr(begin, end - begin));
      begin = end + 1;
    }
    failures += (failures.empty() ? "" : "; ") + ("`" + joined(command) + "` gave ") +
                (answer.exit.ok() ? "no head" : answer.exit.describe()) +
                (last.text().empty() ? "" : ": " + last.text());
  }
  throw Failed("the heads of the migration scripts cannot be asked for: " + failures +
               "; name a command that prints them with `heads_command`");
}

void end_containers(const Call& call) {
  for (const auto& note : call.notes(container_note)) {
    const std::string& name = note.second;
    // By name and label: never a container of the same name that is not of this run.
    const std::string found =
        compose::ask_docker(call,
                            {"docker", "ps", "--all", "--quiet", "--no-trunc", "--filter",
                             "name=^/" + name + "$", "--filter", "label=" + call.run_label()},
                            "look for the one-off container " + name);
    const std::string id = found.substr(0, found.find('\n'));
    if (id.empty()) continue;
    call.warn("ending the one-off container " + name + ", which was still there");
    const Captured removed =
        compose::answer_of(call, {{"docker", "rm", "--force", "--volumes", id}});
    // One with --rm may just have removed itself.
    if (!removed.exit.ok() && removed.err.find("No such container") == std::string::npos &&
        removed.err.find("already in progress") == std::string::npos) {
      throw compose::engine_refused(removed, "remove the one-off container " + name);
    }
  }
}

void LastLines::add(std::string_view line) {
  constexpr std::size_t kept = 3, longest = 300;
  if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
  lines_.emplace_back(line.substr(0, longest));
  if (lines_.size() > kept) lines_.erase(lines_.begin());
}

std::string LastLines::text() const {
  std::string result;
  for (const std::string& line : lines_) result += (result.empty() ? "" : " | ") + line;
  return result;
}

}  // namespace drydock::alembic
