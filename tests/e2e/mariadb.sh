# An image of MariaDB for the end-to-end cases. Sourced by run.sh.

# An image of this machine's own MariaDB on the sample's base, which is the same Debian: nothing has to
# be fetched. The variables are those of the official image.
mariadb_image() {
  command -v mariadbd >/dev/null || because "MariaDB is not installed (pipelines/install-dependencies.sh --tests)"
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
    "ALTER USER root@localhost IDENTIFIED BY '$MARIADB_ROOT_PASSWORD';" \
    "CREATE USER '$MARIADB_USER'@'%' IDENTIFIED BY '$MARIADB_PASSWORD';" \
    "GRANT ALL ON \`$MARIADB_DATABASE\`.* TO '$MARIADB_USER'@'%';" >/init.sql
  set -- --init-file=/init.sql
fi
exec mariadbd --no-defaults --user=root --datadir=/var/lib/mysql --socket=/run/mysqld/mysqld.sock \
  --skip-name-resolve --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 "$@"
SH
  printf '%s\n' 'ARG BASE' 'FROM $BASE' 'COPY root/ /' 'COPY entrypoint.sh /' \
    'ENTRYPOINT ["/bin/sh", "/entrypoint.sh"]' >"$context/Dockerfile"
  DOCKER_BUILDKIT=0 docker build --quiet -t drydock-e2e/mariadb:1 "$context" \
    --build-arg "BASE=$(docker images --format '{{.Repository}}:{{.Tag}}' drydock-sample-base | head -n 1)" >/dev/null
}
