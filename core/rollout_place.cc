#include "rollout_place.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "error.h"
#include "files.h"
#include "text.h"
#include "workbench.h"
#include "yaml_reader.h"

namespace drydock {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_url = 64u << 10;

std::string trimmed(std::string text) {
  const auto blank = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && blank(text.back())) text.pop_back();
  std::size_t begin = 0;
  while (begin < text.size() && blank(text[begin])) ++begin;
  return text.substr(begin);
}

std::string url_in_file(const std::string& file, const std::string& source) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw Error(source + ": found '" + file +
                "', which is neither a file nor a URL; give a file (0600) that holds "
                "postgresql://..., or env:NAME of a variable");
  }
  if ((status.st_mode & 077) != 0) {
    throw Error(source + ": " + file + " may be read by others than its owner; chmod 600 it");
  }
  return trimmed(read_file(file, longest_url));
}

// "%70assword" is one as well.
std::string percent_decoded(const std::string& text) {
  const auto digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) && digit(text[i + 2])) {
      decoded += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

bool has_password(const std::string& url) {
  const std::size_t begin = url.find("://") + 3;
  const std::string user = url.substr(begin, url.find_first_of("/?", begin) - begin);
  const std::size_t at = user.rfind('@');
  const bool beside_user = at != std::string::npos && user.substr(0, at).find(':') != user.npos;
  return beside_user || percent_decoded(url).find("password=") != std::string::npos;
}

// "": none.
std::string state_url(const Arguments& arguments) {
  const std::string& given = arguments.state;
  if (given.empty()) {
    const char* variable = std::getenv("DRYDOCK_STATE");
    if (variable == nullptr || *variable == '\0') return "";
    const std::string value = trimmed(variable);
    return value.find("://") == std::string::npos ? url_in_file(value, "DRYDOCK_STATE") : value;
  }
  constexpr std::string_view of_variable = "env:";
  if (given.starts_with(of_variable)) {
    const char* value = std::getenv(given.c_str() + of_variable.size());
    if (value != nullptr && *value != '\0') return trimmed(value);
    throw Error("--state: the variable " + given.substr(of_variable.size()) +
                " is not set; it holds a URL such as postgresql://me@server/rollouts");
  }
  if (given.find("://") == std::string::npos) return url_in_file(given, "--state");
  if (has_password(given)) {
    throw Error(
        "--state: found a URL with a password, which every list of processes would show; put it "
        "into a file (0600) and give that, or into a variable and give env:NAME");
  }
  return given;
}

bool is_state_shared(const Arguments& arguments) {
  const char* variable = std::getenv("DRYDOCK_STATE");
  return !arguments.state.empty() || (variable != nullptr && *variable != '\0');
}

// "": none that can be read.
std::string name_in_file(const std::string& file) {
  try {
    for (const auto& [key, value] : read_yaml(file).members) {
      if (key.text == "rollout") return value.text;
    }
  } catch (const Error&) {
    // Whoever is to carry it out is told.
  }
  return "";
}

// A file may be called by several paths, through links.
std::optional<RolloutRecord> newest_of_file(const RolloutStore& store, const std::string& named) {
  const auto canonical = [](const std::string& path) {
    std::error_code ignored;
    const fs::path found = fs::weakly_canonical(path, ignored);
    return found.empty() ? fs::path(path) : found;
  };
  const std::string absolute = fs::absolute(named).lexically_normal().string();
  const fs::path file = canonical(absolute);
  std::optional<RolloutRecord> newest;
  for (const std::string& each : store.files()) {
    if (each != absolute && canonical(each) != file) continue;
    auto record = store.newest_of_file(each);
    if (record && (!newest || record->id > newest->id)) newest = std::move(record);
  }
  return newest;
}

std::optional<RolloutRecord> newest_of(const RolloutStore& store, const std::string& named) {
  if (!fs::is_regular_file(named)) return store.newest(named);
  // On another machine the file may be elsewhere; its name is the same.
  if (store.is_shared()) {
    if (auto record = store.newest(name_in_file(named))) return record;
  }
  return newest_of_file(store, named);
}

// Two supervisors of one rollout in one folder of one machine: of these the lock is one.
std::string lock_identity(const std::string& folder) {
  struct stat status {};
  ::stat(folder.c_str(), &status);
  std::string boot = "?";
  try {
    boot = trimmed(read_file("/proc/sys/kernel/random/boot_id", longest_url));
  } catch (const Error&) {
    // Then whoever dies is waited for.
    boot += std::to_string(::getpid());
  }
  return host_name() + " " + boot + " " + std::to_string(status.st_dev) + "/" +
         std::to_string(status.st_ino) + " " + folder;
}

}  // namespace

RolloutPlace::RolloutPlace(const Arguments& arguments, const std::string& folder)
    : folder_(folder),
      state_(state_of(arguments, folder).path()),
      url_(state_url(arguments)),
      state_words_(state_words(arguments)),
      plugin_words_(plugin_words(arguments.plugin_dirs)) {}

// By its file, unless that has another place or name by now, or brings another state.
RolloutCommands RolloutPlace::commands(const RolloutPlan& plan) const {
  std::error_code gone;
  const bool finds_state = !url_.empty() || !state_words_.empty() ||
                           fs::equivalent(folder_of_file(plan.file), folder_, gone);
  const bool by_file = finds_state && name_in_file(plan.file) == plan.name;
  return {plan.file, plan.name, by_file ? "" : folder_, state_words_, plugin_words_};
}

std::unique_ptr<RolloutStore> RolloutPlace::open() const {
  return url_.empty() ? std::make_unique<RolloutStore>(database())
                      : std::make_unique<RolloutStore>(open_postgres_database(url_));
}

// One that others may not look at is there, for all that we know.
std::unique_ptr<RolloutStore> RolloutPlace::open_existing() const {
  std::error_code hidden;
  if (url_.empty() && !fs::exists(database(), hidden) && !hidden) return nullptr;
  return open();
}

DeploymentLock lock_of(const RolloutPlace& place, const RolloutPlan& plan) {
  const StateDir folder(place.of(plan.name));
  make_private_dir(folder.path());
  try {
    return DeploymentLock(folder);
  } catch (const Error& e) {
    if (e.code() != ExitCode::busy) throw;
    const auto holder = DeploymentLock::held(folder);
    throw Error("another process carries out the rollout '" + plan.name + "'" +
                    (holder && holder->pid != 0
                         ? " (process " + std::to_string(holder->pid) + " of " + holder->user +
                               " on " + holder->host + " since " + holder->since + ")"
                         : "") +
                    "; `" + place.commands(plan).of("status") + "` shows how far it is",
                ExitCode::busy);
  }
}

Supervisorship supervisorship_of(const RolloutPlace& place, const RolloutPlan& plan) {
  return {plan.name,
          "process " + std::to_string(::getpid()) + " of " + user_name() + " on " + host_name(),
          lock_identity(place.of(plan.name)), place.commands(plan).of("status")};
}

bool FoundRollout::supervised() const {
  const StateDir folder(place.of(record.plan.name));
  if (DeploymentLock::held(folder)) return true;
  if (!store->is_shared()) return false;
  const auto other = store->supervisor_of(record.plan.name);
  // One that was here would hold the lock.
  return other && other->place != lock_identity(folder.path());
}

RolloutRecord FoundRollout::now() const {
  const RolloutPlan& plan = record.plan;
  const auto read =
      store->is_shared() ? store->newest(plan.name) : store->newest(plan.name, plan.file);
  return read ? *read : record;
}

std::optional<Error> name_refusal(const RolloutPlan& plan, const RolloutRecord& earlier) {
  const std::string& other = earlier.plan.file;
  std::error_code gone;
  if (fs::equivalent(other, plan.file, gone) || name_in_file(other) != plan.name) {
    return std::nullopt;
  }
  return Error(plan.file + ": rollout: found '" + plan.name + "', which is the name of " + other +
               " and was begun at " + earlier.started +
               "; give one of them another name, so that each finds its own");
}

Error not_ended(const RolloutPlace& place, const RolloutRecord& earlier) {
  return Error("the rollout '" + earlier.plan.name + "' that was begun at " + earlier.started +
                   " by " + earlier.user + " has not ended; go on with `" +
                   place.commands(earlier.plan).of("resume") + "`, or give it up with --abandon",
               ExitCode::busy);
}

std::optional<Error> refused_for_its_name(const Arguments& arguments, const RolloutPlan& plan) {
  if (is_state_shared(arguments)) return std::nullopt;
  const RolloutPlace place(arguments, folder_of_file(plan.file));
  const std::unique_ptr<RolloutStore> store = place.open_existing();
  const auto earlier = store ? store->newest(plan.name) : std::nullopt;
  if (!earlier) return std::nullopt;
  if (auto refusal = name_refusal(plan, *earlier)) return refusal;
  const std::string& other = earlier->plan.file;
  std::error_code gone;
  const bool own = other == plan.file || fs::equivalent(other, plan.file, gone);
  if (own || earlier->state != RolloutState::running) return std::nullopt;
  return not_ended(place, *earlier);
}

std::string folder_of_file(const std::string& file) {
  return fs::absolute(file).lexically_normal().parent_path().string();
}

std::string folder_of_arguments(const Arguments& arguments) {
  return fs::absolute(arguments.directory.empty() ? fs::path(".") : fs::path(arguments.directory))
      .lexically_normal()
      .string();
}

FoundRollout find_rollout(const Arguments& arguments) {
  const std::string& named = arguments.positional[1];
  const bool is_file = fs::is_regular_file(named);
  const std::string folder = is_file ? folder_of_file(named) : folder_of_arguments(arguments);
  FoundRollout found{RolloutPlace(arguments, folder), nullptr, {}};
  std::vector<std::string> names;
  found.store = found.place.open_existing();
  if (found.store) {
    if (auto record = newest_of(*found.store, named)) {
      found.record = std::move(*record);
      return found;
    }
    names = found.store->names();
  }
  throw Error("no rollout '" + named + "' was begun in " +
              (found.store && found.store->is_shared() ? found.store->name() : folder) +
              (names.empty() ? "" : ", but: " + join(names, ", ")) + did_you_mean(named, names) +
              "; begin it with `drydock rollout run " + (is_file ? shell_word(named) : "FILE") +
              state_words(arguments) + "`");
}

}  // namespace drydock
