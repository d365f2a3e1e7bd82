# End-to-end cases of a rehearsed migration. Sourced by run.sh.

# Of the copy, of its one-off container and of the database sessions in it.
expect_no_copy() {
  expect_equal "the databases of the server" "app" \
    "$(in_database "SELECT string_agg(datname, ' ') FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'")"
  [[ -z $(docker ps -aq --filter label=drydock.run) ]] || because "a one-off container of the rehearsal is left"
  expect_equal "the database sessions that are left" "" \
    "$(in_database "SELECT application_name FROM pg_stat_activity WHERE application_name LIKE 'drydock-%'")"
}

# What the last command printed, as one line: the screen wraps it.
said() { tr -s ' \n' ' ' <"$case_dir/said"; }

# While COMMAND works the application answers every request.
while_it_serves() {
  local failed=$case_dir/failed-requests
  : >"$failed"
  (while sleep 0.1; do about >/dev/null || echo failed >>"$failed"; done) 2>/dev/null &
  local prober=$!
  "$@"
  kill "$prober"
  wait "$prober" 2>/dev/null || true
  [[ ! -s $failed ]] || because "$(wc -l <"$failed") requests failed during the rehearsal"
}

migrate_change() {
  drydock -C "$sample" plan --var "to=$1" --fetch --json |
    /usr/bin/python3 -c 'import json, sys
for stage in json.load(sys.stdin)["plan"]["planned"]:
    for change in stage["changes"]:
        if stage["stage"] == "migrate" and change["action"] == "change": print(change["detail"])'
}

# The database service has another name in release 2, and the migrator is started from its files and its
# image while release 1 serves.
rehearsed() {
  fresh_sample
  local before
  before=$(picture)
  [[ $(migrate_change 2) != *rehearsed* ]] || because "the plan tells of a rehearsal that never was"
  while_it_serves expect_code 0 drydock -C "$sample" rehearse --var to=2 --yes
  expect_contains "the closing screen" "$(said)" "the migration 8d1f0c2a7b31 -> 4b7e2f9031ad"
  expect_contains "the closing screen" "$(said)" "as many rows as before"
  expect_contains "the closing screen" "$(said)" "Rehearsed on copies"
  expect_equal "the deployment after the rehearsal" "$before" "$(picture)"
  expect_no_copy
  expect_contains "the next plan of the migration" "$(migrate_change 2)" "rehearsed $(date -u +%F) in "
  expect_code 0 drydock -C "$sample" history
  expect_contains "the history" "$(said)" rehearsed
  # It is no run that could be undone, and stands in nobody's way.
  expect_code 2 drydock -C "$sample" rollback --yes
  expect_contains "what it says" "$(said)" "was a rehearsal"
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_contains "the version" "$(about)" '"revision":"4b7e2f9031ad","version":"2"'
  expect_code 0 drydock -C "$sample" rehearse --var to=2 --yes
  expect_contains "what it says" "$(said)" "nothing to rehearse"
}

# Release 3's second migration fails after the first has committed, and its command ends with 0.
rehearsal_fails() {
  upgraded_sample
  local before
  before=$(picture)
  while_it_serves expect_code 1 drydock -C "$sample" rehearse --var to=3 --yes
  expect_contains "the closing screen" "$(said)" "the rehearsal failed after"
  expect_contains "the closing screen" "$(said)" "contains null values"
  expect_equal "the deployment after the rehearsal" "$before" "$(picture)"
  expect_no_copy
  [[ $(migrate_change 3) != *rehearsed* ]] || because "a failed rehearsal counts as one"
}

# As a stage of its own, before the writers stop; the run goes on after it.
rehearsed_in_the_pipeline() {
  fresh_sample
  sed -i '/uses: compose-stop/i\  - id: try\n    uses: alembic-migrate\n    with: { mode: rehearse, service: api, environment: { MODE: migration }, database: { service: [database, db] } }' \
    "$sample/drydock.yaml"
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_contains "the version" "$(about)" '"revision":"4b7e2f9031ad","version":"2"'
  expect_contains "the log" "$(<"$sample/.drydock/logs/1/run.log")" "the migrator gets the copy by DB_DATABASE, DB_HOST"
  expect_no_copy
  local before
  before=$(picture)
  expect_code 1 drydock -C "$sample" run --var to=3 --yes
  expect_contains "the closing screen" "$(said)" "stage try, step run"
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
  expect_no_copy
}

rehearsal_killed() {
  local before last
  fresh_sample
  sed -i 's/^MIGRATION_SECONDS=.*/MIGRATION_SECONDS=600/' "$sample/.env"
  before=$(picture)
  last=$({ ls "$sample/.drydock/logs" 2>/dev/null || true; } | sort -n | tail -n 1)
  events=$sample/.drydock/logs/$((${last:-0} + 1))/events.jsonl
  drydock -C "$sample" rehearse --var to=2 --yes </dev/null &
  run_pid=$!
  trap 'kill -KILL $run_pid 2>/dev/null || true' EXIT
  await 120 "$run_pid" database_sleeps
  kill_run
  expect_contains "the application meanwhile" "$(about)" '"revision":"8d1f0c2a7b31","version":"1"'
  expect_code 4 drydock -C "$sample" run --var to=2 --yes
  expect_code 2 drydock -C "$sample" resume --yes
  while_it_serves expect_code 0 drydock -C "$sample" rollback --yes
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
  expect_no_copy
}

# Release 2 brings a network, a volume and a folder that are not there yet; and then an entrypoint with
# variables of its own, which no question to Alembic itself finds out.
rehearsal_stays_within() {
  fresh_sample
  local before there
  before=$(picture)
  there=$(docker network ls -q --no-trunc | sort; docker volume ls -q | sort)
  cp "$releases/2/docker-compose.yaml" "$case_dir/release.yaml"
  local addition
  for addition in 'networks: [default, fresh]' 'volumes: ["fresh:/fresh"]' 'volumes: ["./fresh:/fresh"]'; do
    { sed "s|^  api:|&\n    $addition|" "$case_dir/release.yaml"; printf '\nnetworks: {fresh: {}}\nvolumes: {fresh: {}}\n'; } \
      >"$releases/2/docker-compose.yaml"
    expect_code 1 drydock -C "$sample" rehearse --var to=2 --yes
    expect_contains "the closing screen" "$(said)" "which is not there yet"
    expect_equal "networks and volumes" "$there" "$(docker network ls -q --no-trunc | sort; docker volume ls -q | sort)"
    [[ ! -e $sample/fresh ]] || because "a folder of the new release was made"
  done
  sed 's|^  api:|&\n    entrypoint: [sh, -c, "export DB_DATABASE=app DB_HOST=db; exec ./entrypoint.sh"]|' \
    "$case_dir/release.yaml" >"$releases/2/docker-compose.yaml"
  expect_code 1 drydock -C "$sample" rehearse --var to=2 --yes
  expect_contains "the closing screen" "$(said)" "the migrator went to database app itself and not to the copy"
  expect_equal "the deployment after the rehearsals" "$before" "$(picture)"
  expect_no_copy
  cp "$case_dir/release.yaml" "$releases/2/docker-compose.yaml"
}
