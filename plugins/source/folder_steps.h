// The steps of `source` where the release is a folder of files: one that the operator names, one
// that was unpacked from an archive, or one that was taken out of another git repository.
#pragma once

#include <drydock/stage.hpp>

namespace drydock::source {

void observe_folder(Call& call);
void plan_folder(Call& call);
void run_folder(Call& call);
void verify_folder(Call& call);
void rollback_folder(Call& call);

}  // namespace drydock::source
