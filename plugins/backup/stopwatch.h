// When something began, and how long it took.
#pragma once

#include <chrono>
#include <ctime>
#include <string>

namespace drydock::backup {

class Stopwatch {
 public:
  // began: gets the time of day, UTC, RFC 3339.
  explicit Stopwatch(std::string& began) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    char text[32];
    began.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc));
  }
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace drydock::backup
