# The sample with a proxy in front of its web and api, replaced while it serves. Sourced by run.sh.

rolling_files=$e2e/rolling

# rolling_release N DIR: the sample's files of that release, and those of the proxy. The database keeps
# its name: this is about services that run twice for a while.
rolling_release() {
  local dir=$2
  mkdir -p "$dir"
  # Release 1 makes the tables; release 2 finds them.
  sed -e "s|/web:2|/web:$1|; s|/api:2|/api:$1|; s|MIGRATION_ENABLED: .*|MIGRATION_ENABLED: \"$([[ $1 == 1 ]] && echo true || echo false)\"|" "$repository/pipelines/sample/releases/2/docker-compose.yaml" \
    >"$dir/docker-compose.yaml"
  cat >"$dir/proxy.yaml" <<YAML
services:
  web:
    ports: !reset []
    environment: { API_URL: "http://proxy:5001" }
  proxy:
    image: \${REGISTRY}/drydock-sample/web:1
    init: true
    restart: always
    entrypoint: [python3, /proxy.py, "8080=web:8080", "5001=api:5001"]
    volumes: ["./proxy.py:/proxy.py:ro"]
    ports: ["127.0.0.1:\${WEB_PORT}:8080"]
    healthcheck:
      test: [CMD, python3, -c, "import socket; socket.create_connection(('127.0.0.1', 8080), 2)"]
      interval: 1s
      timeout: 5s
YAML
  cp "$rolling_files/proxy.py" "$repository/pipelines/sample/releases/2/.env.example" "$dir/"
}

# rolling_sample [FILES]: release 1 as it runs, with COMPOSE_FILE as given, and the files of release 2
# beside it.
rolling_sample() {
  local files=${1:-docker-compose.yaml:proxy.yaml}
  remove_sample
  rolling_release 1 "$sample"
  rm -rf "$releases"
  rolling_release 2 "$releases/2"
  cat >"$sample/.env" <<ENV
COMPOSE_PROJECT_NAME=drydock-e2e
COMPOSE_FILE=$files
REGISTRY=$registry
WEB_PORT=$web_port
API_WORKERS=2
ENV
  cat >"$sample/drydock.yaml" <<'YAML'
drydock: 1
name: rolling
summary: Upgrade the sample while it serves
vars: { to: { default: 2 }, strategy: { default: rolling } }
stages:
  - { uses: source, with: { directory: ../releases/2, exclude: [/.env, /drydock.yaml, /volumes] } }
  - uses: pull
  - { uses: compose-up, with: { strategy: "${{ vars.strategy }}", drain: { wait: 1s } } }
YAML
  in_sample docker compose up -d --wait --quiet-pull
  pull_release_2
  await 30 0 curl -fsS "$url/version" || because "the sample does not serve"
}

pull_release_2() {
  docker pull -q "$registry/drydock-sample/web:2"
  docker pull -q "$registry/drydock-sample/api:2"
}

# Compose takes COMPOSE_FILE of an .env from where it is started.
in_sample() { (cd "$sample" && "$@"); }

plain_upgrade() {
  cp "$releases/2/"* "$sample/"
  in_sample docker compose up -d --wait
}

# under_load WORKERS LEAST COMMAND...: prints what load.py counts.
under_load() {
  local workers=$1 least=$2 load
  shift 2
  rm -f "$case_dir/stop"
  python3 "$rolling_files/load.py" "$url/version" "$workers" "$least" "$case_dir/stop" >"$case_dir/load" &
  load=$!
  "$@" >&2
  touch "$case_dir/stop"
  wait "$load"
  cat "$case_dir/load"
}

# Nobody notices that web and api are replaced.
rolling_serves_all_the_time() {
  local requests failed gap
  rolling_sample
  read -r requests failed gap < <(under_load 4 2000 expect_code 0 drydock -C "$sample" run --yes)
  expect_contains "the version" "$(about)" '"version":"2"'
  expect_equal "the failed ones of $requests requests" 0 "$failed"
  expect_equal "the running services" "api database proxy web" \
    "$(sample_containers --format '{{.Label "com.docker.compose.service"}}' | sort | tr '\n' ' ' | sed 's/ $//')"
}

rolling_is_refused_without_a_proxy() {
  rolling_sample docker-compose.yaml
  expect_code 2 drydock -C "$sample" run --yes
  expect_contains "what it says" "$(<"$case_dir/said")" "web: it publishes the host's port 127.0.0.1:$web_port"
  expect_contains "the version" "$(about)" '"version":"1"'
}

# SIGKILL in the middle of a rolling upgrade, also where the first old container has left.
rolling_killed() {
  local before instant
  rolling_sample
  expect_code 0 drydock -C "$sample" init
  before=$(picture)
  for instant in 0 4000 9000; do
    start_run
    at_event step.started compose-up run await_milliseconds "$instant"
    kill_run
    comes_back "$before"
  done
}
