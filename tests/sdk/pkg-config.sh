#!/usr/bin/env bash
# pkg-config.sh PREFIX WORK: a plugin built without CMake.
set -euo pipefail
prefix=$1 work=$2
command -v pkg-config >/dev/null || { echo "pkg-config is not installed"; exit 77; }
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig XDG_CACHE_HOME=$work/cache HOME=$work
rm -rf "$work"
mkdir -p "$work"
cd "$work"
"$prefix/bin/drydock" plugin new greet --language c
pkg-config --exact-version="$(pkg-config --modversion drydock-sdk)" drydock-sdk
mkdir plugins
# The line that the .pc file itself shows.
eval "$(sed -n 's/^# //p; q' "$prefix/lib/pkgconfig/drydock-sdk.pc" | sed 's| greet\.c| greet/greet.c|; s|greet\.so|plugins/greet.so|')"
[[ $(nm --dynamic --defined-only plugins/greet.so | awk '{print $3}') == drydock_plugin_v1 ]]
"$prefix/bin/drydock" stages greet --plugin-dir plugins | tee said
grep -q '^plugin  org.example.greet 1.0.0, ' said
