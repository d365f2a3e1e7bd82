#!/usr/bin/env bash
# versions.sh PREFIX WORK: which versions find_package() takes for the installed one.
set -euo pipefail
prefix=$1 work=$2
rm -rf "$work"
mkdir -p "$work"
echo 'cmake_minimum_required(VERSION 3.18)
project(versions NONE)
find_package(drydock-sdk ${wanted} REQUIRED)
if(NOT TARGET drydock::sdk OR NOT COMMAND drydock_add_plugin OR NOT DRYDOCK_EXECUTABLE STREQUAL "${CMAKE_PREFIX_PATH}/bin/drydock")
  message(FATAL_ERROR "the package is not whole")
endif()' >"$work/CMakeLists.txt"

try() {
  cmake -S "$work" -B "$work/build-$1" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -Dwanted="$1" >"$work/log" 2>&1
}
for wanted in 1 1.0; do try $wanted || { cat "$work/log"; exit 1; }; done
for wanted in 0.9 1.99 2; do
  if try $wanted; then
    echo "find_package(drydock-sdk $wanted) was satisfied with $(grep -o '"[0-9.]*"' "$prefix/lib/cmake/drydock-sdk/drydock-sdk-config-version.cmake" | head -n 1)"
    exit 1
  fi
done
