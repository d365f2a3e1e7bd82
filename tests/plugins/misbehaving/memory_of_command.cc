#include "misbehaving.h"

namespace {
// Fails with what a command of it may have.
struct Fault {
  static constexpr auto name = "memory-of-command";
  static void act(drydock::Call& call) {
    drydock::Process process;
    process.arguments = {"/bin/sh", "-c", "ulimit -d"};
    const std::string may_have = call.capture(process).out;
    throw drydock::Failed("its command may have " + may_have.substr(0, may_have.find('\n')) +
                          " KiB");
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.memory-of-command", "1.0.0", Misbehaving<Fault>)
