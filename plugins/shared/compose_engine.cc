#include "compose_engine.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <future>

#include "compose_answers.h"
#include "compose_command.h"
#include "compose_json.h"
#include "compose_patience.h"
#include "image_reference.h"

namespace drydock::compose {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) result.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

bool says_missing(const std::string& text) {
  for (const char* sign : {"No such", "no such", "is not running", "already in progress"}) {
    if (contains(text, sign)) return true;
  }
  return false;
}

// One command over several containers or images; does nothing without any.
void for_all(const Call& call, std::vector<std::string> command,
             const std::vector<std::string>& subjects, const std::string& what) {
  if (subjects.empty()) return;
  command.insert(command.end(), subjects.begin(), subjects.end());
  ask_docker(call, std::move(command), what);
}

std::vector<Container> list(const Call& call, std::vector<std::string> filters) {
  std::vector<std::string> command = {"docker", "ps", "--quiet", "--no-trunc"};
  command.insert(command.end(), filters.begin(), filters.end());
  return inspect(call, lines_of(ask_once(call, {std::move(command)}, "list the containers")));
}

}  // namespace

std::string real_path(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path real = std::filesystem::canonical(path, failed);
  return failed ? path : real.string();
}

namespace {

std::vector<Container> of_project(const Call& call, bool from_here) {
  if (call.project().empty()) return {};
  std::vector<Container> result =
      list(call, {"--all", "--filter", "label=com.docker.compose.project=" + call.project()});
  const std::string here = real_path(call.deployment_dir());
  result.erase(std::remove_if(result.begin(), result.end(),
                              [&](const Container& container) {
                                return (real_path(container.working_dir) == here) != from_here;
                              }),
               result.end());
  return result;
}

}  // namespace

std::vector<Container> project_containers(const Call& call) {
  std::vector<Container> result = of_project(call, true);
  std::sort(result.begin(), result.end(), [](const Container& a, const Container& b) {
    return std::tie(a.service, a.number, a.id) < std::tie(b.service, b.number, b.id);
  });
  return result;
}

std::vector<Container> namesakes(const Call& call) { return of_project(call, false); }

std::vector<Container> running_containers(const Call& call) { return list(call, {}); }

std::vector<Container> inspect(const Call& call, const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  std::vector<std::string> command = {"docker", "inspect", "--type", "container"};
  command.insert(command.end(), ids.begin(), ids.end());
  const Captured captured = capture_once(call, {std::move(command)});
  // One that is gone since it was listed is no error; the others are printed all the same.
  if (!captured.exit.ok() && !says_missing(captured.err)) {
    throw engine_refused(captured, "inspect the containers");
  }
  return parse_containers(captured.out);
}

void stop_containers(const Call& call, const std::vector<std::string>& ids,
                     std::optional<std::chrono::milliseconds> grace) {
  std::vector<std::string> command = {"docker", "stop"};
  if (grace) {
    command.push_back("-t");
    command.push_back(std::to_string((grace->count() + 999) / 1000));
  }
  for_all(call, std::move(command), ids, "stop the containers");
}

void start_containers(const Call& call, const std::vector<std::string>& ids) {
  for_all(call, {"docker", "start"}, ids, "start the containers");
}

void remove_containers(const Call& call, const std::vector<std::string>& ids) {
  if (ids.empty()) return;
  std::vector<std::string> command = {"docker", "rm"};
  command.insert(command.end(), ids.begin(), ids.end());
  const Captured captured = answer_of(call, {std::move(command)});
  if (!captured.exit.ok() && !inspect(call, ids).empty()) {
    throw engine_refused(captured, "remove the containers");
  }
}

void set_restart_policy(const Call& call, const std::vector<std::string>& ids,
                        const std::string& policy) {
  for_all(call, {"docker", "update", "--restart=" + policy}, ids, "set the restart policy");
}

std::vector<std::string> recent_logs(const Call& call, const std::string& id, int lines) {
  // Both streams in the order in which they come; that of the container is lost only between them.
  std::vector<std::string> result;
  Process process{{"docker", "logs", "--tail", std::to_string(lines), id}};
  process.on_line = [&](Stream, std::string_view line) { result.emplace_back(line); };
  call.run(process);
  return result;
}

std::optional<std::string> image_id(const Call& call, const std::string& reference) {
  const auto found = image_ids(call, {reference});
  return found.empty() ? std::nullopt : std::optional(found.begin()->second);
}

std::map<std::string, std::string> image_ids(const Call& call,
                                             const std::set<std::string>& references) {
  return inspect_images(call, references, "{{.Id}}");
}

std::map<std::string, std::string> inspect_images(const Call& call,
                                                  const std::set<std::string>& references,
                                                  const std::string& format) {
  std::map<std::string, std::string> result;
  if (references.empty()) return result;
  std::vector<std::string> command = {"docker", "image", "inspect", "--format", format};
  command.insert(command.end(), references.begin(), references.end());
  const Captured captured = answer_of(call, {std::move(command)});
  if (references.size() == 1) {
    if (captured.exit.ok()) return {{*references.begin(), lines_of(captured.out).at(0)}};
    if (says_missing(captured.err)) return result;
    throw engine_refused(captured, "look for the image " + *references.begin());
  }
  // Those that are there in their order, and a line of error for each other one.
  std::vector<std::string> present;
  for (const std::string& reference : references) {
    // Newer engines say the name as they would list it.
    const bool missing = contains(captured.err, "No such image: " + reference + '\n') ||
                         contains(captured.err, "No such image: " + listed_name(reference) + '\n');
    if (!missing) present.push_back(reference);
  }
  const std::vector<std::string> lines = lines_of(captured.out);
  if (lines.size() == present.size() &&
      captured.exit.ok() == (present.size() == references.size())) {
    for (std::size_t i = 0; i < lines.size(); ++i) result[present[i]] = lines[i];
    return result;
  }
  for (const std::string& reference : references) {
    result.merge(inspect_images(call, {reference}, format));
  }
  return result;
}

void tag_image(const Call& call, const std::string& id, const std::string& reference) {
  ask_docker(call, {"docker", "tag", id, reference}, "give the image its name " + reference);
}

Model resolved_model(const Call& call) {
  Process question = call.compose({"config", "--format", "json"});
  // The runner has asked the same just before.
  const bool as_before = !call.planning_dir().empty() && !call.model_before().empty() &&
                         !reads_planned_files(call, question);
  if (as_before) return read_model(call.model_before());
  return parse_model(ask_once(call, std::move(question), "resolve the compose files"));
}

Resolved resolved_with_hashes(const Call& call) {
  const Model without_dependencies;
  auto hashes =
      std::async(std::launch::async, [&] { return config_hashes(call, without_dependencies); });
  Resolved resolved{resolved_model(call), {}};
  resolved.hashes = drop_absent_dependencies(resolved.model).empty()
                        ? hashes.get()
                        : config_hashes(call, resolved.model);
  return resolved;
}

std::set<std::string> all_service_names(const Call& call) {
  const std::vector<std::string> names =
      lines_of(ask_once(call, call.compose({"--profile", "*", "config", "--services"}),
                        "list the services of the compose files"));
  return {names.begin(), names.end()};
}

std::map<std::string, std::string> config_hashes(const Call& call, const Model& model) {
  return config_hashes(call, model, call.compose({}));
}

std::map<std::string, std::string> config_hashes(const Call& call, const Model& model,
                                                 Process process) {
  // Compose drops an optional dependency that is not active before it creates containers, but not
  // before it prints the hash (2.26: measured). So it is dropped here, or the hash would differ
  // from the label of an unchanged container.
  if (const std::string dropping = drop_absent_dependencies(model); !dropping.empty()) {
    process.arguments.insert(process.arguments.end(), {"--file", "-"});
    process.input = dropping;
  }
  process.arguments.insert(process.arguments.end(), {"config", "--hash", "*"});
  std::map<std::string, std::string> result;
  for (const std::string& line : lines_of(ask_once(call, process, "hash the compose files"))) {
    const std::size_t space = line.find(' ');
    if (space != std::string::npos) result[line.substr(0, space)] = line.substr(space + 1);
  }
  return result;
}

}  // namespace drydock::compose
