#!/usr/bin/env bash
# End-to-end tests on an engine of their own: the sample application, upgraded by the real binary.
#
#   run.sh [--all | CASE...]      CASE as listed in cases.sh, without "e2e."
#
# Everything runs in namespaces of its own (mounts, network, processes), with its own dockerd, registry
# and data folder: no port, socket, firewall rule or container of this machine is touched, and when the
# script ends, however it ends, nothing is left running.
set -euo pipefail

e2e=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$e2e/../.." && pwd)
. "$repository/tests/lib/report.sh"
. "$repository/pipelines/lib/engine.sh"
. "$e2e/sample.sh"
. "$e2e/engine_restarts.sh"
. "$e2e/mariadb.sh"
. "$e2e/databases.sh"
. "$e2e/rolling.sh"
. "$e2e/pulls.sh"
. "$e2e/rehearsal.sh"
. "$e2e/rollout.sh"
. "$e2e/cases.sh"
. "$repository/tests/bench/upgrade_cost.sh"
. "$repository/tests/bench/availability.sh"
exec 3>&1  # what a case has to say although it passes

skip_all() {
  local name
  for name in "${selected[@]}"; do skip "e2e.$name" "$1"; done
  exit 0
}

select_cases() {
  case ${1:-} in
    '') selected=("${everyday_cases[@]}") ;;
    --all) selected=("${everyday_cases[@]}" "${long_cases[@]}") ;;
    *) selected=("$@") ;;
  esac
}

# --- outside ------------------------------------------------------------------------------------

if [[ ${1:-} != --inside ]]; then
  select_cases "$@"
  [[ $EUID -eq 0 ]] || skip_all "starting an engine needs root"
  command -v dockerd >/dev/null && docker compose version >/dev/null 2>&1 ||
    skip_all "Docker or Compose is not installed (pipelines/install-dependencies.sh --tests --engine)"
  # While there is a network: inside there is none.
  "$repository/pipelines/sample/build-images.sh" --base ||
    skip_all "the root filesystem of the sample's images could not be made"
  work=$(mktemp -d /var/tmp/drydock-e2e.XXXXXX)
  # unshare itself ignores the signals that end a script, so they are handled here: with unshare dies
  # the first process inside, and with that everything else inside.
  inside=
  clean_up() {
    if [[ $inside ]]; then
      kill -KILL "$inside" 2>/dev/null || true
      wait "$inside" 2>/dev/null || true
    fi
    await 30 0 rm -rf "$work"
  }
  trap clean_up EXIT
  trap 'exit 130' INT TERM HUP
  isolated=(unshare --mount --net --pid --fork --kill-child --mount-proc)
  "${isolated[@]}" true 2>/dev/null || skip_all "this machine does not let root make namespaces"
  "${isolated[@]}" "$0" --inside "$work" "${selected[@]}" &
  inside=$!
  code=0
  wait "$inside" || code=$?
  inside=
  exit "$code"
fi

# --- inside -------------------------------------------------------------------------------------

report_dir=$2
selected=("${@:3}")
sample=$report_dir/sample
releases=$report_dir/releases
web_port=8080
silent_port=8099
url=http://127.0.0.1:$web_port
registry=127.0.0.1:5055
export PATH=$repository/build/bin:$PATH
unset DOCKER_HOST DOCKER_CONTEXT
# What killed runs leave behind in the folder for private temporary files goes with $report_dir.
export XDG_RUNTIME_DIR=$report_dir/runtime
mkdir -m 700 "$XDG_RUNTIME_DIR"

# A /run of our own hides this machine's sockets.
mount -t tmpfs tmpfs /run
ip link set lo up
engine=$report_dir/engine
engine_start "$engine" && engine_works ||
  { tail -n 3 "$engine/log"; skip_all "no container engine can run here"; }
trap 'engine_stop "$engine"' EXIT
registry_start "$report_dir/registry" "${registry#*:}" || skip_all "docker-registry does not start"
"$repository/pipelines/sample/build-images.sh" "$registry"

/usr/bin/python3 - "$silent_port" <<'PYTHON' &
import socket, sys, time
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=64)
time.sleep(86400)
PYTHON

for name in "${selected[@]}"; do run_named_case "$name"; done
