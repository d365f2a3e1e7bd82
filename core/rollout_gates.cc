#include "rollout_gates.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "error.h"
#include "files.h"
#include "process_worker.h"
#include "rollout_answer.h"
#include "rollout_controller.h"
#include "rollout_host.h"
#include "rollout_standing.h"
#include "state_dir.h"
#include "text.h"

namespace drydock {
namespace {

// A kill would leave behind what it has started, which it asks and kills itself: longer than that
// takes.
std::chrono::milliseconds time_to_end() {
  const WorkerPatience own;
  return own.stop + own.terminate + own.leave + std::chrono::seconds(8);
}

std::string new_private_dir(const std::string& folder, const std::string& name) {
  make_private_dir(folder);
  for (unsigned attempt = 1;; ++attempt) {
    const std::string path = folder + "/" + name + "-" + std::to_string(attempt);
    if (::mkdir(path.c_str(), 0700) == 0) return path;
    if (errno != EEXIST) {
      throw Error("the folder " + path + " cannot be made (" + std::strerror(errno) +
                  "); check its owner and whether the disk is full or read-only");
    }
  }
}

}  // namespace

void start_controller_stage(ChildPool& pool, std::size_t tag, ControllerPurpose purpose,
                            const RolloutRecord& rollout, std::size_t wave,
                            const std::vector<TargetRecord>& targets, const std::string& status,
                            const std::string& folder,
                            const std::vector<std::string>& plugin_dirs) {
  const RolloutPlan& plan = rollout.plan;
  const RolloutWave& of = plan.waves[wave];
  const bool is_gate = purpose == ControllerPurpose::gate;
  const ControllerStage& stage = is_gate ? *of.gate : *plan.notify;
  ControllerVars vars{plan.name, of.name, status, of.count, 0};
  for (std::size_t i = of.first; i < of.first + of.count; ++i) {
    const bool failed = targets[i].state == TargetState::failed ||
                        targets[i].state == TargetState::not_put_back ||
                        targets[i].state == TargetState::abandoned;
    vars.failed += failed ? 1 : 0;
  }
  const std::string dir = new_private_dir(folder + (is_gate ? "/gates" : "/notifications"),
                                          std::to_string(rollout.id) + "-" + of.name);
  write_file_atomically(dir + "/stage.yaml", controller_pipeline_text(stage, vars, plan.secrets));
  RolloutTarget here;
  here.dir = std::filesystem::path(plan.file).parent_path().string();
  std::vector<std::string> words = {
      "run", dir + "/stage.yaml", "--state-dir", dir + "/state", "--json", "--yes"};
  for (const std::string& plugins : plugin_dirs) {
    words.insert(words.end(), {"--plugin-dir", plugins});
  }
  ChildCommand command{command_here(here, words), ""};
  command.timeout = stage.timeout;
  command.grace = time_to_end();
  pool.start(tag, command);
}

std::string why_controller_stage_failed(const ControllerStage& stage, const std::string& printed,
                                        const ChildEvent& event) {
  if (!event.timed_out) return reason_of(printed, event);
  return "it did not end within " + format_duration(stage.timeout) +
         ", which its 'timeout:' allows, and was ended";
}

}  // namespace drydock
