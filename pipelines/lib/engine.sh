# Docker and a registry of our own, for the quickstart and the end-to-end tests. Sourced by bash.
#
# Everything lives below one folder, and only what was started here is ever stopped: each server is
# known by its pid together with the folder in its command line, so a pid used again is not ours.

# Whether images can be loaded and run, which `docker info` alone does not tell: in a plain chroot the
# daemon answers, and importing an image fails. The image is this machine's /bin/true and its libraries.
engine_works() {
  local image libraries
  docker info >/dev/null 2>&1 || return 1
  mapfile -t libraries < <(ldd /bin/true | grep -o '/[^ ]*')
  image=$(tar -ch -P --transform 's,^/,,' /bin/true "${libraries[@]}" | docker import - 2>/dev/null) ||
    return 1
  local works=1
  docker run --rm --network none "$image" /bin/true >/dev/null 2>&1 && works=0
  docker rmi -f "$image" >/dev/null 2>&1
  return $works
}

# engine_start DIR: a dockerd with its data in DIR/data and a private socket; exports DOCKER_HOST.
# Starting it again while it runs only exports. Returns 1, the reason in DIR/log, when none can run.
engine_start() {
  local dir=$1 run
  mkdir -p -m 700 "$dir"
  if engine_is_running "$dir"; then
    DOCKER_HOST=unix://$(<"$dir/run")/docker.sock
    export DOCKER_HOST
    return 0
  fi
  command -v dockerd >/dev/null || { echo "dockerd is not installed" >"$dir/log"; return 1; }
  # Sockets have short paths (107 bytes), so they are not below DIR.
  run=$(mktemp -d /run/drydock-engine.XXXXXX) || return 1
  printf '%s\n' "$run" >"$dir/run"
  engine_launch "$dir" || { engine_stop "$dir"; return 1; }
}

# engine_launch DIR: the daemon on the socket of DIR/run, also after engine_end, and exports DOCKER_HOST.
# engine_options: an array of further options of dockerd; it may be unset.
engine_launch() {
  local dir=$1 run pid
  run=$(<"$dir/run")
  # Namespaces of our own, should a containerd of the machine be shared.
  DOCKER_HOST= setsid dockerd --data-root "$dir/data" --exec-root "$run/exec" \
    --pidfile "$run/docker.pid" -H "unix://$run/docker.sock" --group root \
    --containerd-namespace "${run##*/}" --containerd-plugins-namespace "${run##*/}-plugins" \
    "${engine_options[@]}" \
    </dev/null >"$dir/log" 2>&1 &
  pid=$!
  printf '%s\n' "$pid" >"$dir/pid"
  export DOCKER_HOST=unix://$run/docker.sock
  await 60 "$pid" docker info
}

# engine_end DIR [KILL]: the daemon alone; its containers end with it unless it is killed.
engine_end() { server_stop "$1" "--data-root $1/data" "${2:-TERM}"; }

engine_is_running() { server_is_running "$1" "--data-root $1/data"; }

# engine_stop DIR: the daemon, and with it its containers.
engine_stop() {
  local dir=$1 run
  run=$(cat "$dir/run" 2>/dev/null) || return 0
  engine_end "$dir"
  case $run in
    /run/drydock-engine.*)
      { grep -o " $run/[^ ]*" /proc/mounts || true; } | sort -r | xargs -r umount -l 2>/dev/null || true
      rm -rf "$run"
      ;;
  esac
  rm -f "$dir/run"
  unset DOCKER_HOST
}

# registry_start DIR PORT: a registry on 127.0.0.1:PORT, which engines trust without TLS.
registry_start() {
  local dir=$1 port=$2 pid
  mkdir -p -m 700 "$dir"
  ! server_is_running "$dir" "serve $dir/config.yml" || return 0
  printf '%s\n' "version: 0.1" "log: { level: warn }" \
    "storage: { filesystem: { rootdirectory: '$dir/data' }, delete: { enabled: true } }" \
    "http: { addr: '127.0.0.1:$port' }" >"$dir/config.yml"
  setsid docker-registry serve "$dir/config.yml" </dev/null >"$dir/log" 2>&1 &
  pid=$!
  printf '%s\n' "$pid" >"$dir/pid"
  await 20 "$pid" curl -fsS "http://127.0.0.1:$port/v2/" || { registry_stop "$dir"; return 1; }
}

registry_stop() { server_stop "$1" "serve $1/config.yml"; }

# A TCP port of 127.0.0.1 that nobody listens on. FIRST is tried first, so that it is a readable one.
free_port() {
  local port
  for port in $(seq "${1:-20000}" $((${1:-20000} + 500))); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return 0; }
  done
  return 1
}

# await SECONDS PID COMMAND...: polls until COMMAND succeeds; fails at once when PID is gone.
# PID 0 stands for nobody.
await() {
  local end=$((SECONDS + $1)) pid=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [[ $SECONDS -lt $end ]] || return 1
    [[ $pid == 0 ]] || kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
}

# server_is_running DIR MARK: whether DIR/pid is a process whose command line contains MARK.
server_is_running() {
  local pid
  pid=$(cat "$1/pid" 2>/dev/null) || return 1
  [[ -r /proc/$pid/cmdline ]] && tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$2"
}

# server_stop DIR MARK [SIGNAL]
server_stop() {
  local pid
  if server_is_running "$1" "$2"; then
    pid=$(<"$1/pid")
    kill -"${3:-TERM}" "$pid" 2>/dev/null
    await 40 0 eval "! kill -0 $pid" || kill -KILL "$pid" 2>/dev/null
  fi
  rm -f "$1/pid"
}
