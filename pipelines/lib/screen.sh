# What the quickstart says, and how. Sourced by bash. `log` names the file that gets what long steps print.

say() { printf '%s\n' "$*"; }
die() {
  printf '%s\n' "quickstart: $*" >&2
  exit 1
}

# step TEXT COMMAND...: one line a step: TEXT ... SECONDS s. What COMMAND prints goes to $log; a failure
# shows the end of that. COMMAND runs in this shell, so that it may set variables.
step() {
  local text=$1 began=$SECONDS ticker= code=0
  shift
  printf '%s ... ' "$text"
  if [[ -t 1 ]]; then
    (while sleep 1; do printf '\r%s ... %s s' "$text" $((SECONDS - began)); done) &
    ticker=$!
  fi
  printf '\n== %s: %s\n' "$text" "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null || code=$?
  if [[ $ticker ]]; then
    kill "$ticker"
    wait "$ticker" 2>/dev/null || true
    printf '\r%s ... ' "$text"
  fi
  if [[ $code -eq 0 ]]; then
    printf '%s s\n' $((SECONDS - began))
  else
    printf 'failed\n'
  fi
  return $code
}

# must_step TEXT COMMAND...: a step without which there is no story.
must_step() {
  if ! step "$@"; then
    tail -n 25 "$log" >&2
    die "'$1' failed; all of its output is in $log"
  fi
}

# shown EXPECTED_CODE COMMAND...: shows a command as one would type it, runs it, and checks its exit code.
shown() {
  local expected=$1 code=0
  shift
  printf '\n$ %s\n' "$*"
  "$@" </dev/null || code=$?
  [[ $code -eq $expected ]] || die "'$*' ended with exit code $code instead of $expected"
}
