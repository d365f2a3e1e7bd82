# The end-to-end cases: the sample application upgraded by the real binary on a real engine.
# Sourced by run.sh, which has started the engine and the registry. A case begins with `fresh_sample`.

everyday_cases=(
  plan_changes_nothing upgrade failed_migration rollback_after_success
  killed_in_compose-stop killed_in_backup killed_in_migrate
  killed_in_long_migration killed_in_compose-up killed_in_rollback
  rehearsed rehearsal_killed
  engine_restarted_in_long_migration private_registry disk_full_in_pull rollout_promotes_digests
  quickstart quickstart_embedded
  upgrade_on_postgresql upgrade_on_mariadb upgrade_on_sqlite
)
long_cases=(
  killed_in_source killed_in_env-sync killed_in_pull killed_in_data killed_in_http-check killed_anywhere
  upgrade_after_rollback rehearsal_fails rehearsal_stays_within
  registry_away engine_restarted_in_compose-stop
  engine_restarted_in_source engine_restarted_in_env-sync engine_restarted_in_pull
  engine_restarted_in_backup engine_restarted_in_data engine_restarted_in_migrate
  engine_restarted_in_compose-up engine_restarted_in_http-check engine_restarted_anywhere
  engine_killed_in_pull engine_killed_in_compose-stop engine_killed_in_backup engine_killed_in_data
  engine_killed_in_migrate engine_stays_away
  rolling_serves_all_the_time rolling_is_refused_without_a_proxy rolling_killed
  through_a_docker_context replaced_by_hand rehearsed_in_the_pipeline
  failed_check_on_postgresql failed_check_on_mariadb failed_check_on_sqlite
  killed_restore_on_postgresql killed_restore_on_mariadb killed_restore_on_sqlite
  restore_by_hand_on_postgresql restore_by_hand_on_mariadb restore_by_hand_on_sqlite
  lock_timeout_on_postgresql
  rollout_over_ssh rollout_with_cut_links quickstart_rollout
)

run_named_case() {
  local name=$1
  case $name in
    killed_in_long_migration | killed_in_rollback) run_case "e2e.$name" "$name" ;;
    engine_restarted_in_long_migration) run_case "e2e.$name" "$name" ;;
    engine_restarted_in_*) run_case "e2e.$name" engine_restarted_in "${name#engine_restarted_in_}" ;;
    engine_killed_in_*) run_case "e2e.$name" engine_restarted_in "${name#engine_killed_in_}" KILL ;;
    *_on_postgresql | *_on_mariadb | *_on_sqlite) run_case "e2e.$name" on_database "$name" ;;
    killed_in_*) run_case "e2e.$name" killed_in "${name#killed_in_}" ;;
    *) run_case "e2e.$name" "$name" ;;
  esac
}

plan_changes_nothing() {
  fresh_sample
  local before after
  before=$(picture; cd "$sample" && find . -path ./volumes -prune -o -printf '%p %m %s %T@\n' | sort)
  expect_code 0 drydock -C "$sample" plan --var to=2
  expect_contains "the plan" "$(<"$case_dir/said")" "db → database"
  after=$(picture; cd "$sample" && find . -path ./volumes -prune -o -printf '%p %m %s %T@\n' | sort)
  expect_equal "the deployment after a plan" "$before" "$after"
}

upgrade() {
  fresh_sample
  local operators_values since=$EPOCHSECONDS
  operators_values=$(grep -E '^(SECRET_KEY|DB_PASSWORD|GREETING|WEB_PORT|OPERATOR_NOTE)=' "$sample/.env")
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_contains "the plan" "$(<"$case_dir/said")" "Labels of a note."
  # preflight could tell everything: the registry weighed the new images, the database said how large it is.
  [[ $(<"$case_dir/said") != *"not checked, because"* ]] ||
    because "preflight left something out: $(grep -A3 "not checked, because" "$case_dir/said")"
  expect_heads_were_read "$since"
  picture >"$report_dir/picture.finished"
  expect_contains "the version" "$(about)" '"revision":"4b7e2f9031ad","version":"2"'
  expect_equal "the texts of the notes" "$(texts_of_fresh_sample)" "$(texts)"
  expect_equal "the operator's values in .env" "$operators_values" \
    "$(grep -E '^(SECRET_KEY|DB_PASSWORD|GREETING|WEB_PORT|OPERATOR_NOTE)=' "$sample/.env")"
  expect_contains ".env" "$(<"$sample/.env")" NOTES_PAGE_SIZE=50
  expect_equal "the running services" "api database web" \
    "$(sample_containers --format '{{.Label "com.docker.compose.service"}}' | sort | tr '\n' ' ' | sed 's/ $//')"
}

# No DOCKER_HOST: a context names the engine.
through_a_docker_context() {
  fresh_sample
  export DOCKER_CONFIG=$case_dir/docker
  docker context create e2e --docker "host=$DOCKER_HOST"
  expect_code 0 env -u DOCKER_HOST DOCKER_CONTEXT=e2e drydock -C "$sample" run --var to=2 --yes
  expect_contains "the version" "$(about)" '"version":"2"'
  expect_code 2 env -u DOCKER_HOST DOCKER_CONTEXT=gone drydock -C "$sample" plan --var to=3
}

# Without a snapshot nobody knows of which files the containers were made that run.
replaced_by_hand() {
  fresh_sample
  local before
  before=$(picture)
  cp -p "$sample/.env" "$case_dir/env"
  cp "$releases"/2/docker-compose.yaml "$sample/"
  sed -i 's/^DB_HOST=.*/DB_HOST=database/; s/^MIGRATION_ENABLED=.*/MIGRATION_ENABLED=false/' "$sample/.env"
  mv "$sample/.drydock/snapshots" "$case_dir/"
  printf '%s\n' 'drydock: 1' 'name: up' 'summary: Up' 'stages: [{ uses: compose-up }, { uses: http-check, with: { url: "http://127.0.0.1:1/", timeout: 1s } }]' \
    >"$sample/drydock.yaml"
  expect_code 2 drydock -C "$sample" run --yes
  expect_contains "what it says" "$(<"$case_dir/said")" --accept-partial-rollback
  expect_contains "what it says" "$(<"$case_dir/said")" "Not wholly put back by a rollback"
  mv "$case_dir/snapshots" "$sample/.drydock/"
  expect_code 1 drydock -C "$sample" run --yes
  cp "$repository"/pipelines/sample/releases/1/docker-compose.yaml "$sample/"
  cp -p "$case_dir/env" "$sample/.env"
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
}

# The second of the two migrations fails after the first one has committed.
failed_migration() {
  upgraded_sample
  local before since=$EPOCHSECONDS
  before=$(picture)
  expect_code 1 drydock -C "$sample" run --var to=3 --yes
  expect_heads_were_read "$since"
  expect_contains "the closing screen" "$(<"$case_dir/said")" migrate
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
}

rollback_after_success() {
  fresh_sample
  local before
  before=$(picture)
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_code 2 drydock -C "$sample" rollback --yes
  expect_contains "what it says" "$(<"$case_dir/said")" --accept-loss
  expect_code 0 drydock -C "$sample" rollback --yes --accept-loss
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
}

# SIGKILL as soon as the stage begins; http-check never ends here, so the run cannot end before.
killed_in() {
  local stage=$1 before
  fresh_sample
  before=$(picture)
  hang_http_check
  start_run
  kill_at_event step.started "$stage" run
  comes_back "$before"
}

killed_in_long_migration() {
  local before
  fresh_sample
  sed -i 's/^MIGRATION_SECONDS=.*/MIGRATION_SECONDS=600/' "$sample/.env"
  before=$(picture)
  start_run
  # The first revision of release 2 is committed, the second one sleeps with its table locked.
  await 120 "$run_pid" database_sleeps
  kill_run
  comes_back "$before"
  expect_contains "the stage in which it was killed" "$interrupted_in" migrate
}

killed_in_rollback() {
  local before
  upgraded_sample
  before=$(picture)
  start_run 3
  kill_at_event step.started backup rollback
  expect_code 4 drydock -C "$sample" status
  expect_code 0 drydock -C "$sample" rollback --yes
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
}

# What a rollback put back can be upgraded again: its database runs from the compose model that was kept.
upgrade_after_rollback() {
  fresh_sample
  hang_http_check
  start_run
  kill_at_event step.started http-check run
  expect_code 0 drydock -C "$sample" rollback --yes
  cp "$repository/pipelines/sample/drydock.yaml" "$sample/"
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_contains "the version" "$(about)" '"revision":"4b7e2f9031ad","version":"2"'
  expect_equal "the texts of the notes" "$(texts_of_fresh_sample)" "$(texts)"
}

# Twelve instants spread over a run; the seed makes a failure repeatable.
killed_anywhere() {
  local seed=${DRYDOCK_TEST_SEED:-$(od -An -N 2 -tu2 /dev/urandom)} before instant
  echo "DRYDOCK_TEST_SEED=$((seed))"
  RANDOM=$((seed))
  fresh_sample
  hang_http_check
  before=$(picture)
  for _ in $(seq 12); do
    instant=$((RANDOM % 15000))
    echo "== killed after $instant ms"
    start_run
    await_milliseconds "$instant"
    kill_run
    comes_back "$before"
  done
}

# The script itself, in both forms, on the engine that it starts for itself.
quickstart() {
  local dir=$case_dir/quickstart
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh"
  expect_contains "what it says" "$(<"$case_dir/said")" "Release 2 is back by itself"
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh" --clean
  [[ ! -e $dir ]] || because "quickstart.sh --clean left $dir"
}

# Needs no engine: three local processes, of which a rollout makes three environments.
quickstart_rollout() {
  local dir=$case_dir/quickstart
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh" --rollout
  expect_contains "what it says" "$(<"$case_dir/said")" "Rollout sample has passed: 3 done."
  expect_contains "what it says" "$(<"$case_dir/said")" "environment failed in the wave 'staging'"
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh" --clean
  [[ ! -e $dir ]] || because "quickstart.sh --clean left $dir"
}

quickstart_embedded() {
  local dir=$case_dir/quickstart
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh" --embedded
  expect_contains "what it says" "$(<"$case_dir/said")" "Release 2 is back by itself"
  expect_code 0 env -u DOCKER_HOST DRYDOCK_QUICKSTART_DIR="$dir" "$repository/pipelines/quickstart.sh" --clean
  [[ ! -e $dir ]] || because "quickstart.sh --clean left $dir"
}
