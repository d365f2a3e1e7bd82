// A plugin that costs nothing but to be there. bench.py makes many of it: the digits are replaced.
#include <drydock/stage.hpp>

namespace {
struct Light {
  static constexpr auto name = "light-000";
  static constexpr auto summary = "Do nothing";
  static constexpr auto options = R"({
    "type": "object",
    "additionalProperties": false,
    "properties": {"file": {"type": "string", "default": "made", "description": "which file"}}
  })";
  static void run(drydock::Call&) {}
};
}  // namespace

DRYDOCK_PLUGIN("bench.light-000", "1.0.0", Light)
