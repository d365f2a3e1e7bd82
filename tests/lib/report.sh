# Test cases in bash: one line each, PASS name, FAIL name: why or SKIP name: why, which tests/run.sh counts.
# Sourced by bash; `case_dir` is a folder of the current case's own.

pass() { printf 'PASS %s\n' "$1"; }
fail() { printf 'FAIL %s: %s\n' "$1" "$2"; }
skip() { printf 'SKIP %s: %s\n' "$1" "$2"; }

# run_case NAME FUNCTION ARGUMENTS...: FUNCTION in a shell of its own, which ends at its first failing
# command. Its output is shown only when it fails.
run_case() {
  local name=$1 began=$SECONDS
  shift
  case_dir=$report_dir/$name
  mkdir -p "$case_dir"
  # Not as a condition of `if` or `||`: bash would ignore `set -e` inside.
  set +e
  (
    set -eE
    trap 'echo "${BASH_SOURCE[0]##*/}:$LINENO: this failed: $BASH_COMMAND" >"$case_dir/why.command"' ERR
    "$@"
  ) >"$case_dir/output" 2>&1
  local code=$?
  set -e
  if [[ $code -eq 0 ]]; then
    pass "$name ($((SECONDS - began)) s)"
    rm -rf "$case_dir"
    return 0
  fi
  sed 's/^/    | /' "$case_dir/output" | tail -n 120
  fail "$name" "$(cat "$case_dir/why" 2>/dev/null || cat "$case_dir/why.command" 2>/dev/null || echo "exit code $code")"
}

# The first reason counts. Ends the case.
because() {
  [[ -e $case_dir/why ]] || printf '%s\n' "$*" >"$case_dir/why"
  printf 'failed: %s\n' "$*"
  exit 1
}

expect_equal() {
  [[ $2 == "$3" ]] && return 0
  diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") || true
  because "$1 differs (- expected, + found): $(diff <(printf '%s\n' "$2") <(printf '%s\n' "$3") | grep '^[<>]' | head -n 4 | tr '\n' ' ')"
}

expect_contains() {
  [[ $2 == *"$3"* ]] && return 0
  printf '%s\n' "$2"
  because "$1 should contain '$3'"
}

# expect_code CODE COMMAND...: its output goes to $case_dir/said as well.
expect_code() {
  local expected=$1 code=0
  shift
  "$@" >"$case_dir/said" 2>&1 </dev/null || code=$?
  printf '$ %s  (exit code %s)\n' "$*" "$code"
  cat "$case_dir/said"
  [[ $code -eq $expected ]] || because "'$*' ended with exit code $code instead of $expected: $(tail -n 1 "$case_dir/said")"
}
