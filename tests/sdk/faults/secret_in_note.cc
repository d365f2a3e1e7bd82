// Remembers a secret.
// secrets: fail: A secret stands in the note 'token' of run: keep it in memory, or in a 0600 file
//   of call.private_dir().
#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call& call) {
    call.remember("token", call.secret("/token").value_or(""));
    Good::run(call);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.secret-in-note", "1.0.0", Fault)
