#!/usr/bin/env bash
# on-engine.sh PROGRAM ARGUMENTS...: runs a test on a container engine of its own, in namespaces of its
# own (mounts, network, processes), with the images drydock-test/app:1 and :2 of a shell and a few
# commands. Exits 77, with the reason, where no engine can run.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
. "$repository/pipelines/lib/engine.sh"
skip() { echo "skipped: $1"; exit 77; }

if [[ ${1:-} != --inside ]]; then
  [[ $EUID -eq 0 ]] || skip "starting an engine needs root"
  command -v dockerd >/dev/null && docker compose version >/dev/null 2>&1 ||
    skip "Docker or Compose is not installed (pipelines/install-dependencies.sh --engine)"
  work=$(mktemp -d /var/tmp/drydock-on-engine.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  isolated=(unshare --mount --net --pid --fork --kill-child --mount-proc)
  "${isolated[@]}" true 2>/dev/null || skip "this machine does not let root make namespaces"
  "${isolated[@]}" "$0" --inside "$work" "$@"
  exit
fi

work=$2
shift 2
unset DOCKER_HOST DOCKER_CONTEXT
mount -t tmpfs tmpfs /run # hides this machine's sockets
ip link set lo up
# Else an engine that misses a part of an image waits and asks again for more than a minute.
engine_options=(--max-download-attempts 1)
engine_start "$work/engine" && engine_works || skip "no container engine can run here"
trap 'engine_stop "$work/engine"' EXIT
programs=(/bin/sh /bin/sleep /bin/true /bin/cat /bin/rm /bin/touch)
mapfile -t libraries < <(ldd "${programs[@]}" | awk '/=> \//{print $3} /^\t\//{print $1}' | sort -u)
for version in 1 2; do
  tar -ch -P --transform 's,^/,,' "${programs[@]}" "${libraries[@]}" |
    docker import --change "ENV VERSION=$version" - "drydock-test/app:$version" >/dev/null
done
"$@"
