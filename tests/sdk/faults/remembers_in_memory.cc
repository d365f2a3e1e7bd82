// Keeps in memory what only a note brings to another process.
// killed: fail: Rolled back after run had ended, file was absent and is hello: remember before
//   each change, and go back from the notes alone.
#include "good.h"

namespace {
struct Fault : Good {
  static inline std::string written;
  static void run(drydock::Call& call) {
    written = call.text("/file");
    write(call);
  }
  static void rollback(drydock::Call& call) {
    if (!written.empty()) std::remove(call.deployment(written).c_str());
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.remembers-in-memory", "1.0.0", Fault)
