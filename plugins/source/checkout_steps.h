// The steps of `source` where the release is a tag of the git repository that the deployment is a
// checkout of.
#pragma once

#include <drydock/stage.hpp>

namespace drydock::source {

void observe_checkout(Call& call);
void plan_checkout(Call& call);
void run_checkout(Call& call);
void verify_checkout(Call& call);
void rollback_checkout(Call& call);

}  // namespace drydock::source
