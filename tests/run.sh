#!/usr/bin/env bash
# Sets up what the tests need, builds Drydock and runs every test.
#
#   run.sh          unit, plugin, scenario and fault tests, then end-to-end on an engine of its own
#   run.sh --fast   without what needs an engine
#   run.sh --all    also what is too long for every day
#
# The last line is `N passed, N failed, N skipped`; what failed or was skipped is named before it.
set -uo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
cd "$repository"
. tests/lib/tally.sh

engine=yes
everything=
for argument in "$@"; do
  case $argument in
    --fast) engine= ;;
    --all) everything=yes ;;
    -h | --help) sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "run.sh: unknown option '$argument'; known are --fast and --all" >&2; exit 2 ;;
  esac
done

pipelines/install-dependencies.sh --tests || fatal "packages that the tests need are missing"
if [[ $engine ]]; then
  # Without an engine its tests are skipped by name, so a failure to install is no failure here.
  pipelines/install-dependencies.sh --engine || echo "run.sh: what needs an engine will be skipped"
fi
cmake --preset release >/dev/null && cmake --build --preset release ||
  fatal "the release build failed"

# One expression: of several, ctest leaves out only what matches all.
left_out=none
[[ $engine ]] || left_out+='|engine'
[[ $everything ]] || left_out+='|long'
run_ctest build --label-exclude "^($left_out)$"

[[ ! $engine ]] || run_cases tests/e2e/run.sh ${everything:+--all}
finish
