// The stage type source: the files of a new release.
#pragma once

#include <drydock/stage.hpp>

namespace drydock::source {

struct Source {
  static constexpr auto name = "source";
  static constexpr auto summary = "Switch the deployment's files to a new release's";
  static const char* const options;

  static void observe(Call& call);
  static void plan(Call& call);
  static void run(Call& call);
  static void verify(Call& call);
  static void rollback(Call& call);
};

}  // namespace drydock::source
