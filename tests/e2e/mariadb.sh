# End-to-end cases with MariaDB in a container. Sourced by run.sh.

# An image of this machine's own MariaDB on the sample's base, which is the same Debian: nothing has to
# be fetched. The variables are those of the official image.
mariadb_image() {
  local context=$report_dir/mariadb-image file library
  [[ ! -e $context ]] || return 0
  mkdir -p "$context/root"
  local files=(/usr/sbin/mariadbd /usr/bin/mariadb /usr/bin/mariadb-dump /usr/bin/mariadb-admin
    /usr/bin/mariadb-install-db /usr/bin/my_print_defaults /usr/bin/resolveip)
  for file in "${files[@]}"; do
    cp --parents -L "$file" "$context/root"
    for library in $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); do
      cp --parents -L "$library" "$context/root" 2>/dev/null || true
    done
  done
  cp -r --parents /usr/share/mysql /usr/lib/mysql/plugin "$context/root"
  cat >"$context/entrypoint.sh" <<'SH'
#!/bin/sh
set -e
mkdir -p /run/mysqld /var/lib/mysql
if [ ! -d /var/lib/mysql/mysql ]; then
  mariadb-install-db --no-defaults --user=root --datadir=/var/lib/mysql --skip-test-db \
    --auth-root-authentication-method=normal >/dev/null
  printf "%s\n" "FLUSH PRIVILEGES;" "CREATE DATABASE \`$MARIADB_DATABASE\`;" \
    "ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';" >/init.sql
  set -- --init-file=/init.sql
fi
exec mariadbd --no-defaults --user=root --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock \
  --innodb-buffer-pool-size=32M "$@"
SH
  printf '%s\n' 'ARG BASE' 'FROM $BASE' 'COPY root/ /' 'COPY entrypoint.sh /' \
    'ENTRYPOINT ["/bin/sh", "/entrypoint.sh"]' >"$context/Dockerfile"
  DOCKER_BUILDKIT=0 docker build --quiet -t drydock-e2e/mariadb:1 "$context" \
    --build-arg "BASE=$(docker images --format '{{.Repository}}:{{.Tag}}' drydock-sample-base | head -n 1)" >/dev/null
}

in_mariadb() {
  docker compose --project-directory "$sample" exec -T -e MYSQL_PWD=an-operators-own-password db \
    mariadb --user=root --batch --skip-column-names app -e "$1"
}

# All rows and all of the structure, as a hash.
mariadb_content() {
  docker compose --project-directory "$sample" exec -T -e MYSQL_PWD=an-operators-own-password db \
    mariadb-dump --user=root --skip-comments --routines --triggers --events app | sha256sum
}

# A database with 100,000 rows, an application that is stopped for the upgrade, and a migration that
# half-applies before the stage after it fails.
fresh_mariadb() {
  mariadb_image
  docker compose --project-directory "$sample" down --timeout 2 2>/dev/null || true
  rm -rf "$sample"
  mkdir -p "$sample"
  cat >"$sample/docker-compose.yaml" <<'YAML'
name: drydock-e2e-mariadb
services:
  db:
    image: drydock-e2e/mariadb:1
    init: true
    environment: { MARIADB_ROOT_PASSWORD: an-operators-own-password, MARIADB_DATABASE: app }
    volumes: [ "./data:/var/lib/mysql" ]
    healthcheck: { test: [CMD, mariadb-admin, --user=root, "--password=an-operators-own-password", ping], interval: 1s, retries: 60 }
  app:
    image: drydock-e2e/mariadb:1
    init: true
    entrypoint: [sleep, infinity]
YAML
  cat >"$sample/migrate" <<'SH'
#!/bin/sh
exec docker compose exec -T -e MYSQL_PWD=an-operators-own-password db mariadb --user=root app -e "
  ALTER TABLE note ADD COLUMN author text; UPDATE note SET text = concat(text, '!') WHERE id % 2;
  DELETE FROM note WHERE id > 90000; DROP TABLE alembic_version; CREATE TABLE half_made (a int)"
SH
  chmod +x "$sample/migrate"
  cat >"$sample/drydock.yaml" <<'YAML'
drydock: 1
name: sample
vars: { to: { default: "2" }, then: { default: /bin/false } }
stages:
  - { uses: compose-stop, with: { services: [app] } }
  - { uses: backup, with: { databases: [{ service: [database, db] }], check: restore } }
  - { id: migrate, uses: exec, with: { command: [./migrate] } }
  - { id: prove, uses: exec, with: { command: ["${{ vars.then }}"] } }
YAML
  docker compose --project-directory "$sample" up -d --wait --quiet-pull
  in_mariadb "CREATE TABLE note (id int AUTO_INCREMENT PRIMARY KEY, text text);
    INSERT INTO note (text) SELECT concat('note ', seq) FROM seq_1_to_100000;
    CREATE VIEW short AS SELECT id FROM note WHERE length(text) < 7;
    CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('one')"
}

mariadb_comes_back() {
  local sample=$report_dir/mariadb before
  command -v mariadbd >/dev/null || because "MariaDB is not installed (pipelines/install-dependencies.sh --tests)"
  fresh_mariadb
  before=$(mariadb_content)
  expect_code 1 drydock -C "$sample" run --yes
  expect_contains "the closing screen" "$(<"$case_dir/said")" "failed.sql"
  expect_equal "the data after the rollback" "$before" "$(mariadb_content)"
  expect_code 0 drydock -C "$sample" backups verify --restore
  expect_contains "what was checked" "$(<"$case_dir/said")" "100001 rows"

  # Killed as soon as the database is being put back.
  start_run
  kill_at_event step.started backup rollback
  expect_code 4 drydock -C "$sample" status
  expect_code 0 drydock -C "$sample" rollback --yes
  expect_equal "the data after a rollback that was killed" "$before" "$(mariadb_content)"

  # A finished upgrade, put back by hand.
  expect_code 0 drydock -C "$sample" run --yes --var then=/bin/true
  expect_code 0 drydock -C "$sample" backups restore --yes
  expect_equal "the data after a restore by hand" "$before" "$(mariadb_content)"
  expect_code 0 drydock -C "$sample" rollback --yes --accept-loss
  expect_equal "the rows after the restore was undone" 90000 "$(in_mariadb 'SELECT count(*) FROM note')"
  [[ -z $(grep -rl an-operators-own-password "$sample/.drydock" --include='*' |
    grep -v -e '/model' -e 'snapshots/' || true) ]] || because "the password is in a file of Drydock's"
  docker compose --project-directory "$sample" down --timeout 2
}
