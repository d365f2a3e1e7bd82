#!/usr/bin/env bash
# install.sh BUILD PREFIX: installs the build, and nothing that an earlier one left there.
set -euo pipefail
build=$1 prefix=$2
rm -rf "$prefix"
cmake --install "$build" --prefix "$prefix" >"$build/tests/sdk-install.log" ||
  { tail -n 5 "$build/tests/sdk-install.log"; exit 1; }
"$prefix/bin/drydock" --version
