# The quickstart's story without containers: the same application as a local process with a SQLite
# file, kept running by a supervisor that the quickstart owns. Sourced by quickstart.sh.

embedded=$state/embedded
local_sample=$embedded/sample
rollout_environments=(staging north south)
declare -A urls

remove_embedded() {
  local deployment
  for deployment in "$local_sample" "${rollout_environments[@]/#/$embedded/}"; do
    server_stop "$embedded/supervisor-${deployment##*/}" "$deployment/server supervise"
  done
  rm -rf "$embedded"
}

embedded_releases() {
  local release
  for release in 1 2 3; do
    release_of api "$release" "$embedded/releases/$release"
    rm "$embedded/releases/$release"/{Dockerfile,entrypoint.sh}
    cp "$sample_dir/embedded/releases/$release/.env.example" "$embedded/releases/$release/"
  done
}

# start_embedded DEPLOYMENT: release 1 in that folder, reached at `url`.
start_embedded() {
  local deployment=$1 supervisor=$embedded/supervisor-${1##*/} port
  port=$(free_port 8090)
  mkdir -p -m 700 "$supervisor" "$deployment/data"
  cp -r "$embedded/releases/1/." "$deployment/"
  cp "$sample_dir"/embedded/{server,drydock.yaml} "$deployment/"
  (
    umask 077
    sed -e "s|^WEB_PORT=.*|WEB_PORT=$port|" -e "s|^SECRET_KEY=.*|SECRET_KEY=$(random_key)|" \
      -e "s|^GREETING=.*|GREETING=\"Welcome aboard.\"|" "$deployment/.env.example" >"$deployment/.env"
    printf '\n# Our own.\nOPERATOR_NOTE="call the harbour master first"\n' >>"$deployment/.env"
  )
  url=http://127.0.0.1:$port
  "$deployment/server" flask upgrade-db
  setsid "$deployment/server" supervise </dev/null >>"$log" 2>&1 &
  printf '%s\n' $! >"$supervisor/pid"
  "$deployment/server" start
}

start_embedded_release_1() {
  embedded_releases
  start_embedded "$local_sample"
}

# Three environments beside each other, and the rollout that takes a release to them.
start_rollout_environments() {
  local environment
  embedded_releases
  for environment in "${rollout_environments[@]}"; do
    start_embedded "$embedded/$environment"
    urls[$environment]=$url
  done
  cp "$sample_dir/embedded/drydock.yaml" "$embedded/sample.yaml"
  cp "$sample_dir/../rollouts/sample.yaml" "$embedded/rollout.yaml"
}
