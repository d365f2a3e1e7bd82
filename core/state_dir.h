// The folder in which Drydock keeps what it knows of a deployment: DEPLOYMENT/.drydock, or
// --state-dir.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cancellation.h"

namespace drydock {

class StateDir {
 public:
  explicit StateDir(std::string path) : path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool exists() const;
  // Makes the folder (0700), its .gitignore and the key, where missing. Throws Error.
  void create() const;

  std::string journal() const { return path_ + "/journal.db"; }
  std::string logs(std::uint64_t run) const { return path_ + "/logs/" + std::to_string(run); }
  std::string run_files(std::uint64_t run) const {
    return path_ + "/backups/" + std::to_string(run);
  }
  // The private folder of a stage in a run: kept for a rollback.
  std::string backups(std::uint64_t run, const std::string& stage) const {
    return run_files(run) + "/" + stage;
  }
  // Made by `drydock cancel`; whoever performs the run looks for it.
  std::string cancel_request(std::uint64_t run) const { return logs(run) + "/cancel"; }
  // The Compose model as it was before the run; the file may be absent.
  std::string model_before(std::uint64_t run) const {
    return run_files(run) + "/model-before.json";
  }
  // `.env` as it was before the run; absent where there was none.
  std::string env_before(std::uint64_t run) const { return run_files(run) + "/env-before"; }
  std::string snapshots() const { return path_ + "/snapshots"; }
  std::string pipelines() const { return path_ + "/pipelines"; }  // that were sent here
  // The newest snapshot, or "".
  std::string newest_snapshot() const;

  // Of a secret: "hmac:" and the HMAC-SHA256 under the deployment's key, in hexadecimal. Without a
  // state folder the key is random and lives as long as this object.
  std::string fingerprint(const std::string& value) const;

 private:
  std::string path_;
  mutable std::string key_;
};

// Whether a text is one of those: of two nobody could tell anything but that they differ.
bool is_fingerprint(std::string_view text);

// Makes a folder and its parents, 0700. Throws Error.
void make_private_dir(const std::string& path);
// The deployment's lock: a flock that ends with the process that holds it, however it ends.
class DeploymentLock {
 public:
  struct Holder {
    int pid = 0;
    std::string user, host, since;
    std::string key;  // of the run that it plans or performs, --key
  };
  struct Patience {
    std::chrono::milliseconds wait{0};
    const Cancellation* cancellation = nullptr;  // ends the wait, with exit code 130
    std::function<void(const Holder&)> on_wait;  // once, when somebody holds it
    std::string key;                             // of the run that it is taken for
  };
  // Throws Error (exit code 4) that names the holder, as far as it is known.
  explicit DeploymentLock(const StateDir& state) : DeploymentLock(state, Patience()) {}
  DeploymentLock(const StateDir& state, const Patience& patience);
  ~DeploymentLock();
  DeploymentLock(const DeploymentLock&) = delete;
  DeploymentLock& operator=(const DeploymentLock&) = delete;

  // Who holds the lock now, without taking it; nullopt: nobody.
  static std::optional<Holder> held(const StateDir& state);

 private:
  int fd_ = -1;
};

std::string user_name();
// Who that is: "alice (as root)" where alice has logged in, and become root by sudo or su.
std::string person_name();
std::string host_name();

}  // namespace drydock
