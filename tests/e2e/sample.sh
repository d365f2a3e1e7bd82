# The sample application as the end-to-end cases see it. Sourced by run.sh.

about() { curl -fsS "$url/version"; }
notes() { curl -fsS "$url/notes"; }
texts() { notes | grep -o '"text":"[^"]*"'; }
texts_of_fresh_sample() { printf '"text":"note %s"\n' 1 2 3; }

sample_containers() { docker ps -a --filter "label=com.docker.compose.project.working_dir=$sample" "$@"; }

# Everything that a rollback has to bring back, as text: files, containers with image, configuration,
# state and restart policy, the rows and the tables.
picture() {
  (cd "$sample" && sha256sum .env .env.example docker-compose.yaml && stat -c '%n %a' .env)
  sample_containers -q | xargs -r docker inspect --format \
    '{{index .Config.Labels "com.docker.compose.service"}} {{.Image}} {{index .Config.Labels "com.docker.compose.config-hash"}} {{.State.Status}} {{.State.Health.Status}} {{.HostConfig.RestartPolicy.Name}}' | sort
  notes
  about
  in_database "SELECT table_name, column_name, data_type FROM information_schema.columns
               WHERE table_schema = 'public' ORDER BY 1, 2"
}

in_database() {
  docker exec "$(sample_containers --filter volume="$sample/volumes/database" --filter status=running -q)" \
    psql -qAtX -U app -d app -c "$1"
}

# While containers come and go `docker exec` prints its own errors where psql prints rows.
database_sleeps() {
  [[ $(in_database "SELECT count(*) > 0 FROM pg_stat_activity
                    WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()") == t ]]
}

# Release 1 with three notes, values of the operator's own, and a pipeline. What an earlier case brought
# back to exactly that is used again.
fresh_sample() {
  if [[ -e $sample/docker-compose.yaml && "$(picture 2>/dev/null)" == "$(cat "$report_dir/picture" 2>/dev/null)" ]]; then
    cp "$repository/pipelines/sample/drydock.yaml" "$sample/"
    forget_pulled_images
    return 0
  fi
  remove_sample
  mkdir -p "$sample"
  cp "$repository"/pipelines/sample/releases/1/{docker-compose.yaml,.env.example} \
    "$repository/pipelines/sample/drydock.yaml" "$sample/"
  rm -rf "$releases"
  cp -r "$repository/pipelines/sample/releases" "$releases"
  sed -e "s|^REGISTRY=.*|REGISTRY=$registry|" -e "s|^WEB_PORT=.*|WEB_PORT=$web_port|" \
    -e 's|^SECRET_KEY=.*|SECRET_KEY=an-operators-own-key|' -e 's|^GREETING=.*|GREETING=Ahoy.|' \
    -e 's|^DB_PASSWORD=.*|DB_PASSWORD=an-operators-own-password|' "$sample/.env.example" >"$sample/.env"
  printf '\n# Our own.\nCOMPOSE_PROJECT_NAME=%s\nOPERATOR_NOTE="keep me"\n' "${sample_project:-drydock-e2e}" >>"$sample/.env"
  chmod 600 "$sample/.env"
  forget_pulled_images
  docker compose --project-directory "$sample" up -d --wait --quiet-pull
  local number
  for number in 1 2 3; do
    curl -fsS -o /dev/null -H 'Content-Type: application/json' -d "{\"text\": \"note $number\"}" "$url/notes"
  done
  expect_code 0 drydock -C "$sample" init
  picture >"$report_dir/picture"
}

upgraded_sample() {
  fresh_sample
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
}

remove_sample() {
  sample_containers -q | xargs -r docker rm -f -v
  docker network ls -q --filter "label=com.docker.compose.project=${sample_project:-drydock-e2e}" | xargs -r docker network rm
  # What the workers of a killed run still start and write ends with them, a moment later.
  await 20 0 rm -rf "$sample" || because "$sample cannot be removed"
}

# Since then the scripts were copied out of the image, and the image was not started to ask for its heads.
expect_heads_were_read() {
  local created
  created=$(docker events --since "$1" --until "$((EPOCHSECONDS + 1))" --filter event=create \
    --filter type=container --format '{{.Actor.Attributes.name}}')
  expect_contains "the containers created since" "$created" drydock-migrate-scripts-
  [[ $created != *drydock-migrate-heads* ]] || because "the image was started to ask for its heads"
  [[ -z $(docker ps -aq --filter name=drydock-migrate-) ]] || because "a container of the stage is left"
}

# So that each upgrade really pulls.
forget_pulled_images() {
  docker images --format '{{.Repository}}:{{.Tag}}' |
    { grep -E '/drydock-sample/(api|web):[23]$' || true; } | xargs -r docker rmi
}

# --- runs that get killed -----------------------------------------------------------------------

# Somebody who accepts connections and never answers. Started once, by run.sh.
hang_http_check() {
  sed -i "s|http://127.0.0.1:\${{ env.WEB_PORT }}/|http://127.0.0.1:$silent_port/|" "$sample/drydock.yaml"
  grep -q "$silent_port" "$sample/drydock.yaml" || because "the sample's pipeline has no http-check that could hang"
}

start_run() {
  local last
  last=$({ ls "$sample/.drydock/logs" 2>/dev/null || true; } | sort -n | tail -n 1)
  events=$sample/.drydock/logs/$((${last:-0} + 1))/events.jsonl
  drydock -C "$sample" run --var "to=${1:-2}" --yes </dev/null &
  run_pid=$!
  # A case that fails while its run goes on must not leave it to the next one.
  trap 'kill -KILL $run_pid 2>/dev/null || true' EXIT
}

kill_run() {
  ! grep -q lib/drydock/stages/ "/proc/$run_pid/maps" ||
    because "a plugin is mapped into drydock itself: $(grep -m 1 lib/drydock/stages/ "/proc/$run_pid/maps")"
  kill -KILL "$run_pid" || because "the run had already ended when it was to be killed"
  wait "$run_pid" || true
  trap - EXIT
}

# at_event TYPE STAGE STEP COMMAND...: follows the run's events and does COMMAND at the first such one.
at_event() {
  local type=$1 stage=$2 step=$3 line reader
  shift 3
  await 60 "$run_pid" test -e "$events" || because "the run wrote no $events"
  exec 8< <(exec tail -n +1 -s 0.02 --pid "$run_pid" -f "$events")
  reader=$!
  while IFS= read -r -u 8 line; do
    if [[ $line == *"\"type\":\"$type\""* && $line == *"\"stage\":\"$stage\""* && $line == *"\"step\":\"$step\""* ]]; then
      "$@"
      kill "$reader" 2>/dev/null || true
      exec 8<&-
      return 0
    fi
  done
  because "the run ended before $type of $step of stage $stage"
}

kill_at_event() { at_event "$@" kill_run; }

# After a kill: the next command says which run, stage and step were interrupted, nothing new may
# start, and a rollback brings everything back.
comes_back() {
  local before=$1
  # Killed before the first stage began: nothing to bring back.
  interrupted_in=$(grep -E '"type":"step.started".*"step":"(run|verify)"' "$events" 2>/dev/null | tail -n 1 |
    sed -E 's/.*"stage":"([^"]*)".*/\1/') || true
  if [[ $interrupted_in ]]; then
    expect_code 4 drydock -C "$sample" run --var to=2 --yes
    expect_code 4 drydock -C "$sample" status
    expect_contains "status after a kill" "$(<"$case_dir/said")" interrupted
    expect_contains "status after a kill" "$(<"$case_dir/said")" "$interrupted_in"
    expect_code 0 drydock -C "$sample" rollback --yes
  fi
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
  [[ -z $(docker ps -aq --filter label=drydock.run) ]] || because "a one-off container of the killed run is left"
}

await_milliseconds() { sleep "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))"; }
