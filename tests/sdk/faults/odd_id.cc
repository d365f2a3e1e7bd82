// Calls itself by what a terminal acts upon.
// note: fail: It calls itself 'test.\x1b[31mred', allowed: a letter or digit, then letters, digits,
//   '.', '_' and '-', at most 100.
#include "good.h"

DRYDOCK_PLUGIN("test.\033[31mred", "1.0.0", Good)
