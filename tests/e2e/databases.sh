# The sample application on PostgreSQL, MariaDB and SQLite, with two databases and 100,000 notes in one
# of them. Sourced by run.sh. A case is called NAME_on_KIND, and told the kind.
#
# What is compared is a hash of all that the databases hold, structure and rows.

# --- the deployment -----------------------------------------------------------------------------

# The service of the database, and what the api has to know of it.
service_of_database() {
  case $kind in
    postgresql)
      cat <<YAML
  db:
    image: $registry/drydock-sample/database:1
    init: true
    environment: { POSTGRES_USER: app, POSTGRES_PASSWORD: an-operators-own-password, POSTGRES_DB: app }
    volumes: [ "./volumes/db:/var/lib/postgresql/data" ]
    healthcheck: { test: [CMD, pg_isready, -q, -U, app, -d, app], interval: 1s, retries: 60 }
YAML
      ;;
    mariadb)
      cat <<YAML
  db:
    image: drydock-e2e/mariadb:1
    pull_policy: never
    init: true
    environment:
      MARIADB_ROOT_PASSWORD: an-operators-own-password
      MARIADB_USER: app
      MARIADB_PASSWORD: an-operators-own-password
      MARIADB_DATABASE: app
    volumes: [ "./volumes/db:/var/lib/mysql" ]
    healthcheck: { test: [CMD-SHELL, 'MYSQL_PWD=\$\$MARIADB_PASSWORD mariadb-admin --host=127.0.0.1 --user=app ping'], interval: 1s, retries: 60 }
YAML
      ;;
  esac
}

# release_on_database N
release_on_database() {
  cat <<YAML
name: drydock-e2e-databases
services:
  api:
    image: $registry/drydock-sample/api:$1
    init: true
    restart: always
    environment:
      MODE: api
      MIGRATION_ENABLED: "true"
      SECRET_KEY: an-operators-own-key
      DB_TYPE: $kind
      DB_FILE: /data/app.db
      DB_HOST: db
      DB_USERNAME: app
      DB_PASSWORD: an-operators-own-password
      DB_DATABASE: app
    ports: [ "127.0.0.1:$stored_port:5001" ]
    volumes: [ "./volumes/files:/data" ]
    healthcheck: { test: [CMD, curl, -fsS, -o, /dev/null, "http://127.0.0.1:5001/health"], interval: 1s, retries: 60 }
YAML
  [[ $kind == sqlite ]] || echo '    depends_on: { db: { condition: service_healthy } }'
  service_of_database
}

pipeline_on_database() {
  local databases='{ service: db, names: [app, plugins] }' migrated='database: { service: db, name: app }'
  if [[ $kind == sqlite ]]; then
    databases='{ file: volumes/files/app.db }, { file: volumes/files/plugins.db }'
    migrated='sqlite: volumes/files/app.db'
  fi
  cat <<YAML
drydock: 1
name: databases
deployment: { files: [ stack.yaml ] }
vars: { to: { required: true }, check: { default: hash } }
stages:
  - { uses: source, with: { directory: "../releases/\${{ vars.to }}" } }
  - uses: pull
  - { uses: compose-stop, with: { services: [api] } }
  - { uses: backup, with: { databases: [ $databases ], check: "\${{ vars.check }}" } }
  - { id: plugins, uses: exec, with: { command: [ ../migrate-plugins, "\${{ vars.to }}" ] } }
  - { id: migrate, uses: alembic-migrate, with: { service: api, environment: { MODE: migration }, $migrated } }
  - { uses: compose-up, with: { wait: 2m } }
  - { uses: http-check, with: { url: "$url/version", timeout: 2s, json: { /version: "\${{ vars.serves ?? vars.to }}" } } }
YAML
}

in_stack() { docker compose -f "$sample/stack.yaml" "$@"; }

# sql_in DATABASE SQL
sql_in() {
  case $kind in
    postgresql)
      in_stack exec -T db psql -qAtX -U app -d "$1" -c "$2"
      ;;
    mariadb)
      in_stack exec -T -e MYSQL_PWD=an-operators-own-password db \
        mariadb --user=root --batch --skip-column-names "$1" -e "$2"
      ;;
    sqlite) sqlite3 "$sample/volumes/files/$1.db" ".timeout 20000" "$2" ;;
  esac
}

# All that the two databases hold, as text; with everything that differs between two equal ones left out.
content() {
  local database
  for database in app plugins; do
    case $kind in
      postgresql)
        in_stack exec -T db pg_dump -U app "$database" |
          sed -E '/^--/d; /^\\(un)?restrict /d'
        ;;
      mariadb)
        in_stack exec -T -e MYSQL_PWD=an-operators-own-password db \
          mariadb-dump --user=root --skip-comments --routines --triggers --events "$database"
        ;;
      sqlite) sqlite3 "$sample/volumes/files/$database.db" .dump ;;
    esac | sha256sum
  done
}

# What a rollback has to bring back: the files, what runs, and every row.
stored_picture() {
  (cd "$sample" && sha256sum stack.yaml)
  sample_containers -q | xargs -r docker inspect --format \
    '{{index .Config.Labels "com.docker.compose.service"}} {{.Image}} {{.State.Status}} {{.State.Health.Status}} {{.HostConfig.RestartPolicy.Name}}' | sort
  about
  content
}

# The application of release 1 on a database of this kind: `kind` and `sample` are the case's own.
fresh_on_database() {
  [[ $kind != mariadb ]] || mariadb_image
  local dir release
  dir=$(dirname "$sample")
  for release in 1 2 3; do
    mkdir -p "$dir/releases/$release"
    release_on_database "$release" >"$dir/releases/$release/stack.yaml"
  done
  mkdir -p "$sample"
  cp "$dir/releases/1/stack.yaml" "$sample/"
  pipeline_on_database >"$sample/drydock.yaml"
  # What the release does to the second database, with nothing that could undo it.
  {
    printf '#!/usr/bin/env bash\nset -e\nkind=%q sample=$PWD\n' "$kind"
    declare -f in_stack sql_in
    echo 'sql_in plugins "ALTER TABLE plugin ADD COLUMN since_$1 int"'
    echo 'sql_in plugins "DELETE FROM plugin WHERE id = $1"'
  } >"$dir/migrate-plugins"
  chmod +x "$dir/migrate-plugins"
  forget_pulled_images
  in_stack up -d --wait --quiet-pull
  local numbers="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)"
  case $kind in
    mariadb)
      sql_in app "SET max_recursive_iterations = 100000;
        INSERT INTO note (text) $numbers SELECT concat('note ', i) FROM n"
      # What that has reserved and not used the server forgets when it is restarted, of itself.
      sql_in app "ALTER TABLE note AUTO_INCREMENT = 200000"
      ;;
    *) sql_in app "$numbers INSERT INTO note (text) SELECT 'note ' || i FROM n" ;;
  esac
  [[ $kind == sqlite ]] || sql_in app "CREATE DATABASE plugins"
  sql_in plugins "CREATE TABLE plugin (id int PRIMARY KEY, name varchar(40))"
  sql_in plugins "INSERT INTO plugin VALUES (1, 'one'), (2, 'two'), (3, 'three')"
  expect_equal "the notes" 100000 "$(sql_in app 'SELECT count(*) FROM note')"
}

# NAME_on_KIND: the function NAME_on with a deployment of that kind.
on_database() {
  local kind=${1##*_on_} sample=$report_dir/databases/deployment
  local stored_port=8081 url=http://127.0.0.1:8081
  command -v sqlite3 >/dev/null || because "sqlite3 is not installed (pipelines/install-dependencies.sh --tests)"
  remove_databases
  fresh_on_database
  "${1%_on_*}_on"
  remove_databases
}

remove_databases() {
  docker ps -aq --filter label=com.docker.compose.project=drydock-e2e-databases | xargs -r docker rm -f -v
  docker network ls -q --filter label=com.docker.compose.project=drydock-e2e-databases | xargs -r docker network rm
  await 20 0 rm -rf "$report_dir/databases" || because "$report_dir/databases cannot be removed"
}

# --- the cases ----------------------------------------------------------------------------------

# Release 2, and then release 3, whose second migration fails: on MariaDB and SQLite half-way.
upgrade_on() {
  local before
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  expect_contains "the version" "$(about)" '"notes":100000,"revision":"4b7e2f9031ad","version":"2"'
  expect_equal "the authors" 100000 "$(sql_in app "SELECT count(*) FROM note WHERE author = 'somebody'")"
  expect_equal "the plugins" 2 "$(sql_in plugins 'SELECT count(*) FROM plugin')"
  before=$(stored_picture)
  expect_code 1 drydock -C "$sample" run --var to=3 --yes
  expect_contains "the closing screen" "$(<"$case_dir/said")" migrate
  expect_equal "the deployment after the rollback" "$before" "$(stored_picture)"
}

# The migration is done, and the application is not what it should be.
failed_check_on() {
  local before
  before=$(stored_picture)
  expect_code 1 drydock -C "$sample" run --var to=2 --var serves=another --yes
  expect_contains "the closing screen" "$(<"$case_dir/said")" http-check
  expect_equal "the deployment after the rollback" "$before" "$(stored_picture)"
  expect_code 0 drydock -C "$sample" backups verify --restore
  expect_contains "what was checked" "$(<"$case_dir/said")" "100001 rows"
  # What the restore took out of the way: known, until somebody has looked at it.
  [[ $kind != sqlite ]] || return 0
  expect_code 0 drydock -C "$sample" backups list
  expect_contains "what is kept" "$(<"$case_dir/said")" "set aside by a restore"
  expect_code 0 drydock -C "$sample" backups prune --set-aside --yes
  [[ $kind != postgresql ]] ||
    expect_equal "the databases" app "$(sql_in app "SELECT string_agg(datname, ' ') FROM pg_database WHERE datname ~ '^app'")"
  [[ -z $(find "$sample/.drydock/backups" -name '*.failed*') ]] || because "a failed database's dump is still there"
  expect_equal "the deployment after all" "$before" "$(stored_picture)"
}

# Killed as soon as the databases are being put back.
killed_restore_on() {
  local before
  before=$(stored_picture)
  sed -i 's/serves ?? vars.to/serves ?? 0/' "$sample/drydock.yaml"
  start_run
  kill_at_event step.started backup rollback
  expect_code 4 drydock -C "$sample" status
  expect_code 0 drydock -C "$sample" rollback --yes
  expect_equal "the deployment after the rollback" "$before" "$(stored_picture)"
}

# A finished upgrade whose containers have gone with all that would tell where they were, put back by
# hand, and that undone.
restore_by_hand_on() {
  local before after
  before=$(content)
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
  after=$(content)
  in_stack down --timeout 2
  expect_code 0 drydock -C "$sample" backups restore --yes
  expect_equal "the data after a restore by hand" "$before" "$(content)"
  expect_code 0 drydock -C "$sample" rollback --yes --accept-loss
  if [[ $kind != sqlite ]]; then
    expect_equal "what runs, as nothing did before" "" "$(in_stack ps -q --status running)"
    in_stack up -d --wait db
  fi
  expect_equal "the data after the restore was undone" "$after" "$(content)"
  [[ -z $(grep -rl an-operators-own-password "$sample/.drydock" |
    grep -v -e '/model' -e 'snapshots/' -e 'stack.yaml' -e '/source/' || true) ]] || because "the password is in a file of Drydock's"
}

# The application sets options of libpq itself, so that PGOPTIONS would not reach it: without a limit
# its ALTER TABLE would wait here for ever.
lock_timeout_on() {
  local before holder
  before=$(stored_picture)
  sed -i 's/service: api, environment/lock_timeout: 1s, lock_retries: 0, long_transactions: ignore, &/' "$sample/drydock.yaml"
  in_stack exec -T -e PGAPPNAME=holder db psql -q -U app -d app \
    -c "BEGIN; LOCK TABLE note IN ACCESS SHARE MODE; SELECT pg_sleep(600)" &
  holder=$!
  await 20 "$holder" eval '[[ $(sql_in app "SELECT count(*) FROM pg_locks WHERE relation = '"'note'::regclass"'") == 1 ]]' ||
    because "nobody holds the table"
  expect_code 1 drydock -C "$sample" run --var to=2 --yes
  expect_contains "what the run says" "$(<"$case_dir/said")" "lock timeout"
  sql_in app "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'holder'"
  wait "$holder" || true
  expect_equal "the deployment after the rollback" "$before" "$(stored_picture)"
  expect_equal "settings of the role" 0 "$(sql_in app 'SELECT count(*) FROM pg_db_role_setting')"
  expect_code 0 drydock -C "$sample" run --var to=2 --yes
}
