# Counts what passed, failed and was skipped, over ctest and over cases in bash. Sourced by bash.

passed=0
failed=0
skipped=0
failed_names=()
skipped_names=()
tally_dir=$(mktemp -d)
trap 'rm -rf "$tally_dir"' EXIT

# run_ctest BUILD_DIR CTEST_OPTIONS...: every test that ctest knows there.
run_ctest() {
  local build=$1 report=$tally_dir/ctest.xml code=0 counts total
  shift
  rm -f "$report"
  ctest --test-dir "$build" --parallel "$(nproc)" --output-on-failure --timeout 300 --no-tests=error \
    --output-junit "$report" "$@" | grep -vE '^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test +#.* Passed )' || code=$?
  if [[ ! -s $report ]]; then
    fatal "ctest found no tests in $build or wrote no report"
  fi
  # <testsuite ... tests="" failures="" disabled="" skipped="" ...>, one attribute a line.
  counts=$(grep -oE '(tests|failures|disabled|skipped)="[0-9]+"' "$report" | head -n 4)
  count_of() { sed -nE "s/^$1=\"([0-9]+)\"$/\1/p" <<<"$counts"; }
  total=$(count_of tests)
  local bad not_run
  bad=$(count_of failures)
  not_run=$(($(count_of disabled) + $(count_of skipped)))
  passed=$((passed + total - bad - not_run))
  failed=$((failed + bad))
  skipped=$((skipped + not_run))
  mapfile -t -O "${#failed_names[@]}" failed_names < <(names_with_status fail "$report")
  mapfile -t -O "${#skipped_names[@]}" skipped_names < <(names_with_status '(notrun|disabled)' "$report")
}

names_with_status() {
  grep -oE "<testcase name=\"[^\"]*\"[^>]* status=\"$1\"" "$2" | sed -E 's/<testcase name="([^"]*)".*/\1/'
}

# run_cases SCRIPT ARGUMENTS...: counts its PASS, FAIL and SKIP lines. A script that itself fails, or
# says nothing, is one failure.
run_cases() {
  local line code cases=0
  while IFS= read -r line; do
    case $line in
      'PASS '*) passed=$((passed + 1)) cases=$((cases + 1)) ;;
      'FAIL '*) failed=$((failed + 1)) cases=$((cases + 1)) failed_names+=("${line#FAIL }") ;;
      'SKIP '*) skipped=$((skipped + 1)) cases=$((cases + 1)) skipped_names+=("${line#SKIP }") ;;
      'EXIT '*) code=${line#EXIT }; continue ;;
    esac
    printf '%s\n' "$line"
  done < <("$@"; echo "EXIT $?")
  if [[ $code -ne 0 || $cases -eq 0 ]]; then
    failed=$((failed + 1))
    failed_names+=("$1: ended with exit code $code after $cases cases")
  fi
}

fatal() {
  failed=$((failed + 1))
  failed_names+=("$*")
  finish
}

# The lists, the one line, and the exit code.
finish() {
  local name
  for name in "${skipped_names[@]}"; do printf 'skipped: %s\n' "$name"; done
  for name in "${failed_names[@]}"; do printf 'FAILED: %s\n' "$name"; done
  printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
  [[ $failed -eq 0 ]] || exit 1
  exit 0
}
