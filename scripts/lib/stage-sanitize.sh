# Stage sanitize: the tests of the data plane again under the address sanitizer; Package.swift says what else is
# left out. A run counts once. The thread sanitizer does not know the futex behind Synchronization's Mutex and calls
# everything it protects a race.
# shellcheck shell=bash
. "$ROOT/scripts/lib/stage-unit.sh"
# sanitizer_build KIND: apart from the tests, as it takes many times as long and has no limit.
sanitizer_build() { DATA_PLANE=1 swift build --build-tests --sanitize "$1" --scratch-path ".build/$1"; }
sanitized() {
  local log status=0
  log=$(mktemp)
  # Leaks are not looked for: the tables of the Swift runtime hide their pointers from that search.
  ASAN_OPTIONS=detect_leaks=0 DATA_PLANE=1 swift_tests "$log" --skip-build --sanitize "$1" --scratch-path ".build/$1" || status=$?
  grep -E 'ERROR: .*Sanitizer|WARNING: ThreadSanitizer' -A 20 "$log" | head -n 60
  grep -E ' (failed after|recorded an issue)' "$log" | head -n 20
  if ((status)); then tail -n 20 "$log"; fi
  ((status == 0)) && grep -qE ' Test run with [1-9][0-9]* test.* passed after' "$log" || status=1
  rm -f "$log"
  return "$status"
}
stage_sanitize() {
  quietly "building the tests with the address sanitizer" sanitizer_build address ||
    { fail "the tests build with the address sanitizer"; return; }
  claim "the tests of the data plane pass under the address sanitizer" sanitized address
}
