#!/bin/sh
# run-scenario.sh DRYDOCK PLUGINS FOLDER: runs FOLDER/drydock.yaml on a copy of FOLDER/before with the plugins
# of the folder PLUGINS. The copy must then be FOLDER/after, and after a rollback FOLDER/before again, or
# FOLDER/rolled-back where there is one. A folder that is missing is an empty one.
set -eu
binary=$1 plugins=$2 folder=$3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -m 700 "$work/home" "$work/cache" "$work/runtime" "$work/deployment" "$work/nothing"
# Of the author's environment only what commands need: what DRYDOCK_PLUGIN_PATH or XDG_DATA_HOME lead to is not tested.
drydock() {
  env -i PATH="$PATH" LANG=C.UTF-8 TERM=dumb HOME="$work/home" XDG_CACHE_HOME="$work/cache" \
    XDG_RUNTIME_DIR="$work/runtime" ${DOCKER_HOST+"DOCKER_HOST=$DOCKER_HOST"} "$binary" "$@"
}

expect() {
  wanted=$folder/$1
  [ -d "$wanted" ] || wanted=$work/nothing
  diff -r --exclude=.drydock "$wanted" "$work/deployment" && return
  echo "run-scenario.sh: $2, the deployment is not $folder/$1 (< is expected, > is found)" >&2
  exit 1
}

[ ! -d "$folder/before" ] || cp -R "$folder/before/." "$work/deployment"
cd "$work/deployment"
drydock run "$folder/drydock.yaml" --plugin-dir "$plugins" --yes
expect after "after the run"
drydock rollback --plugin-dir "$plugins" --yes --accept-loss
back=before
[ ! -d "$folder/rolled-back" ] || back=rolled-back
expect "$back" "after the rollback"
