#!/bin/sh
# PostgreSQL with the variables of the official image: POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB.
set -e

# systemd-tmpfiles makes this folder on a machine; in a container nobody does.
install -d -o postgres -g postgres /var/run/postgresql
install -d -o postgres -g postgres -m 700 "$PGDATA"
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"

if [ ! -s "$PGDATA/PG_VERSION" ]; then
  umask 077
  password=$(mktemp)
  printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
  chown postgres "$password"
  $as_postgres initdb --no-locale --encoding=UTF8 --username="$POSTGRES_USER" --pwfile="$password" \
    --auth-local=trust --auth-host=scram-sha-256
  rm "$password"
  echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
  echo "CREATE DATABASE \"$POSTGRES_DB\"" | $as_postgres postgres --single -D "$PGDATA" postgres
fi

exec $as_postgres postgres -D "$PGDATA" -c listen_addresses='*'
