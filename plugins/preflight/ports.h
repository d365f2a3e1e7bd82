// Ports of the host that containers are published on.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checks.h"

namespace drydock::preflight {

struct HostPort {
  std::string address;  // "" is any
  int port = 0;
  std::string protocol = "tcp";

  bool collides(const HostPort& other) const;
  std::string words() const;  // "127.0.0.1:80/tcp"
};

struct Wanted {
  HostPort port;
  std::string service;
};
// What `docker compose config --format json` prints. Ports that the engine chooses are left out.
std::vector<Wanted> published_ports(std::string_view resolved_model);

struct Holder {
  HostPort port;
  std::string container, project;
  bool ours = false;  // of this deployment
};
// The column Ports of `docker ps`: "0.0.0.0:80->80/tcp, [::]:80->80/tcp".
std::vector<HostPort> parse_ports_column(const std::string& column);

// /proc/net/tcp, tcp6, udp or udp6: what is bound on this machine, whosoever's.
std::vector<HostPort> parse_proc_net(const std::string& text, const std::string& protocol);

void check_ports(const std::vector<Wanted>& wanted, const std::vector<Holder>& containers,
                 const std::vector<HostPort>& bound, Findings& findings);

}  // namespace drydock::preflight
