// The stage type env-sync: the operator's `.env` for a new release.
#pragma once

#include <drydock/stage.hpp>

namespace drydock::env_sync {

struct EnvSync {
  static constexpr auto name = "env-sync";
  static constexpr auto summary = "Carry the .env to the new release's template, losing nothing";
  static const char* const options;

  static void observe(Call& call);
  static void plan(Call& call);
  static void run(Call& call);
  static void verify(Call& call);
  static void rollback(Call& call);
};

}  // namespace drydock::env_sync
