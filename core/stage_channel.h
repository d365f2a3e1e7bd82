// The worker's end of the connection, descriptor 3.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "wire.h"

namespace drydock {

class StageChannel {
 public:
  static constexpr int fd = 3;

  // False when descriptor 3 is no connection: the program was started by hand.
  bool open();
  // From any thread; blocks while the runner is busy. False when the message is too large. When
  // the runner is gone the worker ends here.
  bool send(std::string_view kind, const nlohmann::json& body);
  // The same for what the runner needs by the end of the step only: it goes with the next send().
  // A plan has hundreds of changes, and each message of its own would wake the runner.
  bool send_later(std::string_view kind, const nlohmann::json& body);
  // Only on the main thread; waits. Ends the worker when the runner is gone or talks nonsense.
  Message receive();

 private:
  void flush();  // under sending_

  std::mutex sending_;
  std::string waiting_;  // whole frames, in order
  FrameReader reader_;
};

}  // namespace drydock
