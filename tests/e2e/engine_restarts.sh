# The engine is stopped and started in the middle of a run, or stays away. Sourced by run.sh.
#
# Whatever becomes of the run, its end is one of two: release 2 as an undisturbed run leaves it, or all
# as it was before. And once compose-stop has stopped web and api, neither starts before the migration
# is done or a rollback settles.

# engine_restarted_in STAGE [KILL]
engine_restarted_in() {
  local stage=$1 signal=${2:-TERM} before
  finished=$(finished_picture)
  fresh_sample
  before=$(picture)
  start_run >"$case_dir/run" 2>&1
  at_event step.started "$stage" run restart_engine "$signal"
  run_ends
  # What these stages ask the engine for can be asked again. (An engine that crashes leaves what has
  # `unless-stopped` down, the database among it, so that there is nothing to dump.)
  case $signal-$stage in
    TERM-source | TERM-env-sync | TERM-pull | TERM-compose-stop) expect_equal "the exit code" 0 "$code" ;;
  esac
  ends_whole "$before" "$signal"
}

# Its container is gone with the engine, after the first of the two revisions has committed.
engine_restarted_in_long_migration() {
  local before
  fresh_sample
  sed -i 's/^MIGRATION_SECONDS=.*/MIGRATION_SECONDS=600/' "$sample/.env"
  before=$(picture)
  start_run >"$case_dir/run" 2>&1
  await 120 "$run_pid" database_sleeps
  restart_engine TERM
  run_ends
  expect_equal "the exit code" 1 "$code"
  ends_whole "$before"
}

# Nobody starts the engine before the run has given up.
engine_stays_away() {
  local before
  fresh_sample
  before=$(picture)
  start_run >"$case_dir/run" 2>&1
  at_event step.started migrate run end_engine TERM
  await 300 0 eval "! kill -0 $run_pid" || because "the run does not end without the engine"
  run_ends
  expect_equal "the exit code" 3 "$code"
  expect_contains "what the run says" "$(<"$case_dir/run")" "the Docker engine does not answer"
  start_engine
  ends_whole "$before"
}

# Six instants spread over a run; the seed makes a failure repeatable.
engine_restarted_anywhere() {
  local seed=${DRYDOCK_TEST_SEED:-$(od -An -N 2 -tu2 /dev/urandom)} before instant signal
  echo "DRYDOCK_TEST_SEED=$((seed))"
  RANDOM=$((seed))
  finished=$(finished_picture)
  for _ in $(seq 6); do
    instant=$((RANDOM % 25000))
    signal=$([[ $((RANDOM % 2)) == 0 ]] && echo TERM || echo KILL)
    echo "== $signal after $instant ms"
    fresh_sample
    before=$(picture)
    start_run >"$case_dir/run" 2>&1
    at_event step.started source run await_milliseconds "$instant"
    restart_engine "$signal"
    run_ends
    ends_whole "$before" "$signal"
  done
}

# The picture after a run that nobody disturbed; made when it is first asked for.
finished_picture() {
  if [[ ! -e $report_dir/picture.finished ]]; then
    upgraded_sample >&2
    picture >"$report_dir/picture.finished"
  fi
  cat "$report_dir/picture.finished"
}

# --- the engine ---------------------------------------------------------------------------------

end_engine() {
  engine_end "$engine" "$1"
  # A case that fails must not leave the next one without an engine.
  trap 'kill -KILL $run_pid 2>/dev/null || true; engine_is_running "$engine" || start_engine' EXIT
}

start_engine() {
  engine_launch "$engine" 3>&- 8<&-
  # The engine forgets its events when it ends, and keeps few; those since it began are still there.
  docker events --since 0 --filter event=start --filter label=com.docker.compose.oneoff=False \
    --format '{{.TimeNano}} {{index .Actor.Attributes "com.docker.compose.service"}}' \
    >>"$case_dir/starts" 3>&- 8<&- &
  watcher=$!
}

restart_engine() {
  end_engine "$1"
  start_engine
}

# --- the end of the run -------------------------------------------------------------------------

run_ends() {
  code=0
  wait "$run_pid" || code=$?
  sed 's/^/run: /' "$case_dir/run"
  echo "exit code $code"
}

# By the exit code of the run, which run_ends left. ends_whole PICTURE_BEFORE [SIGNAL]
ends_whole() {
  local before=$1 signal=${2:-TERM}
  case $code in
    0)
      # What an engine that crashed after the run left down, its operator starts.
      [[ $signal != KILL ]] || sample_containers -q --filter status=exited | xargs -r docker start
      # An engine that came back after the last stage may still be starting all of it.
      await 30 0 eval '[[ "$(picture)" == "$finished" ]]' || true
      expect_equal "the deployment after the run" "$finished" "$(picture)"
      ;;
    1) expect_equal "the deployment after the rollback" "$before" "$(picture)" ;;
    3)
      expect_contains "what the run says" "$(<"$case_dir/run")" "drydock -C $sample rollback"
      expect_code 0 drydock -C "$sample" rollback --yes
      expect_equal "the deployment after the second rollback" "$before" "$(picture)"
      ;;
    *) because "the run ended with exit code $code" ;;
  esac
  no_writer_came_back
}

time_of() {  # of the first event that matches the extended regular expression, in nanoseconds
  local time
  time=$(grep -m 1 -E "$1" "$events" | grep -o '"time":"[^"]*"' | cut -d '"' -f 4) || true
  [[ ! $time ]] || date -d "$time" +%s%N
}

no_writer_came_back() {
  local stopped over started service
  kill "$watcher"
  [[ -s $case_dir/starts ]] || because "the engine told of no container that it started"
  stopped=$(time_of '"type":"stage.finished".*"stage":"compose-stop".*"status":"done"')
  if [[ ! $stopped ]]; then
    [[ $code != 0 ]] || because "no event says that compose-stop is done"
    return 0
  fi
  over=$(time_of '"type":"stage.finished".*"stage":"migrate".*"status":"done"|"type":"step.started".*"step":"settle"')
  while read -r started service; do
    [[ $service =~ ^(web|api)$ ]] || continue
    ((started < stopped || started > ${over:-started})) ||
      because "service $service was started again $(((started - stopped) / 1000000)) ms after compose-stop"
  done <"$case_dir/starts"
}
