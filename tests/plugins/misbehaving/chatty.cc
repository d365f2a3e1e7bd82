#include <cstdio>
#include <string>

#include "misbehaving.h"

namespace {
// Prints 100 MB.
struct Fault {
  static constexpr auto name = "chatty";
  static void act(drydock::Call&) {
    const std::string line = std::string(99, 'x') + "\n";
    for (int i = 0; i < 1'000'000; ++i) std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.chatty", "1.0.0", Misbehaving<Fault>)
