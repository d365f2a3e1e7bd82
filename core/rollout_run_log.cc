#include "rollout_run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "descriptor.h"
#include "error.h"
#include "state_dir.h"
#include "view_text.h"

namespace drydock {

using nlohmann::json;

void RunLog::open(const std::string& folder) {
  *this = RunLog();
  make_private_dir(folder);
  path_ = folder + "/events.jsonl";
  // Its name is there with mode 0600 before anything is in it.
  const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) refuse("opened");
  std::ifstream earlier(path_, std::ios::binary);
  for (std::string line; std::getline(earlier, line);) {
    const auto event = earlier.eof() ? std::nullopt : Event::from_json_line(line);
    if (!event || event->seq != seq_ + 1) break;  // it comes again
    learn(*event);
    whole_ += static_cast<off_t>(line.size() + 1);
  }
  if (::ftruncate(file.get(), whole_) != 0) refuse("cut after its last whole line");
}

// Opened each time: with hundreds of environments at work files may be short.
void RunLog::take(const Event& event, const std::string& line) {
  if (event.seq <= seq_) return;
  const Descriptor file(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) refuse("opened");
  const std::string text = line + "\n";
  for (std::size_t written = 0; written < text.size();) {
    const ssize_t now = ::pwrite(file.get(), text.data() + written, text.size() - written,
                                 whole_ + static_cast<off_t>(written));
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) refuse("written");
    written += static_cast<std::size_t>(now);
  }
  whole_ += static_cast<off_t>(text.size());
  learn(event);
}

void RunLog::refuse(const std::string& action) const {
  const std::string why = std::strerror(errno);
  throw Error("the copy " + path_ + " of the events of a run cannot be " + action + " (" + why +
              "); make room on the disk of this machine, or see who owns that file");
}

bool RunLog::take_shown(const json& shown) {
  if (!shown.is_object() || !shown.contains("closing") || !shown["closing"].is_object())
    return false;
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
