# One rollout to three hosts over ssh: each an sshd of its own on loopback, with a deployment of its own
# of the sample application. Sourced by run.sh.

rollout_hosts=(staging canary rest)
declare -A far_ssh_port far_web_port  # by the host's name

# far_host NAME: an sshd, and what the client has to know of it.
far_host() {
  local name=$1 dir=$far/$1
  far_ssh_port[$name]=$(free_port 2200)
  mkdir -p "$dir/sshd"
  ssh-keygen -q -t ed25519 -N '' -f "$dir/sshd/key"
  cp "$far/ssh/key.pub" "$dir/sshd/authorized_keys"
  cat >"$dir/sshd/config" <<CONFIG
ListenAddress 127.0.0.1:${far_ssh_port[$name]}
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
  Port ${far_ssh_port[$name]}
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
  local name=$1
  local sample=$far/$name/app releases=$far/$name/releases report_dir=$far/$name
  local web_port=${far_web_port[$name]} sample_project=drydock-far-$name
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
  local name
  for name in "${rollout_hosts[@]}"; do
    far_host "$name"
    far_web_port[$name]=$(free_port 8081)
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
    gate: { uses: http-check, with: { url: "http://127.0.0.1:${far_web_port[staging]}/version", json: { /version: "2" } } }
  - { name: canary, environments: [canary] }
  - { name: rest, environments: [rest] }
ROLLOUT
}

far_samples_end() {
  local name
  for name in "${!far_web_port[@]}"; do
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

# --- promotion ----------------------------------------------------------------------------------

# Three environments of this engine that have release 1 and run nothing, and a rollout of what the sample's
# pipeline does before it stops anything: staging, then the canary, then the rest, each once it is approved.
pulling_samples() {
  local name
  remove_sample  # the containers of an earlier case keep its images
  pulling=$case_dir/pulling
  mkdir -p "$pulling"
  cp -r "$repository/pipelines/sample/releases" "$pulling/releases"
  sed -n '/uses: env-sync/,/with:/d; 1,/uses: pull/p' "$repository/pipelines/sample/drydock.yaml" >"$pulling/sample.yaml"
  for name in "${rollout_hosts[@]}" by-hand; do
    mkdir "$pulling/$name"
    cp "$pulling"/releases/1/{docker-compose.yaml,.env.example} "$pulling/$name/"
    sed "s|^REGISTRY=.*|REGISTRY=$registry|" "$pulling/$name/.env.example" >"$pulling/$name/.env"
    printf 'COMPOSE_PROJECT_NAME=drydock-pulling-%s\n' "$name" >>"$pulling/$name/.env"
  done
  cat >"$pulling/rollout.yaml" <<'ROLLOUT'
drydock: 1
rollout: pulling
pipeline: sample.yaml
defaults: { vars: { to: "2" } }
environments: { staging: { dir: staging }, canary: { dir: canary }, rest: { dir: rest } }
waves:
  - { name: staging, environments: [staging], approve: true }
  - { name: canary, environments: [canary], approve: true }
  - { name: rest, environments: [rest] }
ROLLOUT
}

# What the registry has under a tag: digest_in_registry TIER:TAG
digest_in_registry() {
  curl -fsS -o /dev/null -D - -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' \
    "http://$registry/v2/drydock-sample/${1%:*}/manifests/${1#*:}" |
    tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p'
}

# move_tag FROM TO: in the registry, as who pushes it anew does; no host has heard of it.
move_tag() {
  docker tag "$registry/drydock-sample/$1" "$registry/drydock-sample/$2"
  docker push --quiet "$registry/drydock-sample/$2"
  forget_pulled_images
}

# The digest of the image that a tag of this engine means.
digest_here() {
  docker image inspect --format '{{join .RepoDigests "\n"}}' "$registry/drydock-sample/$1" |
    sed -n "s|^$registry/drydock-sample/${1%:*}@||p"
}

digest_of_run() {
  drydock -C "$pulling/$1" show 1 --json | /usr/bin/python3 -c '
import json, sys
for stage in json.load(sys.stdin)["stages"]:
    if "digests" in stage["outputs"]: print(json.loads(stage["outputs"]["digests"])["api"])'
}

# Takes the image with that digest from the registry, and gives it back.
revision_in_registry() {
  echo "$report_dir/registry/data/docker/registry/v2/repositories/drydock-sample/api/_manifests/revisions/sha256/${1#*:}"
}
take_from_registry() { mv "$(revision_in_registry "$1")" "$case_dir/taken"; }
give_back_to_registry() { [[ ! -e $case_dir/taken ]] || mv "$case_dir/taken" "$(revision_in_registry "$1")"; }

# The cases after this one find release 2 again.
give_back_tag() {
  local api=$registry/drydock-sample/api
  give_back_to_registry "$1"
  docker pull --quiet "$api@$1"
  docker tag "$api@$1" "$api:2"
  docker push --quiet "$api:2"
  forget_pulled_images
}

# The tag is moved in the registry between two waves: who comes by hand gets what it means now, the next
# wave what staging has verified; and nothing else when the registry has that no more.
rollout_promotes_digests() {
  pulling_samples
  local verified moved
  verified=$(digest_in_registry api:2)
  trap "give_back_tag $verified" EXIT
  forget_pulled_images
  expect_code 6 drydock rollout run "$pulling/rollout.yaml" --yes --until approval
  expect_equal "what staging has" "$verified" "$(digest_of_run staging)"
  move_tag api:1 api:2
  moved=$(digest_in_registry api:2)
  [[ $moved != "$verified" ]] || because "the tag was not moved"
  expect_code 0 drydock -C "$pulling/by-hand" run "$pulling/sample.yaml" --var to=2 --yes
  expect_equal "what a run by hand has" "$moved" "$(digest_of_run by-hand)"
  forget_pulled_images
  expect_code 0 drydock rollout approve "$pulling/rollout.yaml" --wave staging
  expect_code 6 drydock rollout resume "$pulling/rollout.yaml" --until approval
  expect_equal "what the canary has" "$verified" "$(digest_of_run canary)"
  expect_equal "what its tag means" "$verified" "$(digest_here api:2)"
  forget_pulled_images
  take_from_registry "$verified"
  expect_code 0 drydock rollout approve "$pulling/rollout.yaml" --wave canary
  expect_code 1 drydock rollout resume "$pulling/rollout.yaml"
  expect_contains "what the rollout says" "$(tr -s ' \n' '  ' <"$case_dir/said")" "$verified"
  expect_equal "the image of the rest" "" "$(docker images -q "$registry/drydock-sample/api:2")"
}
