# Registries and engines that do not give an image, through the real binary. Sourced by run.sh. Shows
# the sentence, the exit code, and that nothing was stopped for it.

# Found by the plan, which fetches, or by the stage itself, where the plan saw an image of that name.
registry_away() {
  fresh_sample
  local before
  before=$(picture)
  # The case after this one needs it, however this one ends.
  trap 'registry_start "$report_dir/registry" "${registry#*:}"' EXIT
  registry_stop "$report_dir/registry"
  expect_code 2 drydock -C "$sample" run --var to=2 --yes
  expect_contains "what the run says" "$(<"$case_dir/said")" "nothing answers at the registry $registry"
  expect_equal "the deployment" "$before" "$(picture)"
  local tier
  for tier in api web; do
    docker tag "$registry/drydock-sample/$tier:1" "$registry/drydock-sample/$tier:2"
  done
  sed -i 's/retry: { times: 3, delay: 20s }/retry: { times: 2, delay: 100ms }/' "$sample/drydock.yaml"
  expect_code 1 drydock -C "$sample" run --var to=2 --yes
  expect_contains "what the run says" "$(<"$case_dir/said")" "nothing answers at the registry $registry"
  expect_equal "the deployment after the rollback" "$before" "$(picture)"
}

# A deployment of one image that never runs: only_pulls DIR IMAGE
only_pulls() {
  mkdir -p "$1"
  printf 'services: { app: { image: "%s", profiles: [p] } }\n' "$2" >"$1/compose.yaml"
  printf 'drydock: 1\nname: pull\ndeployment: { profiles: [p] }\nstages: [{ uses: pull }]\n' >"$1/drydock.yaml"
}

# With the login that `docker login` would have left, and without.
private_registry() {
  local dir=$case_dir/private port
  mkdir -p "$dir/login"
  port=$(free_port 5060)
  # The password U*U, from the test vectors of bcrypt.
  # shellcheck disable=SC2016
  echo 'operator:$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW' >"$dir/htpasswd"
  printf '%s\n' "version: 0.1" "log: { level: warn }" "auth: { htpasswd: { realm: test, path: '$dir/htpasswd' } }" \
    "storage: { filesystem: { rootdirectory: '$report_dir/registry/data' } }" \
    "http: { addr: '127.0.0.1:$port' }" >"$dir/config.yml"
  setsid docker-registry serve "$dir/config.yml" </dev/null >"$dir/log" 2>&1 3>&- &
  echo $! >"$dir/pid"
  trap "registry_stop '$dir'" EXIT
  await 20 0 curl -sS -o /dev/null "http://127.0.0.1:$port/v2/" || because "the registry does not start"
  printf '{"auths": {"127.0.0.1:%s": {"auth": "%s"}}}\n' "$port" "$(printf 'operator:U*U' | base64)" \
    >"$dir/login/config.json"
  only_pulls "$dir/app" "127.0.0.1:$port/drydock-sample/api:1"
  expect_code 2 drydock -C "$dir/app" run --yes
  expect_contains "what the run says" "$(<"$case_dir/said")" "wants to know who asks; log in with"
  expect_code 0 env DOCKER_CONFIG="$dir/login" drydock -C "$dir/app" run --yes
}

# An engine of its own with room for less than the image.
disk_full_in_pull() {
  local small=$case_dir/small
  mkdir -p "$small"
  mount -t tmpfs -o size=40m tmpfs "$small"
  trap "engine_stop '$small/engine'; umount -l '$small'" EXIT
  engine_start "$small/engine" 3>&- || because "the engine does not start: $(tail -n 3 "$small/engine/log")"
  only_pulls "$case_dir/app" "$registry/drydock-sample/api:1"
  expect_code 2 drydock -C "$case_dir/app" run --yes
  expect_contains "what the run says" "$(<"$case_dir/said")" "the engine has no room for it"
}
