// A stage without any fault, for plugins that are wrong as a whole.
#pragma once

#include <drydock/stage.hpp>

struct Harmless {
  static constexpr auto name = "harmless";
  static constexpr auto summary = "Do nothing";
  static constexpr auto options = R"({"type": "object", "additionalProperties": false})";
  static void run(drydock::Call&) {}
};
