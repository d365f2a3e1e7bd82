#include "ports.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace drydock::preflight {
namespace {

using nlohmann::json;

bool is_any(const std::string& address) {
  return address.empty() || address == "0.0.0.0" || address == "::";
}

// "8080" or "8000-8010"; empty for anything else.
std::vector<int> port_range(const std::string& text) {
  std::istringstream stream(text);
  int first = 0, last = 0;
  char dash = 0;
  if (!(stream >> first)) return {};
  last = first;
  if (stream >> dash && (dash != '-' || !(stream >> last))) return {};
  std::vector<int> ports;
  for (int port = first; port > 0 && port <= last && port < 65536; ++port) ports.push_back(port);
  return ports;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return "";
  return found->is_string() ? found->get<std::string>() : found->is_number() ? found->dump() : "";
}

}  // namespace

// Who listens on any address holds all of them; a socket for any IPv6 address holds IPv4 as well,
// unless it says otherwise, which cannot be seen.
bool HostPort::collides(const HostPort& other) const {
  if (port != other.port || protocol != other.protocol) return false;
  return is_any(address) || is_any(other.address) || address == other.address;
}

std::string HostPort::words() const {
  return (is_any(address) ? "" : address + ":") + std::to_string(port) + "/" + protocol;
}

std::vector<Wanted> published_ports(std::string_view resolved_model) {
  std::vector<Wanted> result;
  const json model = json::parse(resolved_model, nullptr, false);
  if (!model.is_object() || !model.contains("services") || !model["services"].is_object()) {
    return result;
  }
  for (const auto& [name, service] : model["services"].items()) {
    if (!service.is_object() || !service.contains("ports") || !service["ports"].is_array())
      continue;
    for (const json& port : service["ports"]) {
      if (!port.is_object()) continue;
      const std::string protocol = text_of(port, "protocol");
      const std::vector<int> range = port_range(text_of(port, "published"));
      if (range.size() > 1 && text_of(port, "target").find('-') == std::string::npos) {
        continue;  // the engine takes any of them
      }
      for (const int number : range) {
        result.push_back(
            {{text_of(port, "host_ip"), number, protocol.empty() ? "tcp" : protocol}, name});
      }
    }
  }
  return result;
}

std::vector<HostPort> parse_ports_column(const std::string& column) {
  std::vector<HostPort> result;
  std::istringstream stream(column);
  for (std::string part; std::getline(stream, part, ',');) {
    part.erase(0, part.find_first_not_of(' '));
    const std::size_t arrow = part.find("->"), slash = part.rfind('/');
    if (arrow == part.npos || slash == part.npos || slash < arrow) continue;
    const std::string host = part.substr(0, arrow);
    const std::size_t colon = host.rfind(':');
    if (colon == host.npos) continue;
    std::string address = host.substr(0, colon);
    if (address.size() > 1 && address.front() == '[')
      address = address.substr(1, address.size() - 2);
    for (const int number : port_range(host.substr(colon + 1))) {
      result.push_back({address, number, part.substr(slash + 1)});
    }
  }
  return result;
}

std::vector<HostPort> parse_proc_net(const std::string& text, const std::string& protocol) {
  std::vector<HostPort> result;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    // "  0: 0100007F:1F90 00000000:0000 0A ..."
    std::istringstream fields(line);
    std::string number, local, remote, state;
    if (!(fields >> number >> local >> remote >> state)) continue;
    if (state != (protocol == "tcp" ? "0A" : "07")) continue;  // listens; is bound
    const std::size_t colon = local.find(':');
    if (colon == local.npos) continue;
    const std::string address = local.substr(0, colon);
    HostPort port{"", static_cast<int>(std::strtol(local.c_str() + colon + 1, nullptr, 16)),
                  protocol};
    const std::size_t mapped =
        address.size() == 32 && address.compare(0, 24, "0000000000000000FFFF0000") == 0 ? 24
        : address.size() == 8                                                           ? 0
                              : std::string::npos;
    if (address.find_first_not_of('0') == address.npos) {
      port.address = "";
    } else if (mapped != std::string::npos) {
      const unsigned long four = std::strtoul(address.c_str() + mapped, nullptr, 16);
      for (int shift = 0; shift < 32; shift += 8) {  // as the processor has it: the last one first
        port.address += (shift == 0 ? "" : ".") + std::to_string((four >> shift) & 255);
      }
    } else {
      port.address = "IPv6 " + address;
    }
    result.push_back(std::move(port));
  }
  return result;
}

void check_ports(const std::vector<Wanted>& wanted, const std::vector<Holder>& containers,
                 const std::vector<HostPort>& bound, Findings& findings) {
  for (const Wanted& one : wanted) {
    const Holder* holder = nullptr;
    bool ours = false;
    for (const Holder& container : containers) {
      if (!one.port.collides(container.port)) continue;
      ours = ours || container.ours;
      if (!container.ours) holder = &container;
    }
    if (holder != nullptr) {
      findings.refused.push_back("service " + one.service + " is published on port " +
                                 one.port.words() + ", which container " + holder->container +
                                 (holder->project.empty() ? "" : " of project " + holder->project) +
                                 " has; stop that one, or choose another port");
      continue;
    }
    if (ours) continue;  // what listens there is its own container
    for (const HostPort& port : bound) {
      if (!one.port.collides(port)) continue;
      findings.refused.push_back("service " + one.service + " is published on port " +
                                 one.port.words() +
                                 ", on which something else listens on this machine (`ss -lntup` "
                                 "says what); stop it, or choose another port");
      break;
    }
  }
}

}  // namespace drydock::preflight
