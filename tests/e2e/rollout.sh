# One rollout to three hosts over ssh: each an sshd of its own on loopback, with a deployment of its own
# of the sample application. Sourced by run.sh.

rollout_hosts=(staging canary rest)

# far_host N NAME: an sshd, and what the client has to know of it.
far_host() {
  local number=$1 name=$2 dir=$far/$2
  mkdir -p "$dir/sshd"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/sshd/key"
  cp "$far/ssh/key.pub" "$dir/sshd/authorized_keys"
  cat >"$dir/sshd/config" <<CONFIG
ListenAddress 127.0.0.1:$((2200 + number))
HostKey $dir/sshd/key
AuthorizedKeysFile $dir/sshd/authorized_keys
PidFile $dir/sshd/pid
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv "PATH=$PATH" "HOME=$dir" "DOCKER_HOST=$DOCKER_HOST" "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR"
CONFIG
  cat >>"$far/ssh/config" <<CONFIG
Host $name
  HostName 127.0.0.1
  Port $((2200 + number))
  User $(id -un)
  HostKeyAlias $name
  IdentityFile $far/ssh/key
  IdentitiesOnly yes
  UserKnownHostsFile $far/ssh/known_hosts
CONFIG
  echo "$name $(cut -d' ' -f1,2 "$dir/sshd/key.pub")" >>"$far/ssh/known_hosts"
  "$sshd" -f "$dir/sshd/config" -E "$dir/sshd/log"
  await 10 0 test -s "$dir/sshd/pid"
}

# What is connected to a host is lost.
cut_links() { pkill -KILL -P "$(<"$far/$1/sshd/pid")" || because "no link to $1 could be cut"; }

# at_host NAME COMMAND...: a function of sample.sh, for the sample on that host.
at_host() {
  local name=$1 number
  for number in "${!rollout_hosts[@]}"; do
    [[ ${rollout_hosts[number]} != "$name" ]] || break
  done
  local sample=$far/$name/app releases=$far/$name/releases report_dir=$far/$name
  local web_port=$((8081 + number)) sample_project=drydock-far-$name
  local url=http://127.0.0.1:$web_port
  "${@:2}"
}

# Three hosts with release 1, and a rollout to release 2.
far_samples() {
  sshd=$(command -v sshd || command -v /usr/sbin/sshd) || because "there is no sshd"
  remove_sample
  far=$report_dir/far
  rm -rf "$far"
  mkdir -p "$far/ssh" /run/sshd
  trap 'far_samples_end' EXIT
  ssh-keygen -q -t ed25519 -N '' -f "$far/ssh/key"
  local number name
  for number in "${!rollout_hosts[@]}"; do
    name=${rollout_hosts[number]}
    far_host "$number" "$name"
    at_host "$name" fresh_sample
  done
  # Nothing of the pipeline is on the hosts.
  rm "$far"/*/app/drydock.yaml
  cp "$repository/pipelines/sample/drydock.yaml" "$far/sample.yaml"
  cat >"$far/rollout.yaml" <<ROLLOUT
drydock: 1
rollout: sample
pipeline: sample.yaml
ssh: { command: [ssh, -F, ssh/config] }
defaults: { vars: { to: "2" } }
environments:
  staging: { host: staging, dir: $far/staging/app }
  canary:  { host: canary, dir: $far/canary/app }
  rest:    { host: rest, dir: $far/rest/app }
waves:
  - name: staging
    environments: [staging]
    gate: { uses: http-check, with: { url: "http://127.0.0.1:8081/version", json: { /version: "2" } } }
  - { name: canary, environments: [canary] }
  - { name: rest, environments: [rest] }
ROLLOUT
}

far_samples_end() {
  local name
  for name in "${rollout_hosts[@]}"; do
    kill "$(<"$far/$name/sshd/pid")" 2>/dev/null || true
    at_host "$name" remove_sample || true
  done
  rm -rf "$far"
}

version_at() { expect_contains "the version on $1" "$(at_host "$1" about)" "\"version\":\"$2\""; }

runs_at() {
  expect_equal "the runs on $1" "$2" "$(drydock -C "$far/$1/app" history --json |
    grep -o '"state": "[^"]*"' | cut -d'"' -f4 | tr '\n' ' ' | sed 's/ $//')"
}

# Staging passes, the canary fails and is rolled back, and nothing else is touched; then the release is
# mended, and goes through.
rollout_over_ssh() {
  far_samples
  sed -i '/^  web:/,/^  api:/ { s|test: .*|test: [CMD, "false"]|; s|retries: .*|retries: 2| }' \
    "$far/canary/releases/2/docker-compose.yaml"
  local canary rest
  canary=$(at_host canary picture)
  rest=$(at_host rest picture)
  expect_code 0 drydock rollout plan "$far/rollout.yaml"
  expect_contains "the plan" "$(<"$case_dir/said")" "3 environments asked"
  expect_code 1 drydock rollout run "$far/rollout.yaml" --yes
  version_at staging 2
  expect_equal "the canary after its rollback" "$canary" "$(at_host canary picture)"
  expect_equal "the rest" "$rest" "$(at_host rest picture)"
  runs_at canary rolled_back
  runs_at rest ""
  cp "$repository/pipelines/sample/releases/2/docker-compose.yaml" "$far/canary/releases/2/"
  expect_code 0 drydock rollout resume "$far/rollout.yaml" --retry failed
  version_at canary 2
  version_at rest 2
  runs_at staging "done"
  runs_at canary "done rolled_back"
  runs_at rest "done"
}

# rollout_at NAME EVENT STAGE COMMAND...: at that event of that host's run.
rollout_at() {
  local run_pid=$rollout_pid events=$far/$1/app/.drydock/logs/1/events.jsonl
  at_event "$2" "$3" run "${@:4}"
}

start_rollout() {
  "$@" >>"$case_dir/rollout" 2>&1 </dev/null &
  rollout_pid=$!
}

kill_rollout() {
  kill -KILL "$rollout_pid"
  wait "$rollout_pid" || true
}

# Links are cut in the middle of a migration and of a start, and the supervisor is killed in between:
# every host is upgraded once.
rollout_with_cut_links() {
  far_samples
  start_rollout drydock rollout run "$far/rollout.yaml" --yes
  rollout_at staging step.started migrate cut_links staging
  rollout_at staging step.started compose-up cut_links staging
  rollout_at canary step.started backup kill_rollout
  expect_code 4 drydock rollout status "$far/rollout.yaml"
  cut_links canary || true
  start_rollout drydock rollout resume "$far/rollout.yaml"
  rollout_at rest step.started migrate cut_links rest
  local code=0
  wait "$rollout_pid" || code=$?
  cat "$case_dir/rollout"
  expect_equal "the exit code of the rollout" 0 "$code"
  local name
  for name in "${rollout_hosts[@]}"; do
    version_at "$name" 2
    runs_at "$name" "done"
  done
}
