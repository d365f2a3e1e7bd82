// The worker's end of the connection, descriptor 3.
#pragma once

#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
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
  // Only on the main thread; waits. Ends the worker when the runner is gone or talks nonsense.
  Message receive();

 private:
  std::mutex sending_;
  FrameReader reader_;
};

}  // namespace drydock
