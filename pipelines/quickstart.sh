#!/usr/bin/env bash
# Shows Drydock at work: builds it, starts a sample application with a database, upgrades it from release
# 1 to 2, and lets the upgrade to release 3 fail, which puts release 2 and its data back.
#
#   quickstart.sh              with containers; without, where no container engine can run
#   quickstart.sh --embedded   without containers: a local process and a SQLite database
#   quickstart.sh --rollout    three such environments, which one rollout upgrades in waves
#   quickstart.sh --clean      stops and removes everything that a quickstart made
#
# It can be run again at any time. All it makes is in build/ (or in $DRYDOCK_QUICKSTART_DIR), but for one
# root filesystem for the images in the user's cache folder.
set -euo pipefail

repository=$(cd "$(dirname "$0")/.." && pwd)
state=${DRYDOCK_QUICKSTART_DIR:-$repository/build/quickstart}
mkdir -p "$state"
state=$(cd "$state" && pwd)
log=$state/quickstart.log
registry= url= deployment=

. "$repository/pipelines/lib/screen.sh"
. "$repository/pipelines/lib/engine.sh"
. "$repository/pipelines/lib/sample.sh"
. "$repository/pipelines/lib/quickstart_containers.sh"
. "$repository/pipelines/lib/quickstart_embedded.sh"

random_key() { od -An -N 24 -tx1 /dev/urandom | tr -d ' \n'; }

story=containers
case ${1:-} in
  '') ;;
  --embedded) story=embedded ;;
  --rollout) story=rollout ;;
  --clean) story=clean ;;
  -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
  *) die "unknown option '$1'; known are --embedded, --rollout and --clean" ;;
esac

# --- getting ready ------------------------------------------------------------------------------

build() (
  cd "$repository"
  cmake --preset release && cmake --build --preset release --target product
)

# Sets `left_out` to why the story is told without containers.
left_out=
prepare_containers() {
  if ! "$repository/pipelines/install-dependencies.sh" --engine; then
    left_out="Docker, Compose and what builds images could not be installed"
  elif ! step "Finding a container engine" find_engine; then
    left_out="no container engine can run here (details: $log)"
  elif ! step "Starting a registry on 127.0.0.1" find_registry; then
    left_out="no registry could be started (details: $log)"
  elif ! step "Building the sample's images from Debian packages" \
    "$repository/pipelines/sample/build-images.sh" "$registry"; then
    left_out="the sample's images could not be built and pushed (details: $log)"
  fi
  [[ ! $left_out ]]
}

prepare_embedded() {
  "$repository/pipelines/install-dependencies.sh" --embedded || exit 1
}

# --- the sample, seen from outside --------------------------------------------------------------

add_note() {
  curl -fsS -o /dev/null -H 'Content-Type: application/json' -d "{\"text\": \"$1\"}" "$url/notes"
}
notes() { curl -fsS "$url/notes"; }
about() { curl -fsS "$url/version"; }
expect_release() {
  about | grep -q "\"version\":\"$1\"" || die "release $1 should be running, and $url/version says: $(about)"
}

# --- the story ----------------------------------------------------------------------------------

tell() {
  local before after
  for text in "Mind the gap" "Fish on Friday" "Paint the hull"; do add_note "$text"; done
  say
  say "Release 1 runs on $url: $(about)"
  export PATH=$repository/build/bin:$PATH

  shown 0 drydock -C "$deployment" init
  shown 0 drydock -C "$deployment" plan --var to=2
  shown 0 drydock -C "$deployment" run --var to=2 --yes
  expect_release 2
  before=$(notes)
  [[ $(grep -o '"text"' <<<"$before" | wc -l) -eq 3 ]] || die "release 2 should have the 3 notes of release 1, and has: $before"

  say
  say "Release 2 runs with all notes. Release 3's migration changes the database and then fails:"
  shown 1 drydock -C "$deployment" run --var to=3 --yes
  expect_release 2
  after=$(notes)
  [[ $after == "$before" ]] || die "the notes changed from $before to $after"
  say
  say "Release 2 is back by itself, healthy, and its notes are equal byte by byte:"
  say "  $(about)"
}

expect_releases() {
  local environment
  for environment in "${rollout_environments[@]}"; do
    url=${urls[$environment]}
    expect_release "$1"
  done
}

tell_rollout() {
  local environment text
  export PATH=$repository/build/bin:$PATH
  expect_releases 1
  for environment in "${rollout_environments[@]}"; do
    url=${urls[$environment]}
    for text in "Mind the gap" "Fish on Friday" "Paint the hull"; do add_note "$text"; done
  done
  say
  say "Three environments run release 1: ${urls[*]}"
  shown 0 drydock rollout plan "$embedded/rollout.yaml" --var to=2
  shown 0 drydock rollout run "$embedded/rollout.yaml" --var to=2 --yes
  expect_releases 2
  say
  say "All run release 2. Release 3's migration fails in the first wave, and goes no further:"
  shown 1 drydock rollout run "$embedded/rollout.yaml" --var to=3 --yes
  expect_releases 2
  shown 0 drydock rollout status "$embedded/rollout.yaml" --all
}

write_environment() {
  {
    printf 'export PATH=%q:$PATH\n' "$repository/build/bin"
    if [[ $story == containers ]]; then environment_lines; fi
    printf 'cd %q\n' "$deployment"
  } >"$state/environment"
}

what_next() {
  say
  [[ ! $left_out ]] || say "Left out, because $left_out: containers, images, a registry and PostgreSQL."
  say "Try next:"
  printf '  %-44s# %s\n' ". ${state#"$PWD"/}/environment" "drydock on the PATH, and into the sample's folder" \
    "drydock history" "both runs" \
    "drydock show 2" "what failed, and what was put back" \
    "drydock stages" "what a pipeline is made of" \
    "${0#"$PWD"/} --rollout" "(in the checkout) the same for three environments" \
    "less drydock.yaml" "the pipeline that has just run" \
    "${0#"$PWD"/} --clean" "(in the checkout) stops and removes all of this"
}

# ------------------------------------------------------------------------------------------------

: >>"$log"

if [[ $story == clean ]]; then
  clean_containers >>"$log" 2>&1
  remove_embedded
  rm -rf "$state"
  say "Removed $state. The images' root filesystem stays in ${XDG_CACHE_HOME:-$HOME/.cache}/drydock."
  exit 0
fi

"$repository/pipelines/install-dependencies.sh" || exit 1
must_step "Building Drydock (a few minutes the first time)" build
if [[ $story == rollout ]]; then
  prepare_embedded
  must_step "Removing what an earlier quickstart left" remove_embedded
  must_step "Starting release 1 in three environments" start_rollout_environments
  tell_rollout
  say
  say "Look on: drydock rollout history -C ${embedded#"$PWD"/}; \`${0#"$PWD"/} --clean\` removes all of this."
  exit 0
fi
if [[ $story == containers ]] && ! prepare_containers; then
  say "No containers here: $left_out. The same story follows with a local process and SQLite."
  story=embedded
elif [[ $story == embedded ]]; then
  left_out="--embedded was asked for"
fi
if [[ $story == containers ]]; then
  deployment=$sample
  must_step "Removing what an earlier quickstart left" remove_sample
  must_step "Starting release 1" start_release_1
else
  deployment=$local_sample
  prepare_embedded
  must_step "Removing what an earlier quickstart left" remove_embedded
  must_step "Starting release 1" start_embedded_release_1
fi
tell
write_environment
what_next
