#include "ssh_failure.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "text.h"

namespace drydock {
namespace {

using Kind = SshFailure::Kind;

// BEGIN...END with something in between.
struct Form {
  std::string_view begin, end;
  bool is_of(std::string_view line) const {
    return line.size() > begin.size() + end.size() && line.starts_with(begin) &&
           line.ends_with(end);
  }
};

template <std::size_t N>
bool is_any_of(const std::array<Form, N>& forms, std::string_view line) {
  return std::any_of(forms.begin(), forms.end(),
                     [&](const Form& each) { return each.is_of(line); });
}

// "... port 22"
bool ends_with_port(std::string_view line) {
  std::size_t digits = 0;
  while (digits < line.size() && is_digit(line[line.size() - 1 - digits])) ++digits;
  line.remove_suffix(digits);
  return digits > 0 && line.ends_with(" port ");
}

// The last word of the transport, which says nothing of how far it had come.
bool is_closing(std::string_view line) {
  constexpr std::string_view disconnected = "Disconnected from ", timed_out = " timed out";
  if (line.starts_with("Connection to ") && line.ends_with(timed_out)) {
    return ends_with_port(line.substr(0, line.size() - timed_out.size()));
  }
  return (line.starts_with("Connection closed by ") || line.starts_with("Connection reset by ") ||
          line.starts_with(disconnected)) &&
         ends_with_port(line);
}

// USER@HOST: Permission denied (publickey,password).
bool is_permission_denied(std::string_view line) {
  constexpr std::string_view denied = ": Permission denied (", end = ").";
  const std::size_t at = line.find('@'), colon = line.find(denied);
  if (at == line.npos || colon == line.npos || at > colon || !line.ends_with(end)) return false;
  const std::string_view who = line.substr(0, colon);
  const std::string_view methods =
      line.substr(colon + denied.size(), line.size() - colon - denied.size() - end.size());
  return who.find(' ') == who.npos && methods.find_first_of(" ()") == methods.npos;
}

// By a server that counts: Received disconnect from HOST port 22:2: Too many authentication
// failures
bool is_too_many_failures(std::string_view line) {
  return line.starts_with("Received disconnect from ") &&
         line.find(": Too many authentication failures") != line.npos;
}

// Before keys are exchanged, so before any session.
bool is_before_keys(std::string_view line) {
  constexpr std::array<Form, 5> forms = {{
      {"ssh: connect to host ", ""},
      {"ssh: Could not resolve hostname ", ""},
      {"kex_exchange_identification: ", ""},
      {"ssh_exchange_identification: ", ""},
      {"banner exchange: Connection ", ""},
  }};
  return is_any_of(forms, line) || line == "Connection timed out during banner exchange";
}

bool is_of_configuration(std::string_view line) {
  constexpr std::array<Form, 4> forms = {{
      {"Bad owner or permissions on ", ""},
      {"Can't open user config file ", ""},
      {"command-line line ", ""},
      {"command-line: line ", ""},
  }};
  return is_any_of(forms, line) || (line.find(": terminating, ") != line.npos &&
                                    line.ends_with(" bad configuration options"));
}

// "Offending ED25519 key in /home/me/.ssh/known_hosts:7" -> "/home/me/.ssh/known_hosts:7"
std::string place_of_old_key(const std::vector<std::string>& lines) {
  constexpr std::string_view in = " key in ";
  for (const std::string& line : lines) {
    const std::size_t at = line.find(in);
    if (line.starts_with("Offending ") && at != line.npos) return line.substr(at + in.size());
  }
  return "";
}

bool is_changed_key(std::string_view line) {
  return line == "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @";
}

SshFailure failure_of_key(const std::vector<std::string>& lines) {
  if (std::any_of(lines.begin(), lines.end(), is_changed_key)) {
    return {Kind::host_key_changed, place_of_old_key(lines)};
  }
  return {Kind::host_key_unknown, lines.back()};
}

constexpr std::string_view key_refused = "Host key verification failed.";

}  // namespace

SshFailure ssh_failure_in(const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  const std::string& last = lines.back();
  if (last == key_refused) return failure_of_key(lines);
  if (is_permission_denied(last)) return {Kind::login_refused, last};
  if (Form{"Unable to negotiate with ", ""}.is_of(last)) return {Kind::nothing_in_common, last};
  if (is_of_configuration(last)) return {Kind::not_started, last};
  if (is_before_keys(last)) return {Kind::not_reached, last};
  if (!is_closing(last)) return {};
  // What went before says how far it had come. Of a client that reaches its host through another
  // one, what that one said.
  const auto before = std::find_if(lines.rbegin() + 1, lines.rend(),
                                   [](const std::string& line) { return !is_closing(line); });
  if (before == lines.rend()) return {};
  if (is_too_many_failures(*before)) return {Kind::login_refused, *before};
  if (!is_before_keys(*before)) return {};
  const std::vector<std::string> of_proxy(lines.begin(), before.base() - 1);
  const SshFailure proxy = ssh_failure_in(of_proxy);
  return proxy.kind == Kind::unknown ? SshFailure{Kind::not_reached, last} : proxy;
}

}  // namespace drydock
