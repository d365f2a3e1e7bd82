#include "rollout_run_log.h"

#include <fcntl.h>

#include <filesystem>

#include "descriptor.h"
#include "state_dir.h"
#include "view_text.h"

namespace drydock {

using nlohmann::json;

void RunLog::open(const std::string& folder) {
  make_private_dir(folder);
  const std::string path = folder + "/events.jsonl";
  // Its name is there with mode 0600 before anything is in it.
  Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  std::ifstream earlier(path, std::ios::binary);
  std::uintmax_t whole = 0;
  for (std::string line; std::getline(earlier, line);) {
    const auto event = earlier.eof() ? std::nullopt : Event::from_json_line(line);
    if (!event) break;  // torn off by a crash: it comes again
    learn(*event);
    whole += line.size() + 1;
  }
  std::error_code refused;
  std::filesystem::resize_file(path, whole, refused);
  file_.open(path, std::ios::app | std::ios::binary);
}

void RunLog::take(const Event& event, const std::string& line) {
  if (event.seq <= seq_) return;
  learn(event);
  file_ << line << "\n" << std::flush;
}

bool RunLog::take_shown(const json& shown) {
  if (!shown.is_object() || !shown.contains("closing") || !shown["closing"].is_object()) return false;
  // One that is being rolled back by hand still has the end of before.
  const std::string state = text_at(shown, "state");
  const bool half_way = state == "running" || state == "rolling_back";
  if (half_way || number_at(shown["closing"], "exit_code", -1) < 0) return false;
  finished_ = shown["closing"];
  for (const json& stage : list_at(shown, "stages")) {
    const json outputs = stage.value("outputs", json::object());
    for (const std::string& name : texts_at(stage, "promoted")) {
      outputs_[text_at(stage, "stage")][name] = text_at(outputs, name.c_str());
    }
  }
  return true;
}

void RunLog::learn(const Event& event) {
  seq_ = event.seq;
  if (event.type == "run.finished") {
    finished_ = event.data;
  } else if (event.type == "output" && flag_at(event.data, "promote")) {
    outputs_[event.stage][text_at(event.data, "name")] = text_at(event.data, "value");
  } else if (event.type == "stage.started") {
    stage_ = text_at(event.data, "name") + " (" + std::to_string(number_at(event.data, "index")) +
             " of " + std::to_string(number_at(event.data, "count")) + ")";
  } else if (event.type == "rollback.started") {
    stage_ = "rolling back";
  }
}

}  // namespace drydock
