// A stage type without the step run.
// names: fail: Its stage type 'good' has no step run.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.no-run", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  static drydock_stage stage = *drydock::StageType<Good>::descriptor();
  stage.run = {};
  stage.verify = {};
  static const drydock_stage* const stages[] = {&stage};
  static drydock_plugin made = *drydock::plugin<Good>("test.no-run", "1.0.0");
  made.stages = stages;
  return &made;
}
}
