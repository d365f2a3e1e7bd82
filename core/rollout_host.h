// Where the runs of an environment are performed: how a command of Drydock gets there. On this
// machine it is spawned, on another host OpenSSH's client carries it, with the user's own
// configuration, agent and known_hosts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "child_pool.h"
#include "rollout_plan.h"
#include "temporary_dir.h"

namespace drydock {

// For the commands of one rollout. Those of one host share a connection, which ends with this.
class Hosts {
 public:
  // Throws Error when the sockets of connections have no place.
  explicit Hosts(const RolloutPlan& plan);
  ~Hosts();
  Hosts(const Hosts&) = delete;
  Hosts& operator=(const Hosts&) = delete;

  // What performs `drydock WORDS` for the target's deployment. Its standard streams are those of
  // the command. `brief`: it is the last one for a while, and leaves no connection behind.
  ChildCommand command(const RolloutTarget& target, const std::vector<std::string>& words,
                       bool brief = false) const;

 private:
  std::vector<std::string> ssh(const RolloutTarget& target, bool brief) const;
  std::string control_path(const std::string& host) const;

  const RolloutPlan& plan_;
  std::string folder_;                     // of the rollout file
  std::unique_ptr<TemporaryDir> sockets_;  // null: no environment is on another host
};

// How long a command may take that only asks or tells something: that of the connection comes on
// top.
std::chrono::milliseconds short_command_timeout(const RolloutPlan& plan);

// On this machine, with its own binary.
std::vector<std::string> command_here(const RolloutTarget& target,
                                      const std::vector<std::string>& words);

// `drydock WORDS` for the target's deployment as a person would type it on this machine.
std::string command_text(const RolloutTarget& target, const std::string& words);

// "web-1", "deploy@10.0.0.7:2222": without the scheme, since user and host of a URL would be masked
// like a password.
std::string host_text(const std::string& host);

}  // namespace drydock
