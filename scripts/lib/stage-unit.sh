# Stage unit: every Swift test. Each test counts once; a run that breaks off counts as a failure.
# shellcheck shell=bash
SERVICES='^(AdministrationServer|TargetDaemon|TgtCommands)Tests\.'
# swift_tests LOG [OPTION...]: run them; the output is kept in LOG.
swift_tests() {
  local log=$1; shift
  timeout -k 10 "${TEST_TIMEOUT:-3600}" swift test --disable-xctest "$@" >"$log" 2>&1
}
# outcomes LOG WORD: the names of the tests whose line ends so, whatever symbol stands before it:
#   <symbol> Test "a claim" passed after 0.1 seconds.
#   <symbol> Test claim(_:) with 3 test cases failed after 0.1 seconds with 1 issue.
#   <symbol> Test claim() skipped: "why"
outcomes() {
  local ending="$2 after [0-9.]+ seconds( with [^\"]*)?\\.$"
  if [[ $2 = skipped ]]; then ending='skipped(: ".*")?\.?$'; fi
  sed -nE "/ Test (run with|case) /d; s/^[^[:alnum:]]+ Test (.*) $ending/\1/p" "$1"
}
# tally LOG STATUS: one record for each test of a run, and a failure if the run does not add up.
tally() {
  local log=$1 status=$2 name total seen=0
  while IFS= read -r name; do record PASS "$name"; seen=$((seen + 1)); done < <(outcomes "$log" passed)
  printf '      %s tests passed\n' "$seen"
  while IFS= read -r name; do skip "$name" "disabled here"; seen=$((seen + 1)); done < <(outcomes "$log" skipped)
  while IFS= read -r name; do fail "$name"; seen=$((seen + 1)); done < <(outcomes "$log" failed)
  total=$(sed -nE 's/^[^[:alnum:]]+ Test run with ([0-9]+) tests? .*(passed|failed) after .*/\1/p' "$log" | tail -1)
  if [[ -z $total ]]; then
    fail "the test run ends (exit status $status)"
  elif ((total != seen)); then
    fail "every test of the run has an outcome ($seen of $total)"
  elif ((status)) && [[ -z $(outcomes "$log" failed) ]]; then
    fail "the test run exits 0 (exit status $status)"
  fi
}
# complaints LOG: what failed, each cut to a few lines; the end of a run that broke off.
complaints() {
  if [[ -n $(outcomes "$1" failed) ]]; then
    grep -E ' (recorded an issue|failed after)' -A 3 "$1" | grep -vE ' (passed after|started|Test case passing)' | cut -c1-500 | head -n 60
  else
    tail -n 60 "$1" | cut -c1-500
  fi | sed 's/^/      /'
}
# tallied [OPTION...]: one run of the tests, counted.
tallied() {
  local log status=0
  log=$(mktemp)
  swift_tests "$log" "$@" || status=$?
  tally "$log" "$status"
  if ((status)); then complaints "$log"; fi
  rm -f "$log"
}
stage_unit() {
  quietly "building the tests" swift build --build-tests || { fail "the tests build"; return; }
  pass "the tests build without a warning"
  # Services are tested apart: they would wait for processors that the proofs of the models keep busy.
  tallied --skip-build --skip "$SERVICES"
  tallied --skip-build --filter "$SERVICES"
}
