#include "rollout_host.h"

#include <filesystem>
#include <set>

#include "digest.h"
#include "error.h"
#include "text.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr seconds connection_kept(60);  // without a command that uses it
// A dead link is noticed after their product.
constexpr unsigned alive_every_seconds = 10, alive_tries = 3;
// Of a socket's path 107 bytes count, and ssh makes it under a name that is 17 bytes longer.
constexpr std::size_t longest_folder = 60;
constexpr std::size_t socket_digits = 16;

std::string seconds_text(std::chrono::milliseconds duration) {
  return std::to_string(std::chrono::ceil<seconds>(duration).count());
}

// The words that the login shell of another host gets as one line.
std::string remote_line(const RolloutTarget& target, const std::vector<std::string>& words) {
  std::vector<std::string> line;
  if (target.sudo) line = {"sudo", "-n", "--"};
  line.insert(line.end(), {target.binary, "-C", target.dir});
  line.insert(line.end(), words.begin(), words.end());
  for (std::string& word : line) word = shell_word(word);
  return join(line, " ");
}

// ssh://USER@HOST:PORT as `ssh -p PORT USER@HOST`.
std::string ssh_text(const std::string& host) {
  constexpr std::string_view scheme = "ssh://";
  if (!host.starts_with(scheme)) return "ssh " + host;
  std::string rest = host.substr(scheme.size()), port;
  const std::size_t at = rest.rfind('@') + 1;  // 0 without one
  const std::size_t bracket = rest.find(']', at);
  const std::size_t colon = rest.find(':', bracket == rest.npos ? at : bracket);
  if (colon != rest.npos) {
    port = "-p " + rest.substr(colon + 1) + " ";
    rest.resize(colon);
  }
  if (bracket != rest.npos) rest = rest.substr(0, at) + rest.substr(at + 1, bracket - at - 1);
  return "ssh " + port + rest;
}

}  // namespace

Hosts::Hosts(const RolloutPlan& plan)
    : plan_(plan), folder_(fs::path(plan.file).parent_path().string()) {
  for (const RolloutTarget& each : plan.targets) {
    if (each.host.empty()) continue;
    TemporaryDir::remove_abandoned();  // of a supervisor that was killed
    sockets_ = std::make_unique<TemporaryDir>(longest_folder);
    return;
  }
}

// Masters of connections end by themselves after a while; those of a rollout that is over need not
// wait. All at once, and nobody waits for one whose host is away.
Hosts::~Hosts() {
  if (!sockets_) return;
  std::set<std::string> hosts;
  for (const RolloutTarget& each : plan_.targets) {
    if (!each.host.empty() && fs::is_socket(control_path(each.host))) hosts.insert(each.host);
  }
  try {
    ChildPool pool;
    for (const std::string& host : hosts) {
      std::vector<std::string> words = plan_.ssh.command;
      words.insert(words.end(), {"-o", "ControlPath=" + control_path(host), "-O", "exit", host});
      pool.start(0, {words, folder_});
    }
    const auto until = std::chrono::steady_clock::now() + seconds(5);
    while (pool.running() > 0 && std::chrono::steady_clock::now() < until) {
      pool.wait(std::chrono::milliseconds(500), -1);
    }
  } catch (const Error&) {
    // They end by themselves.
  }
}

std::string Hosts::control_path(const std::string& host) const {
  return sockets_->path() + "/" + sha256(host).substr(0, socket_digits);
}

// What comes first counts, before the user's own words and configuration.
std::vector<std::string> Hosts::ssh(const RolloutTarget& target, bool brief) const {
  const std::vector<std::string> options = {
      "BatchMode=yes",  // nobody is there to answer
      "StrictHostKeyChecking=yes",
      "ControlMaster=" + std::string(brief ? "no" : "auto"),
      "ControlPath=" + control_path(target.host),
      "ControlPersist=" + std::to_string(connection_kept.count()),
      "ConnectTimeout=" + seconds_text(plan_.ssh.connect_timeout),
      "ServerAliveInterval=" + std::to_string(alive_every_seconds),
      "ServerAliveCountMax=" + std::to_string(alive_tries),
      // What is meant for a person who works there.
      "RequestTTY=no",
      "RemoteCommand=none",
      "ClearAllForwardings=yes",
      "ForwardX11=no",
      "ForwardAgent=no",
      "GSSAPIDelegateCredentials=no",
      "VerifyHostKeyDNS=no",  // known_hosts alone says which key is the host's
      "PermitLocalCommand=no",
      "LogLevel=ERROR",
  };
  std::vector<std::string> words = {plan_.ssh.command.front()};
  for (const std::string& option : options) words.insert(words.end(), {"-o", option});
  words.insert(words.end(), plan_.ssh.command.begin() + 1, plan_.ssh.command.end());
  words.insert(words.end(), {"--", target.host});
  return words;
}

ChildCommand Hosts::command(const RolloutTarget& target, const std::vector<std::string>& words,
                            bool brief) const {
  if (target.host.empty()) return {command_here(target, words), ""};
  std::vector<std::string> command = ssh(target, brief);
  command.push_back(remote_line(target, words));
  return {std::move(command), folder_};
}

std::chrono::milliseconds short_command_timeout(const RolloutPlan& plan) {
  return seconds(60) + plan.ssh.connect_timeout;
}

std::vector<std::string> command_here(const RolloutTarget& target,
                                      const std::vector<std::string>& words) {
  std::vector<std::string> command;
  if (target.sudo) command = {"sudo", "-n", "--"};
  // By its own name, unless an upgrade of Drydock has replaced that file meanwhile.
  std::error_code gone;
  const fs::path self = fs::read_symlink("/proc/self/exe", gone);
  const bool there = fs::exists(self, gone);
  command.push_back(there ? self.string() : "/proc/self/exe");
  command.insert(command.end(), {"-C", target.dir});
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

std::string command_text(const RolloutTarget& target, const std::string& words) {
  const std::string sudo = target.sudo ? "sudo " : "";
  const std::string command = " -C " + shell_word(target.dir) + " " + words;
  if (target.host.empty()) return sudo + "drydock" + command;
  const std::string line = sudo + shell_word(target.binary) + command;
  const bool plain = line.find('\'') == std::string::npos;
  return ssh_text(target.host) + " " + (plain ? line : shell_word(line));
}

std::string host_text(const std::string& host) {
  constexpr std::string_view scheme = "ssh://";
  return host.starts_with(scheme) ? host.substr(scheme.size()) : host;
}

}  // namespace drydock
