#include "rollout_answer.h"

#include <algorithm>
#include <sstream>
#include <vector>

#include "json_text.h"
#include "rollout_host.h"
#include "ssh_failure.h"
#include "text.h"
#include "view_text.h"

namespace drydock {
namespace {

using nlohmann::json;

constexpr std::string_view own_prefix = "drydock: ";
constexpr int ssh_failed = 255;      // ssh(1): also when a signal ended the command there
constexpr int not_executable = 126;  // of every shell
constexpr int not_found = 127;

std::vector<std::string> lines_in(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string line_beginning_with(const std::vector<std::string>& lines, std::string_view part) {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const std::string& line) { return line.starts_with(part); });
  return found == lines.end() ? "" : *found;
}

std::string in_parentheses(const std::string& text) {
  return text.empty() ? "" : " (" + text + ")";
}

Obstacle lost_link(const RolloutTarget& target, const std::vector<std::string>& lines) {
  return {Obstacle::Kind::lost, "the link to " + host_text(target.host) + " was lost" +
                                    in_parentheses(lines.empty() ? "" : lines.back())};
}

Obstacle obstacle_of_ssh(const RolloutTarget& target, const std::vector<std::string>& lines) {
  using Kind = SshFailure::Kind;
  const SshFailure failure = ssh_failure_in(lines);
  const std::string host = host_text(target.host), said = in_parentheses(failure.line);
  const std::string by_hand = "`" + command_text(target, "status") + "`";
  const auto refused = [](std::string sentence) {
    return Obstacle{Obstacle::Kind::refused, std::move(sentence)};
  };
  switch (failure.kind) {
    case Kind::host_key_changed:
      return refused("the host key of " + host + " is another one than in known_hosts" + said +
                     "; somebody may stand in between: ask who runs it, and only if its key was "
                     "changed remove the old one with `ssh-keygen -R` and log in once by hand");
    case Kind::host_key_unknown:
      return refused("the host key of " + host +
                     " is not known; log in once by hand and compare it, or add it to known_hosts");
    case Kind::login_refused:
      return refused(host + " refuses the login" + said +
                     "; check the user, and that its key is in your ssh agent or named in "
                     "ssh_config: " +
                     by_hand + " has to work without a question");
    case Kind::nothing_in_common:
      return refused("ssh here and on " + host + " have nothing in common" + said +
                     "; mend the configuration of one of them");
    case Kind::not_started:
      return refused("ssh does not start for " + host + said + "; mend its configuration");
    case Kind::not_reached:
      return {Obstacle::Kind::away, host + " is not reached" + said};
    case Kind::unknown:
      break;
  }
  return lost_link(target, lines);
}

}  // namespace

void add_line(std::string& printed, const std::string& line) {
  constexpr std::size_t longest_answer = 16u << 20;
  if (printed.size() + line.size() < longest_answer) printed += line + "\n";
}

std::string said_on(const std::string& error) {
  const std::vector<std::string> lines = lines_in(error);
  const std::string own = line_beginning_with(lines, own_prefix);
  if (!own.empty()) return own.substr(own_prefix.size());
  return lines.empty() ? "" : lines.front();
}

std::optional<Obstacle> obstacle_to(const RolloutTarget& target, const ChildEvent& ended) {
  const bool remote = !target.host.empty();
  const std::vector<std::string> lines = lines_in(ended.error);
  const bool has_spoken = ended.spoke || !line_beginning_with(lines, own_prefix).empty();
  if (ended.timed_out) {
    return Obstacle{Obstacle::Kind::lost,
                    (remote ? host_text(target.host) : "this machine") + " does not answer"};
  }
  // A signal that ended ssh is as good as a link that was lost.
  if (remote && ended.code < 0 && ended.signal != 0) {
    return Obstacle{Obstacle::Kind::lost, "the link to " + host_text(target.host) + " was lost"};
  }
  if (remote && ended.code < 0) {
    return Obstacle{Obstacle::Kind::refused, "ssh cannot be started for " + host_text(target.host) +
                                                 in_parentheses(ended.error)};
  }
  // Who has heard a word from there was let in: the rest of the stream is not ssh's alone.
  if (remote && ended.code == ssh_failed) {
    return has_spoken ? lost_link(target, lines) : obstacle_of_ssh(target, lines);
  }
  if (has_spoken || ended.code <= 0) return std::nullopt;
  const std::string where = remote ? host_text(target.host) : "this machine";
  const std::string sudo = target.sudo ? line_beginning_with(lines, "sudo: ") : "";
  if (contains(sudo, "password is required") || contains(sudo, "terminal is required")) {
    return Obstacle{Obstacle::Kind::refused,
                    "sudo asks for a password on " + where + " (" + sudo + "); let this user run " +
                        target.binary +
                        " there without one (NOPASSWD in sudoers), or leave 'sudo:' out"};
  }
  if (contains(sudo, "command not found") || (remote && ended.code == not_found)) {
    return Obstacle{
        Obstacle::Kind::refused,
        "there is no `" + target.binary + "` on " + where +
            in_parentheses(lines.empty() ? "" : lines.front()) +
            "; install Drydock there where a login without a terminal finds it, or name "
            "its file with 'binary:'"};
  }
  if (!sudo.empty()) {
    return Obstacle{Obstacle::Kind::refused, "sudo refuses on " + where + " (" + sudo + ")"};
  }
  if (remote && ended.code == not_executable) {
    return Obstacle{Obstacle::Kind::refused,
                    "`" + target.binary + "` cannot be started on " + where +
                        in_parentheses(lines.empty() ? "" : lines.front())};
  }
  return std::nullopt;
}

json answer_in(const std::string& printed) {
  json whole = json::parse(printed, nullptr, false);
  if (!whole.is_discarded()) return whole;
  // Ours begin on a line of their own.
  for (std::size_t at = printed.find("\n{"); at != std::string::npos;
       at = printed.find("\n{", at + 1)) {
    json rest = json::parse(std::string_view(printed).substr(at + 1), nullptr, false);
    if (!rest.is_discarded()) return rest;
  }
  return nullptr;
}

std::string reason_of(const std::string& printed, const ChildEvent& event) {
  constexpr std::size_t shown = 80;
  const json document = answer_in(printed);
  if (document.is_object() && document.contains("error")) return text_at(document, "error");
  if (document.is_object() && document.contains("run") && document["run"].is_object()) {
    const std::string reason = text_at(document["run"], "reason");
    if (!reason.empty()) return reason;
  }
  const std::string said = said_on(event.error);
  if (!said.empty()) return said;
  if (const std::vector<std::string> lines = lines_in(printed);
      document.is_null() && !lines.empty()) {
    return "it printed '" + shorten(lines.front(), shown) + "' instead of an answer";
  }
  return event.signal != 0 ? "it was ended by signal " + std::to_string(event.signal)
                           : "it ended with exit code " + std::to_string(event.code);
}

}  // namespace drydock
