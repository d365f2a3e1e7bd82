// Changes something and does not put it back.
// killed: warn: Its run made 'made', and it has no rollback that would put that back.
#include "good.h"

extern "C" {
DRYDOCK_NOTE("test.no-rollback", "1.0.0");
DRYDOCK_EXPORT const drydock_plugin* drydock_plugin_v1(void) {
  static drydock_stage stage = *drydock::StageType<Good>::descriptor();
  stage.rollback = stage.settle = {};
  static const drydock_stage* const stages[] = {&stage};
  static drydock_plugin made = *drydock::plugin<Good>("test.no-rollback", "1.0.0");
  made.stages = stages;
  return &made;
}
}
