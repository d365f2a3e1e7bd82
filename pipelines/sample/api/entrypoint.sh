#!/bin/sh
# Behaves like the entrypoint of Dify's api image: it migrates when told to, ends after that in
# migration mode, and otherwise starts the server whatever its arguments say.
set -e

if [ "$MIGRATION_ENABLED" = true ]; then
  echo "Running migrations"
  flask upgrade-db
  if [ "$MODE" = migration ]; then
    echo "Migration completed, exiting normally"
    exit 0
  fi
fi

exec gunicorn --bind 0.0.0.0:5001 --workers "${API_WORKERS:-1}" --timeout 120 --graceful-timeout 5 app:app
