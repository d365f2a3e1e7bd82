// Closes every descriptor that it did not open.
// wire: fail: In its step run it closed its connection: descriptor 3 is Drydock's, leave it
//   alone.
#include <unistd.h>

#include "good.h"

namespace {
struct Fault : Good {
  static void run(drydock::Call&) {
    for (int fd = 3; fd < 64; ++fd) ::close(fd);
  }
};
}  // namespace

DRYDOCK_PLUGIN("test.closes-the-wire", "1.0.0", Fault)
