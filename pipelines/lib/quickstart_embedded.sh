# The quickstart's story without containers: the same application as a local process with a SQLite
# file, kept running by a supervisor that the quickstart owns. Sourced by quickstart.sh.

embedded=$state/embedded
local_sample=$embedded/sample

remove_embedded() {
  server_stop "$embedded/supervisor" "$local_sample/server supervise"
  rm -rf "$embedded"
}

start_embedded_release_1() {
  local port release
  port=$(free_port 8090)
  mkdir -p -m 700 "$embedded/supervisor" "$local_sample/data"
  for release in 1 2 3; do
    release_of api "$release" "$embedded/releases/$release"
    rm "$embedded/releases/$release"/{Dockerfile,entrypoint.sh}
    cp "$sample_dir/embedded/releases/$release/.env.example" "$embedded/releases/$release/"
  done
  cp -r "$embedded/releases/1/." "$local_sample/"
  cp "$sample_dir"/embedded/{server,drydock.yaml} "$local_sample/"
  (
    umask 077
    sed -e "s|^WEB_PORT=.*|WEB_PORT=$port|" -e "s|^SECRET_KEY=.*|SECRET_KEY=$(random_key)|" \
      -e "s|^GREETING=.*|GREETING=\"Welcome aboard.\"|" "$local_sample/.env.example" >"$local_sample/.env"
    printf '\n# Our own.\nOPERATOR_NOTE="call the harbour master first"\n' >>"$local_sample/.env"
  )
  url=http://127.0.0.1:$port
  "$local_sample/server" flask upgrade-db
  setsid "$local_sample/server" supervise </dev/null >>"$log" 2>&1 &
  printf '%s\n' $! >"$embedded/supervisor/pid"
  "$local_sample/server" start
}
