# What of an upgrade its users notice, and what it costs to find that there is nothing to do. Sourced by
# tests/e2e/run.sh, which has started the engine and the registry; prints figures, judges nothing.
#
#   tests/e2e/run.sh rolling_availability upgrade_downtime migration_downtime nothing_to_do

# Failed requests during release 1 -> 2, of at least 10,000 each: rolling against a bare `up -d`.
rolling_availability() {
  local plain rolling
  rolling_sample
  plain=$(under_load 8 10000 plain_upgrade)
  rolling_sample
  rolling=$(under_load 8 10000 drydock -C "$sample" run --yes)
  echo "requests, failed, longest gap (ms), docker compose up -d: $plain" >&3
  echo "requests, failed, longest gap (ms), strategy rolling: $rolling" >&3
}

# The longest time without an answer in an upgrade without a migration.
upgrade_downtime() {
  local round plain=() drydock=()
  for round in 1 2 3 4 5; do
    rolling_sample docker-compose.yaml
    plain+=("$(under_load 1 1 plain_upgrade | cut -d ' ' -f 3)")
    rolling_sample docker-compose.yaml
    drydock+=("$(under_load 1 1 drydock -C "$sample" run --yes --var strategy=recreate | cut -d ' ' -f 3)")
  done
  echo "not answered, docker compose up -d: ${plain[*]} ms, median $(median_of "${plain[@]}") ms" >&3
  echo "not answered, drydock: ${drydock[*]} ms, median $(median_of "${drydock[@]}") ms" >&3
}

# Release 1 -> 2 of the sample without a dump and without a proof. The old database leaves first: two
# servers on one volume would ruin it.
plain_migrating_upgrade() {
  in_sample docker compose rm -f -s db
  cp "$releases"/2/{docker-compose.yaml,.env.example} "$sample/"
  sed -i 's/^DB_HOST=.*/DB_HOST=database/' "$sample/.env"
  in_sample docker compose up -d --wait
}

# stage_milliseconds STAGE: how long that stage of the first run took.
stage_milliseconds() {
  sed -n "s/.*\"type\":\"stage.finished\".*\"stage\":\"$1\".*\"duration_ms\":\([0-9]*\).*/\1/p" \
    "$sample/.drydock/logs/1/events.jsonl"
}

# The longest time without an answer in an upgrade with a migration and its writers stopped. By hand the
# application migrates by itself when it starts, so that `up -d` has that in it.
migration_downtime() {
  local round plain=() drydock=() dump=() migration=()
  for round in 1 2 3; do
    fresh_sample
    pull_release_2
    plain+=("$(under_load 1 1 plain_migrating_upgrade | cut -d ' ' -f 3)")
    remove_sample
    fresh_sample
    pull_release_2
    drydock+=("$(under_load 1 1 drydock -C "$sample" run --yes --var to=2 | cut -d ' ' -f 3)")
    dump+=("$(stage_milliseconds backup)")
    migration+=("$(stage_milliseconds migrate)")
    remove_sample
  done
  echo "not answered, docker compose up -d: ${plain[*]} ms, median $(median_of "${plain[@]}") ms" >&3
  echo "not answered, drydock: ${drydock[*]} ms, median $(median_of "${drydock[@]}") ms" >&3
  echo "in that, dump: ${dump[*]} ms; migration: ${migration[*]} ms" >&3
}

bare_pull_and_up() {
  in_sample docker compose pull
  in_sample docker compose up -d --wait
}

nothing_to_do() {
  local round bare=() drydock=()
  rolling_sample docker-compose.yaml
  printf '%s\n' 'drydock: 1' 'name: nothing' 'summary: Nothing to do' 'stages: [{ uses: pull }, { uses: compose-up }]' \
    >"$sample/drydock.yaml"
  drydock -C "$sample" run --yes  # the folder of its state is made
  for round in 1 2 3 4 5; do
    bare+=("$(seconds_of bare_pull_and_up)")
    drydock+=("$(seconds_of drydock -C "$sample" run --yes)")
  done
  echo "nothing to do, docker compose pull && up -d --wait: ${bare[*]} s, median $(median_of "${bare[@]}") s" >&3
  echo "nothing to do, pull and compose-up: ${drydock[*]} s, median $(median_of "${drydock[@]}") s" >&3
}
