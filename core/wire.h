// The frames between the runner and a worker: docs/wire.md. A length, then one JSON object.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace drydock {

inline constexpr std::uint32_t wire_version = 4;
inline constexpr std::size_t max_frame = 4u << 20;

// The other side broke the protocol. The text completes "it ...": "sent a frame of 5 MiB".
struct WireError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A message is an object of one member: its kind, and what it says.
struct Message {
  std::string kind;
  nlohmann::json body;
};

// Any bytes as JSON: a string, or {"base64": "..."} for what is no UTF-8 and for control
// characters, which as JSON escapes would take six bytes each.
nlohmann::json to_wire(std::string_view bytes);
std::string from_wire(const nlohmann::json& value);  // throws WireError

// The message with its length before it; nullopt when it is larger than max_frame.
std::optional<std::string> frame(std::string_view kind, const nlohmann::json& body);

// Takes bytes as they arrive and gives whole messages. The length is checked before anything is
// kept for it.
class FrameReader {
 public:
  void append(const char* data, std::size_t size);
  std::optional<Message> next();  // throws WireError
  bool in_the_middle() const { return begin_ < buffer_.size(); }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
};

}  // namespace drydock
