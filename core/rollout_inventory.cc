#include "rollout_inventory.h"

#include <glob.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "capture_command.h"
#include "error.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t largest_inventory = 64u << 20;  // bytes
constexpr int deepest_value = 100;

[[noreturn]] void refuse_output(const Place& place, const std::string& found) {
  throw Error(full_stop(place.text() + ": the inventory's command printed " + found +
                        ", allowed: what `ansible-inventory --list` prints, an object of groups"));
}

YamlNode scalar(const std::string& text, const Place& place, bool plain = false) {
  YamlNode node;
  node.kind = YamlNode::Kind::scalar;
  node.text = text;
  node.plain = plain;
  node.place = place;
  return node;
}

YamlMember member(const std::string& key, YamlNode value, const Place& place) {
  return {scalar(key, place), std::move(value)};
}

// As if it stood in the rollout file.
YamlNode to_yaml(const json& value, const Place& place, const std::string& where) {
  YamlNode node;
  node.place = place;
  if (value.is_object()) {
    if (value.contains("__ansible_vault")) {
      throw Error(full_stop(place.text() + ": found a value in a vault in " + where +
                            " of the inventory's command, allowed: plain values; a secret belongs "
                            "under 'secrets:' with a source of its own"));
    }
    node.kind = YamlNode::Kind::mapping;
    for (const auto& [key, each] : value.items()) {
      node.members.push_back(member(key, to_yaml(each, place, where), place));
    }
  } else if (value.is_array()) {
    node.kind = YamlNode::Kind::sequence;
    for (const json& each : value) node.items.push_back(to_yaml(each, place, where));
  } else if (value.is_string()) {
    return scalar(value.get<std::string>(), place);
  } else if (!value.is_null()) {
    return scalar(value.dump(), place, true);
  }
  return node;
}

// What a command has printed. The parser sorts members by their names, and the order in which hosts
// come is theirs, so it is kept beside.
struct Printed {
  json document;
  std::vector<std::string> names, hosts;  // of the document, and of its '_meta.hostvars'
};

// Refuses what is no JSON, and what is nested so deeply that whoever walks through it, as copying
// it does, would run out of stack.
Printed parse(const std::string& text, const Place& place) {
  Printed printed;
  std::string name, part;  // that the parser is in
  const auto look = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth > deepest_value) {
      refuse_output(place,
                    "values that are nested more than " + std::to_string(deepest_value) + " deep");
    }
    if (event != json::parse_event_t::key || depth > 3) return true;
    const std::string& key = parsed.get_ref<const std::string&>();
    if (depth == 1) {
      printed.names.push_back(name = key);
    } else if (depth == 2) {
      part = key;
    } else if (name == "_meta" && part == "hostvars") {
      printed.hosts.push_back(key);
    }
    return true;
  };
  printed.document = json::parse(text, look, false);
  if (printed.document.is_discarded()) {
    const std::string first_line = text.substr(0, text.find('\n'));
    refuse_output(place, text.empty()
                             ? "nothing"
                             : "no JSON ('" + make_visible(shorten(first_line, 60)) + "')");
  }
  if (!printed.document.is_object()) refuse_output(place, "no object");
  return printed;
}

class AnsibleInventory {
 public:
  AnsibleInventory(const Printed& printed, const Place& place)
      : document_(printed.document), place_(place) {
    const auto meta = document_.find("_meta");
    if (meta != document_.end() && !meta->is_object()) {
      refuse_output(place_, "'_meta' as no object");
    }
    for (const std::string& name : printed.names) {
      if (name == "_meta") continue;
      const json& group = document_.at(name);
      if (!group.is_object()) refuse_output(place_, "the group '" + name + "' as no object");
      for (const std::string& host : texts(group, "hosts", name)) add_host(host);
    }
    for (const std::string& name : printed.names) {
      if (name == "_meta" || name == "all" || name == "ungrouped") continue;
      add_members(name);
    }
    if (meta == document_.end()) return;
    const auto variables = meta->find("hostvars");
    if (variables == meta->end()) return;
    if (!variables->is_object()) refuse_output(place_, "'_meta.hostvars' as no object");
    for (const std::string& host : printed.hosts) {
      const auto vars = variables->find(host);
      if (vars == variables->end()) continue;  // of two '_meta' the later one counts
      add_host(host);
      if (vars->is_object()) continue;
      refuse_output(place_, "the variables of '" + host + "' as no object");
    }
    variables_ = &*variables;
  }

  std::vector<DeclaredEnvironment> environments(const std::string& folder) const {
    std::vector<DeclaredEnvironment> result;
    for (const std::string& host : order_) {
      result.push_back({host, environment(host, groups_.at(host)), folder});
    }
    return result;
  }

 private:
  std::vector<std::string> texts(const json& group, const char* key,
                                 const std::string& name) const {
    const json list = group.value(key, json::array());
    const bool fits =
        list.is_array() &&
        std::all_of(list.begin(), list.end(), [](const json& each) { return each.is_string(); });
    if (!fits) {
      refuse_output(place_, "'" + std::string(key) + "' of the group '" + name +
                                "' as something else than a list of names");
    }
    return list.get<std::vector<std::string>>();
  }

  void add_host(const std::string& host) {
    if (groups_.try_emplace(host).second) order_.push_back(host);
  }

  // Whoever is in a group of a group is in both. Each group below is looked at once, however many
  // ways lead to it.
  void add_members(const std::string& of) {
    std::set<std::string> seen = {of};
    for (std::vector<std::string> left = {of}; !left.empty();) {
      const std::string group = std::move(left.back());
      left.pop_back();
      const auto found = document_.find(group);
      if (found == document_.end()) continue;  // a child without hosts is not always listed
      for (const std::string& host : texts(*found, "hosts", group)) groups_.at(host).insert(of);
      for (const std::string& child : texts(*found, "children", group)) {
        if (child == of) refuse_output(place_, "the group '" + of + "' within itself");
        if (seen.insert(child).second) left.push_back(child);
      }
    }
  }

  YamlNode environment(const std::string& host, const std::set<std::string>& groups) const {
    const json vars =
        variables_ == nullptr ? json::object() : variables_->value(host, json::object());
    const std::string where = "the host '" + host + "'";
    YamlNode node = to_yaml(vars.value("drydock", json::object()), place_, where);
    if (node.kind != YamlNode::Kind::mapping) {
      refuse_output(place_, "the variable 'drydock' of " + where + " as no object");
    }
    const auto says = [&](std::string_view key) {
      return std::any_of(node.members.begin(), node.members.end(),
                         [&](const YamlMember& each) { return each.key.text == key; });
    };
    if (!says("host")) node.members.push_back(member("host", address(host, vars, where), place_));
    if (!says("sudo") && vars.contains("ansible_become")) {
      const std::string become = text(vars, "ansible_become", where);
      const bool yes = become == "true" || become == "yes" || become == "True" || become == "1";
      node.members.push_back(member("sudo", scalar(yes ? "true" : "false", place_, true), place_));
    }
    if (!groups.empty()) add_groups(node, groups);
    return node;
  }

  // Beside labels that the host's own `drydock` variable has.
  void add_groups(YamlNode& node, const std::set<std::string>& groups) const {
    YamlNode list;
    list.kind = YamlNode::Kind::sequence;
    list.place = place_;
    for (const std::string& group : groups) list.items.push_back(scalar(group, place_));
    for (YamlMember& each : node.members) {
      if (each.key.text != "labels" || each.value.kind != YamlNode::Kind::mapping) continue;
      each.value.members.push_back(member("group", std::move(list), place_));
      return;
    }
    YamlNode labels;
    labels.kind = YamlNode::Kind::mapping;
    labels.place = place_;
    labels.members.push_back(member("group", std::move(list), place_));
    node.members.push_back(member("labels", std::move(labels), place_));
  }

  // A text, number or boolean as Ansible's users write them.
  std::string text(const json& vars, const char* key, const std::string& where) const {
    const auto found = vars.find(key);
    if (found == vars.end()) return "";
    const YamlNode node = to_yaml(*found, place_, "'" + std::string(key) + "' of " + where);
    if (node.kind != YamlNode::Kind::scalar) {
      refuse_output(place_, "'" + std::string(key) + "' of " + where + " as no text");
    }
    return node.text;
  }

  YamlNode address(const std::string& name, const json& vars, const std::string& where) const {
    if (text(vars, "ansible_connection", where) == "local") {
      YamlNode here;
      here.place = place_;
      return here;
    }
    std::string host = text(vars, "ansible_host", where);
    const std::string user = text(vars, "ansible_user", where),
                      port = text(vars, "ansible_port", where);
    if (host.empty()) host = name;
    if (user.empty() && port.empty()) return scalar(host, place_);  // ssh_config knows the rest
    if (host.find(':') != host.npos) host = "[" + host + "]";
    return scalar(
        "ssh://" + (user.empty() ? "" : user + "@") + host + (port.empty() ? "" : ":" + port),
        place_);
  }

  const json& document_;
  const Place& place_;
  const json* variables_ = nullptr;                      // of hosts
  std::vector<std::string> order_;                       // of hosts, as they are printed
  std::map<std::string, std::set<std::string>> groups_;  // that each host is in
};

std::vector<DeclaredEnvironment> from_files(const YamlNode& pattern, const std::string& folder) {
  const std::string text = read_text(pattern, "'files:'");
  glob_t found{};
  const int status = ::glob((fs::path(folder) / text).c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> files(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status != 0 || files.empty()) {
    refuse(pattern.place, "no file that fits '" + text + "'", "'files:'",
           "a pattern such as hosts/*.yaml, from the rollout file's folder");
  }
  std::vector<DeclaredEnvironment> environments;
  for (const std::string& file : files) {
    environments.push_back(
        {fs::path(file).stem().string(), read_yaml(file), fs::path(file).parent_path().string()});
  }
  return environments;
}

}  // namespace

std::vector<DeclaredEnvironment> environments_of_ansible(const std::string& text,
                                                         const Place& place,
                                                         const std::string& folder) {
  const Printed printed = parse(text, place);
  return AnsibleInventory(printed, place).environments(folder);
}

std::vector<DeclaredEnvironment> read_inventory(const YamlNode& node, const std::string& folder) {
  const MappingReader reader(node, "'inventory:'", {"files", "command", "timeout"});
  const YamlNode* files = reader.find("files");
  const YamlNode* command = reader.find("command");
  if ((files == nullptr) == (command == nullptr)) {
    refuse(node.place, files == nullptr ? "neither 'files:' nor 'command:'" : "both",
           "'inventory:'", "one of files: GLOB and command: [PROGRAM, ARGUMENT]");
  }
  if (files != nullptr) return from_files(*files, folder);
  CaptureRequest request;
  request.arguments = read_texts(*command, "'command:'");
  if (request.arguments.empty()) {
    refuse(command->place, "an empty list", "'command:'", "a program and its arguments");
  }
  if (const YamlNode* timeout = reader.find("timeout")) {
    request.timeout = read_duration(*timeout, "'timeout:'");
  } else {
    request.timeout = std::chrono::seconds(30);
  }
  request.directory = folder;
  request.limit = largest_inventory;
  const CapturedCommand done = capture_command(request);
  if (!done.ok()) {
    throw Error(full_stop(
        command->place.text() + ": the inventory's command '" + request.arguments[0] + "' " +
        (done.timed_out ? "did not end within " + format_duration(request.timeout) +
                              "; raise 'timeout:', or see why it hangs"
                        : "failed (" + done.describe() + "); run it by hand to see why")));
  }
  return environments_of_ansible(done.out, command->place, folder);
}

}  // namespace drydock
