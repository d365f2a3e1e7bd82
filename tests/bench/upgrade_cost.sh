# What an upgrade of the sample costs with Drydock. Sourced by tests/e2e/run.sh, which has started
# the engine and the registry; prints figures, judges nothing.
#
#   tests/e2e/run.sh upgrade_cost
#
# Three comparisons, in turns. With a short script, which looks at nothing before and at little after.
# With the same commands: that script, and what an operator types who wants to know as much as
# Drydock does: the new files are resolved before anything stops, and the migration is proven by the
# revision before, the heads of the scripts and the revision after. And within Drydock: how much of
# the time passed outside of the `docker` commands that it ran.

upgrade_rounds=3

seconds_of() {
  local began=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v began="$began" -v ended="$EPOCHREALTIME" 'BEGIN { printf "%.2f\n", ended - began }'
}

revision_by_hand() {
  docker exec "$(docker compose ps -q "$1")" psql -qAtX -U app -d app -c 'SELECT version_num FROM alembic_version'
}

# pull, stop the writers, dump, leave the old database, migrate, start, look. `proven`: with proofs.
upgrade_by_hand() {
  local proven=${1:-} compose=(docker compose --project-directory "$sample") next heads
  (
    cd "$sample"
    if [[ $proven ]]; then
      next=$(mktemp -d "$case_dir/next.XXXXXX")
      sed 's/^DB_HOST=.*/DB_HOST=database/' .env >"$next/.env"
      "${compose[@]}" config --quiet
      "${compose[@]}" --env-file "$next/.env" -f "$releases/2/docker-compose.yaml" config --quiet
      "${compose[@]}" ps --all
      revision_by_hand db
    fi
    docker pull -q "$registry/drydock-sample/api:2"
    docker pull -q "$registry/drydock-sample/web:2"
    "${compose[@]}" stop api web
    docker exec "$("${compose[@]}" ps -q db)" pg_dump -Fc -Z1 -U app app >"$case_dir/dump"
    docker exec -i "$("${compose[@]}" ps -q db)" pg_restore -f /dev/null <"$case_dir/dump"
    "${compose[@]}" rm -f -s db
    cp "$releases"/2/{docker-compose.yaml,.env.example} .
    sed -i 's/^DB_HOST=.*/DB_HOST=database/' .env
    "${compose[@]}" up -d --wait database
    "${compose[@]}" run --rm -T --no-deps -e MODE=migration -e MIGRATION_ENABLED=true api
    if [[ $proven ]]; then
      heads=$("${compose[@]}" run --rm -T --no-deps --entrypoint flask api db heads)
      [[ $heads == "$(revision_by_hand database) (head)" ]]
    fi
    "${compose[@]}" up -d --wait
    [[ ! $proven ]] || "${compose[@]}" ps --all
    curl -fsS "$url/version" | grep -q '"version":"2"'
  )
}

# A `docker` in front of the real one that writes down when it began and ended.
timed_docker() {
  local real
  real=$(command -v docker)
  mkdir -p "$case_dir/timed"
  cat >"$case_dir/timed/docker" <<SCRIPT
#!/bin/bash
began=\$EPOCHREALTIME
"$real" "\$@"
code=\$?
echo "\$began \$EPOCHREALTIME \$1" >>"$case_dir/docker-times"
exit \$code
SCRIPT
  chmod +x "$case_dir/timed/docker"
}

# Of the time that passed, what neither a `docker` command nor a wait for health took: between two
# looks at it (ps, inspect) pass at least 100 ms. By hand the same wait is in `up --wait`.
own_time() {
  sort -n "$case_dir/docker-times" | awk -v whole="$1" '
    before == "inspect" && ($3 == "ps" || $3 == "inspect") && $1 - until > 0.1 { waited += 0.1 }
    { from = $1 > until ? $1 : until; if ($2 > from) inside += $2 - from; if ($2 > until) until = $2; before = $3 }
    END { printf "%.2f\n", whole - inside - waited }'
}

median_of() { printf '%s\n' "$@" | sort -n | sed -n "$(($# / 2 + 1))p"; }

upgrade_cost() {
  local drydock=() short=() proven=() own=() round
  for round in $(seq "$upgrade_rounds"); do
    fresh_sample
    short+=("$(seconds_of upgrade_by_hand)")
    remove_sample
    fresh_sample
    proven+=("$(seconds_of upgrade_by_hand proven)")
    remove_sample
    fresh_sample
    drydock+=("$(seconds_of drydock -C "$sample" run --var to=2 --yes)")
    remove_sample
  done
  timed_docker
  for round in $(seq "$upgrade_rounds"); do
    fresh_sample
    rm -f "$case_dir/docker-times"
    own+=("$(own_time "$(PATH=$case_dir/timed:$PATH seconds_of drydock -C "$sample" run --var to=2 --yes)")")
    remove_sample
  done
  echo "by hand, a short script: ${short[*]} s, median $(median_of "${short[@]}") s" >&3
  echo "by hand, the same commands: ${proven[*]} s, median $(median_of "${proven[@]}") s" >&3
  echo "upgrade with drydock: ${drydock[*]} s, median $(median_of "${drydock[@]}") s" >&3
  echo "of that outside of docker commands and of waits for health: ${own[*]} s, median $(median_of "${own[@]}") s" >&3
}
