# The quickstart's story with containers: an engine, a registry, images, release 1. Sourced by quickstart.sh.

sample=$state/sample
engine_dir=$state/engine
registry_dir=$state/registry

# An engine of an earlier quickstart, else the Docker that is there, else one of our own.
find_engine() {
  if [[ -e $engine_dir/data ]]; then
    engine_start "$engine_dir"
  elif engine_works; then
    return 0
  elif [[ $EUID -eq 0 ]] && ! docker info; then
    engine_start "$engine_dir" && engine_works
  else
    return 1
  fi
}

find_registry() {
  local port
  port=$(cat "$registry_dir/port" 2>/dev/null) || port=$(free_port 5055)
  mkdir -p "$registry_dir"
  printf '%s\n' "$port" >"$registry_dir/port"
  registry_start "$registry_dir" "$port" || { cat "$registry_dir/log"; return 1; }
  registry=127.0.0.1:$port
}

# Everything that the story starts with anew; engine, registry and images stay.
remove_sample() {
  [[ -d $sample ]] || return 0
  if [[ -e $sample/docker-compose.yaml ]]; then
    docker compose --project-directory "$sample" down --timeout 5 --remove-orphans
    # The database's files belong to a user of the container, so a container removes them.
    docker run --rm --network none -v "$sample:/deployment" --entrypoint /bin/rm \
      "$registry/drydock-sample/database:1" -rf /deployment/volumes
  fi
  rm -rf "$sample" "$state/releases"
}

# Release 1 as an operator has it: the release's files, and an .env with values of the operator's own.
start_release_1() {
  local port
  port=$(free_port 8080)
  mkdir -p -m 700 "$sample"
  cp -r "$sample_dir/releases" "$state/releases"
  cp "$sample_dir"/releases/1/{docker-compose.yaml,.env.example} "$sample_dir/drydock.yaml" "$sample/"
  (
    umask 077
    sed -e "s|^REGISTRY=.*|REGISTRY=$registry|" -e "s|^WEB_PORT=.*|WEB_PORT=$port|" \
      -e "s|^SECRET_KEY=.*|SECRET_KEY=$(random_key)|" -e "s|^GREETING=.*|GREETING=Welcome aboard.|" \
      -e "s|^DB_PASSWORD=.*|DB_PASSWORD=$(random_key)|" \
      "$sample/.env.example" >"$sample/.env"
    printf '\n# Our own.\nCOMPOSE_PROJECT_NAME=%s\nOPERATOR_NOTE="call the harbour master first"\n' \
      "drydock-quickstart-$(cksum <<<"$state" | cut -c 1-4)" >>"$sample/.env"
  )
  url=http://127.0.0.1:$port
  docker compose --project-directory "$sample" up -d --wait
}

# What a person needs in the environment to go on by hand.
environment_lines() {
  [[ ! -e $engine_dir/run ]] || printf 'export DOCKER_HOST=%s\n' "$DOCKER_HOST"
}

clean_containers() {
  if [[ -e $engine_dir/data ]]; then
    engine_is_running "$engine_dir" || engine_start "$engine_dir" || true
    export DOCKER_HOST=unix://$(cat "$engine_dir/run")/docker.sock
  fi
  registry=127.0.0.1:$(cat "$registry_dir/port" 2>/dev/null || echo 5055)
  if docker info >/dev/null 2>&1; then
    remove_sample
    docker images --format '{{.Repository}}:{{.Tag}}' |
      { grep -E "^($registry/drydock-sample/|drydock-sample-base:)" || true; } | xargs -r docker rmi -f
  fi
  registry_stop "$registry_dir"
  engine_stop "$engine_dir"
}
