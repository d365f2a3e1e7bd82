#!/usr/bin/env bash
# headers.sh LANGUAGE: the public headers, with every standard that they promise and every compiler that is here.
# A warning is an error.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
strict=(-fsyntax-only -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -I "$repository/sdk/include")
tests=$repository/tests/plugins

tried=0
compile() {
  command -v "$1" >/dev/null || return 0
  echo "$*"
  "$1" "${strict[@]}" "${@:2}"
  tried=$((tried + 1))
}

case $1 in
  c)
    for compiler in gcc clang; do
      for standard in c99 c11 c17; do
        compile "$compiler" -std=$standard "$tests/c_stage.c"
      done
    done
    ;;
  c++)
    for compiler in g++ clang++; do
      # The last as an author compiles who looks for her bugs: fewer expressions are constant then.
      for standard in c++17 c++20 c++2b 'c++17 -fsanitize=undefined'; do
        # All of them in one: stage.h as C++, stage.hpp, testing.hpp.
        # shellcheck disable=SC2086 # two words
        compile "$compiler" -std=$standard -x c++ - <<'CODE'
#include <drydock/stage.h>
#include <drydock/testing.hpp>
struct Stage {
  static constexpr auto name = "stage", summary = "A stage", options = R"({"type": "object"})";
  static void observe(drydock::Call& call) { call.fact("a", "b"); }
  static void run(drydock::Call& call) { call.remember("a", "b"); }
};
DRYDOCK_PLUGIN("org.example.stage", "1.0.0", Stage)
int main() {
  drydock::testing::FakeHost host;
  DRYDOCK_EXPECT(host.perform<Stage>("run").ok());
  return drydock::testing::report();
}
CODE
      done
    done
    ;;
esac
[[ $tried -gt 0 ]]
