#include "compose_command.h"

#include "compose_answers.h"
#include "compose_json.h"
#include "compose_patience.h"

namespace drydock::compose {
namespace {

// The last line that says something: docker prints advice after its error only on stdout.
std::string last_line(const std::string& text) {
  std::size_t end = text.find_last_not_of(" \r\n\t");
  if (end == std::string::npos) return "";
  const std::size_t begin = text.rfind('\n', end);
  std::string line = text.substr(begin == std::string::npos ? 0 : begin + 1,
                                 end - (begin == std::string::npos ? 0 : begin + 1) + 1);
  const std::string prefix = "Error response from daemon: ";
  if (line.compare(0, prefix.size(), prefix) == 0) line.erase(0, prefix.size());
  if (line.size() > 600) line = line.substr(0, 600) + " ...";
  return line;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

Failed engine_refused(const Captured& captured, const std::string& what) {
  const std::string& said = captured.err.empty() ? captured.out : captured.err;
  if (engine_is_away(captured) || contains(said, "permission denied while trying")) {
    return Failed("cannot " + what + ": the Docker engine does not answer (" + last_line(said) +
                  "); start it, or let DOCKER_HOST or the Docker context name the right one");
  }
  if (contains(said, "'compose' is not a docker command") ||
      contains(said, "unknown command: docker compose") || contains(said, "unknown flag: --ansi")) {
    return Failed("cannot " + what +
                  ": `docker compose` is missing; install Docker Compose 2.24 or newer (Compose v1, "
                  "`docker-compose`, reads neither today's compose files nor these options)");
  }
  const std::string words = last_line(said);
  return Failed("cannot " + what + ": docker " + (captured.exit.timed_out ? "" : "gave ") +
                captured.exit.describe() + (words.empty() ? "" : ": " + words));
}

std::string ask(const Call& call, const Process& process, const std::string& what) {
  const Captured captured = answer_of(call, process);
  if (!captured.exit.ok()) throw engine_refused(captured, what);
  return captured.out;
}

std::string ask_once(const Call& call, Process process, const std::string& what) {
  const Captured captured = capture_once(call, std::move(process));
  if (!captured.exit.ok()) throw engine_refused(captured, what);
  return captured.out;
}

std::string ask_docker(const Call& call, std::vector<std::string> command,
                       const std::string& what) {
  return ask(call, {std::move(command)}, what);
}

void run_compose(const Call& call, Process process, const std::string& what) {
  // COMPOSE_REMOVE_ORPHANS=1 in an .env would remove another application's containers where two
  // projects have one name; and the warning about orphans advises just that.
  process.environment.push_back("COMPOSE_REMOVE_ORPHANS=0");
  process.environment.push_back("COMPOSE_IGNORE_ORPHANS=1");
  const Captured captured = answer_of(call, [&] {
    Captured said;
    process.on_line = [&](Stream stream, std::string_view line) {
      (stream == Stream::out ? said.out : said.err).append(line).append("\n");
      call.info(line);
    };
    said.exit = call.run(process);
    return said;
  });
  if (!captured.exit.ok()) throw engine_refused(captured, what);
}

Process compose_with_model(const Call& call, const std::string& model_file,
                           std::vector<std::string> arguments) {
  const Model model = read_model(model_file);
  Process process;
  process.arguments = {"docker",
                       "compose",
                       "--ansi",
                       "never",
                       "--project-directory",
                       call.deployment_dir(),
                       "--project-name",
                       call.project().empty() ? model.project : call.project(),
                       "--file",
                       model_file};
  if (std::string dropping = drop_absent_dependencies(model); !dropping.empty()) {
    process.arguments.insert(process.arguments.end(), {"--file", "-"});
    process.input = std::move(dropping);
  }
  // The model holds only services that were active.
  process.arguments.insert(process.arguments.end(), {"--profile", "*"});
  process.arguments.insert(process.arguments.end(), arguments.begin(), arguments.end());
  return process;
}

std::string drop_absent_dependencies(const Model& model) {
  std::string result;
  for (const auto& [name, service] : model.services) {
    std::string absent;
    for (const auto& [dependency, condition] : service.depends_on) {
      if (!model.has(dependency)) absent += "      \"" + dependency + "\": !reset null\n";
    }
    if (!absent.empty()) result += "  \"" + name + "\":\n    depends_on:\n" + absent;
  }
  return result.empty() ? "" : "services:\n" + result;
}

}  // namespace drydock::compose
