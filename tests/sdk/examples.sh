#!/usr/bin/env bash
# examples.sh PREFIX WORK COMPILER STANDARD: builds and tests each example as its author would, from the installed SDK.
set -euo pipefail
prefix=$1 work=$2 compiler=$3 standard=$4
repository=$(cd "$(dirname "$0")/../.." && pwd)
command -v "$compiler" >/dev/null || { echo "$compiler is not installed"; exit 77; }
[[ $compiler == clang++ ]] && c_compiler=clang || c_compiler=gcc

# The same place each time, so that a compiler cache knows the files.
launcher=()
if command -v ccache >/dev/null; then
  launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache -DCMAKE_C_COMPILER_LAUNCHER=ccache)
fi
rm -rf "$work"
mkdir -p "$work"
for example in "$repository"/sdk/examples/*/; do
  name=$(basename "$example")
  cp -R "$example" "$work/$name"
  cmake -S "$work/$name" -B "$work/$name/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "${launcher[@]}" \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_C_COMPILER="$c_compiler" \
    -DCMAKE_CXX_STANDARD="$standard" -DCMAKE_BUILD_TYPE=Release >"$work/$name.log" ||
    { cat "$work/$name.log"; exit 1; }
  cmake --build "$work/$name/build" >"$work/$name.log" 2>&1 || { cat "$work/$name.log"; exit 1; }
  # What was included came from the installation.
  headers=$(ninja -C "$work/$name/build" -t deps)
  grep -q "/prefix/include/drydock/stage.h$" <<<"$headers"
  if grep "/sdk/include/drydock/" <<<"$headers"; then
    echo "$name was built with headers of the source tree" >&2
    exit 1
  fi
  # One symbol is exported, and no library is needed that every Linux lacks.
  exported=$(nm --dynamic --defined-only "$work/$name/build/$name.so" | awk '{print $3}')
  [[ $exported == drydock_plugin_v1 ]] || { echo "$name.so exports: $exported" >&2; exit 1; }
  needed=$(objdump -p "$work/$name/build/$name.so" | awk '/NEEDED/ {print $2}' | grep -v '^libc\.so\|^libm\.so\|^ld-linux' || true)
  [[ -z $needed ]] || { echo "$name.so needs: $needed" >&2; exit 1; }
  ctest --test-dir "$work/$name/build" --output-on-failure --no-tests=error
done
