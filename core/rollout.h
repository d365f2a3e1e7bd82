// A rollout file as values: a pipeline, the environments that it goes to, and the waves in which it
// reaches them. docs/rollouts.md is the reference.
#pragma once

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pipeline.h"
#include "place.h"

namespace drydock {

// `N` or `N%` of the environments of a wave.
struct Share {
  unsigned amount = 0;
  bool percent = false;
  Place place;
};

struct Environment {
  std::string name;
  Place place;
  std::string host;  // ssh://USER@HOST:PORT or an alias of ssh_config; "": this machine
  std::string dir;   // on that host; relative: to the rollout file's folder
  bool sudo = false;
  std::string binary = "drydock";  // how Drydock is called on that host
  std::vector<GivenVar> vars;      // those of files first: of two values the later one counts
  std::map<std::string, std::set<std::string>> labels;
  std::map<std::string, SecretSource> secrets;  // by the pipeline's names
};

// By names, or by labels: every label has one of these values. Without either: all.
struct Selector {
  std::vector<std::pair<std::string, Place>> names;
  struct Label {
    std::string name;
    std::vector<std::string> values;
    Place place;
  };
  std::vector<Label> labels;
  Place place;
};

enum class WaveOrder { declared, reversed, name };

// How long a gate and a notification may take that do not say so.
inline constexpr std::chrono::milliseconds gate_timeout(600'000), notification_timeout(30'000);

struct WaveSpec {
  std::string name;
  Place place;
  Selector selector;
  std::optional<Share> take;  // the first of what is selected; a later wave may have the rest
  Share parallel{1, false, {}};
  Share max_failures{0, false, {}};
  Share max_unreachable{0, false, {}};
  WaveOrder order = WaveOrder::declared;
  // What must hold before the next wave, in this order.
  std::chrono::milliseconds soak{0};
  std::optional<StageSpec> gate;
  bool approve = false;
};

// How hosts are reached: by OpenSSH's client.
struct SshSpec {
  std::vector<std::string> command = {"ssh"};  // performed in the rollout file's folder
  std::chrono::milliseconds connect_timeout{15'000};
  // How long a host may be away before its environment is given up.
  std::chrono::milliseconds reconnect{600'000};
};

enum class Drift { refuse, skip, include };
std::string name_of(Drift drift);
Drift drift_named(const std::string& name);  // refuse for what is none

struct Rollout {
  std::string file;      // as a person would name it
  std::string folder;    // absolute; relative paths of the file begin here
  std::string sha256;    // of the file
  std::string name;      // letters, digits, '_', '-'
  std::string pipeline;  // a path (from the rollout's folder) or the name of an installed one
  Place pipeline_place;
  std::vector<Environment> environments;  // as declared, then those of the inventory
  std::vector<WaveSpec> waves;
  SshSpec ssh;
  bool rollback_wave = false;  // on_failure: rollback-wave
  Drift drift = Drift::refuse;
  bool cancel_on_budget = false;  // on_budget: cancel
  std::optional<StageSpec> notify;
};

// Whether a YAML file says that it is a rollout: it has a 'rollout:' at its top. False for what
// cannot be read.
bool is_rollout_file(const std::string& file);

// Runs the inventory's command, too. Throws Error with the place of the first problem.
Rollout load_rollout(const std::string& file);

}  // namespace drydock
