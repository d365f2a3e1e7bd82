#include "rollout.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "error.h"
#include "files.h"
#include "pipeline_stage.h"
#include "rollout_environment.h"
#include "rollout_inventory.h"
#include "stage_list.h"
#include "text.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr unsigned most_environments = 100'000;

// Names of rollouts, environments and waves: parts of keys of runs and of names of files.
std::string read_word(const YamlNode& node, const std::string& where) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' ||
           c == '-' || c == '.';
  };
  constexpr std::size_t longest = 64;
  const std::string& name = node.text;
  if (node.kind != YamlNode::Kind::scalar || name.empty() || name.size() > longest ||
      !std::all_of(name.begin(), name.end(), fits) || name[0] == '-' || name[0] == '.') {
    refuse(node.place, "the name " + found_in(node), where,
           "at most 64 letters, digits, '_', '-' and '.', a letter, digit or '_' first");
  }
  return name;
}

std::string read_choice(const YamlNode& node, const std::string& where,
                        const std::vector<std::string>& choices) {
  const std::string choice = node.kind == YamlNode::Kind::scalar ? node.text : "";
  if (std::find(choices.begin(), choices.end(), choice) != choices.end()) return choice;
  refuse(node.place, found_in(node), where, join(choices, ", ") + did_you_mean(choice, choices));
}

Share read_share(const YamlNode& node, const std::string& where, unsigned least) {
  Share share;
  share.place = node.place;
  std::string text = node.kind == YamlNode::Kind::scalar ? node.text : "";
  share.percent = text.ends_with('%');
  if (share.percent) text.pop_back();
  const bool number =
      !text.empty() && text.size() <= 6 && std::all_of(text.begin(), text.end(), is_digit);
  if (number) share.amount = static_cast<unsigned>(std::stoul(text));
  const unsigned smallest = share.percent ? std::max(least, 1u) : least;
  const unsigned most = share.percent ? 100 : most_environments;
  if (!number || share.amount < smallest || share.amount > most) {
    refuse(node.place, found_in(node), where,
           "a whole number from " + std::to_string(least) + ", or 1% to 100%");
  }
  return share;
}

std::vector<std::string> read_values(const YamlNode& node, const std::string& label) {
  std::vector<std::string> values;
  const std::string where = "the label '" + label + "'";
  if (node.kind != YamlNode::Kind::sequence) {
    values.push_back(read_text(node, where));
  } else if (node.items.empty()) {
    refuse(node.place, "an empty list", where, "a value or a list of values");
  }
  for (const YamlNode& item : node.items) values.push_back(read_text(item, where));
  return values;
}

Selector read_selector(const YamlNode& node) {
  constexpr auto where = "'environments:' of a wave";
  Selector selector;
  selector.place = node.place;
  if (node.kind == YamlNode::Kind::mapping && !node.members.empty()) {
    for (const auto& [key, value] : node.members) {
      selector.labels.push_back({read_name(key, where), read_values(value, key.text), key.place});
    }
  } else if (node.kind == YamlNode::Kind::sequence && !node.items.empty()) {
    for (const YamlNode& item : node.items) {
      selector.names.emplace_back(read_text(item, where), item.place);
    }
  } else if (node.kind != YamlNode::Kind::scalar || node.text.empty()) {
    refuse(node.place, found_in(node), where,
           "all, a list of names, or labels such as { tier: prod }");
  } else if (node.text != "all") {
    selector.names.emplace_back(read_text(node, where), node.place);
  }
  return selector;
}

WaveSpec read_wave(const YamlNode& node) {
  const MappingReader reader(node, "a wave",
                             {"name", "environments", "take", "parallel", "max_failures",
                              "max_unreachable", "order", "soak", "gate", "approve"});
  WaveSpec wave;
  wave.place = node.place;
  wave.name = read_word(reader.require("name", "name: NAME"), "'name:' of a wave");
  wave.selector = read_selector(
      reader.require("environments", "environments: all, a list of names, or { LABEL: VALUE }"));
  if (const YamlNode* take = reader.find("take")) wave.take = read_share(*take, "'take:'", 1);
  if (const YamlNode* parallel = reader.find("parallel")) {
    wave.parallel = read_share(*parallel, "'parallel:'", 1);
  }
  if (const YamlNode* failures = reader.find("max_failures")) {
    wave.max_failures = read_share(*failures, "'max_failures:'", 0);
  }
  if (const YamlNode* unreachable = reader.find("max_unreachable")) {
    wave.max_unreachable = read_share(*unreachable, "'max_unreachable:'", 0);
  }
  if (const YamlNode* order = reader.find("order")) {
    const std::string choice = read_choice(*order, "'order:'", {"declared", "reversed", "name"});
    wave.order = choice == "name"       ? WaveOrder::name
                 : choice == "reversed" ? WaveOrder::reversed
                                        : WaveOrder::declared;
  }
  if (const YamlNode* soak = reader.find("soak")) wave.soak = read_duration(*soak, "'soak:'");
  if (const YamlNode* gate = reader.find("gate")) wave.gate = read_stage(*gate);
  if (const YamlNode* approve = reader.find("approve")) {
    wave.approve = read_boolean(*approve, "'approve:'");
  }
  return wave;
}

SshSpec read_ssh(const YamlNode& node) {
  const MappingReader reader(node, "'ssh:'", {"command", "connect_timeout", "reconnect"});
  SshSpec ssh;
  if (const YamlNode* command = reader.find("command")) {
    ssh.command = read_texts(*command, "'command:'");
    if (ssh.command.empty()) {
      refuse(command->place, "an empty list", "'command:'", "ssh and its options");
    }
  }
  if (const YamlNode* timeout = reader.find("connect_timeout")) {
    ssh.connect_timeout = read_duration(*timeout, "'connect_timeout:'");
    if (ssh.connect_timeout < std::chrono::seconds(1)) {
      refuse(timeout->place, found_in(*timeout), "'connect_timeout:'", "1s or more");
    }
  }
  if (const YamlNode* reconnect = reader.find("reconnect")) {
    ssh.reconnect = read_duration(*reconnect, "'reconnect:'");
  }
  return ssh;
}

std::vector<WaveSpec> read_waves(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::sequence || node.items.empty()) {
    refuse(node.place, found_in(node), "'waves:'", "a list of waves");
  }
  std::vector<WaveSpec> waves;
  for (const YamlNode& item : node.items) {
    WaveSpec wave = read_wave(item);
    for (const WaveSpec& other : waves) {
      if (other.name != wave.name) continue;
      refuse(wave.place, "the name '" + wave.name + "' a second time", "'waves:'",
             "once; the first is at " + other.place.text());
    }
    waves.push_back(std::move(wave));
  }
  return waves;
}

std::vector<Environment> read_all_environments(const MappingReader& reader,
                                               const std::string& folder) {
  std::vector<DeclaredEnvironment> declared;
  if (const YamlNode* listed = reader.find("environments")) {
    if (listed->kind != YamlNode::Kind::mapping) {
      refuse(listed->place, found_in(*listed), "'environments:'",
             "a mapping such as staging: { dir: /srv/app }");
    }
    for (const auto& [key, value] : listed->members) {
      declared.push_back({read_word(key, "'environments:'"), value, folder});
      // An environment that the defaults say everything of.
      if (value.kind == YamlNode::Kind::null) declared.back().node.kind = YamlNode::Kind::mapping;
      declared.back().node.place = key.place;
    }
  }
  if (const YamlNode* inventory = reader.find("inventory")) {
    for (DeclaredEnvironment& each : read_inventory(*inventory, folder)) {
      YamlNode name;
      name.kind = YamlNode::Kind::scalar;
      name.text = each.name;
      name.place = each.node.place;
      read_word(name, "the inventory");
      declared.push_back(std::move(each));
    }
  }
  if (declared.empty()) {
    refuse(reader.place(), "no environment", "the rollout", "'environments:' or 'inventory:'");
  }
  std::map<std::string, Place> places;
  for (const DeclaredEnvironment& each : declared) {
    const auto [first, is_new] = places.try_emplace(each.name, each.node.place);
    if (is_new) continue;
    refuse(each.node.place, "the environment '" + each.name + "' a second time", "the rollout",
           "once; the first is at " + first->second.text());
  }
  return read_environments(declared, reader.find("defaults"), folder);
}

}  // namespace

std::string name_of(Drift drift) {
  return drift == Drift::skip ? "skip" : drift == Drift::include ? "include" : "refuse";
}

Drift drift_named(const std::string& name) {
  return name == "skip" ? Drift::skip : name == "include" ? Drift::include : Drift::refuse;
}

bool is_rollout_file(const std::string& file) {
  try {
    const YamlNode root = read_yaml(file);
    return std::any_of(root.members.begin(), root.members.end(),
                       [](const YamlMember& each) { return each.key.text == "rollout"; });
  } catch (const Error&) {
    return false;
  }
}

Rollout load_rollout(const std::string& file) {
  const YamlNode root = read_yaml(file);
  check_format_version(root, "the rollout");
  const MappingReader reader(
      root, "the rollout",
      {"drydock", "rollout", "pipeline", "defaults", "inventory", "environments", "waves",
       "on_failure", "drift", "on_budget", "notify", "ssh"});
  Rollout rollout;
  rollout.file = file;
  rollout.sha256 = sha256_of_file(file);
  rollout.folder = fs::absolute(file).lexically_normal().parent_path().string();
  rollout.name = read_word(reader.require("rollout", "rollout: NAME"), "'rollout:'");
  const YamlNode& pipeline = reader.require("pipeline", "pipeline: FILE, or an installed one");
  rollout.pipeline = read_text(pipeline, "'pipeline:'");
  rollout.pipeline_place = pipeline.place;
  const YamlNode& waves = reader.require("waves", "'waves:' with a list of waves");
  rollout.waves = read_waves(waves);
  if (const YamlNode* on_failure = reader.find("on_failure")) {
    rollout.rollback_wave =
        read_choice(*on_failure, "'on_failure:'", {"stop", "rollback-wave"}) == "rollback-wave";
  }
  if (const YamlNode* drift = reader.find("drift")) {
    rollout.drift = drift_named(read_choice(*drift, "'drift:'", {"refuse", "skip", "include"}));
  }
  if (const YamlNode* on_budget = reader.find("on_budget")) {
    rollout.cancel_on_budget =
        read_choice(*on_budget, "'on_budget:'", {"wait", "cancel"}) == "cancel";
  }
  if (const YamlNode* notify = reader.find("notify")) rollout.notify = read_stage(*notify);
  if (const YamlNode* ssh = reader.find("ssh")) rollout.ssh = read_ssh(*ssh);
  // Last: an inventory's command may take its time, and what is wrong beside it is known before.
  rollout.environments = read_all_environments(reader, rollout.folder);
  return rollout;
}

}  // namespace drydock
