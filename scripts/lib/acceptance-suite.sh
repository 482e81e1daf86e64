# Sourced by scripts/acceptance: families of libiscsi's iscsi-test-cu as claims.
# shellcheck shell=bash
FAMILIES=(TestUnitReady Inquiry Mandatory ModeSense6 ReadCapacity10 ReadCapacity16
  Read6 Read10 Read12 Read16 Write10 Write12 Write16 Verify10 Verify12 Verify16
  WriteVerify10 WriteVerify12 WriteVerify16 CompareAndWrite OrWrite WriteAtomic16
  Unmap WriteSame10 WriteSame16 GetLBAStatus Prefetch10 Prefetch16 StartStopUnit NoMedia PreventAllow
  ReadOnly ReportSupportedOpcodes Reserve6 PrinReadKeys PrinServiceactionRange PrinReportCapabilities
  ProutRegister ProutReserve ProutClear ProutPreempt ExtendedCopy ReceiveCopyResults
  iSCSIcmdsn iSCSIdatasn iSCSIResiduals iSCSITMF iSCSISendTargets)

# verdicts LOG: "passed", "skipped", "failed" or "noresult" and the test's name, one line each.
# CUnit calls a test that skips itself passed, and a test without a verdict died. The suite reads the
# reservation keys around every test and says [SKIPPED] where there are none: that is no verdict.
verdicts() {
  awk '
    function flush() { if (test != "") print (verdict == "passed" && skips ? "skipped" : verdict), suite "." test; test = "" }
    /^Suite: /        { flush(); suite = $2 }
    /^  Test: .* \.\.\./ { flush(); test = $2; verdict = "noresult"; skips = 0; sub(/^  Test: .* \.\.\./, "") }
    /^Run Summary/    { flush() }
    test == ""        { next }
    /^passed/         { if (verdict == "noresult") verdict = "passed" }
    /^FAILED/         { if (verdict == "noresult") verdict = "failed" }
    /\[SKIPPED\] PERSISTENT RESERVE IN/ && suite !~ /^Pr(in|out)/ { next }
    /\[SKIPPED\]/     { skips = 1 }
    END               { flush() }' "$1"
}

# A family passes if it ran, no test failed and none is without result.
family() {
  local name=$1 log=$WORK/cu.log tests passed skipped failed status=0
  LIMIT=180 bounded iscsi-test-cu --dataloss --verbose --test="ALL.$name" "$(url suite)" >"$log" 2>&1 || status=$?
  tests=$(verdicts "$log")
  passed=$(grep -c ^passed <<<"$tests") skipped=$(grep -c ^skipped <<<"$tests")
  failed=$(grep -cE '^(failed|noresult)' <<<"$tests")
  if ((failed == 0 && passed > 0 && status == 0)); then
    pass "$ENGINE: iscsi-test-cu $name: $passed passed, $skipped skipped"
  elif ((failed == 0 && skipped > 0 && status == 0)); then
    skip "$ENGINE: iscsi-test-cu $name" "all $skipped skip themselves: $(sed -n 's/.*\[SKIPPED\] *//p' "$log" |
      grep -v '^PERSISTENT RESERVE IN' | head -1)"
  else
    fail "$ENGINE: iscsi-test-cu $name: $passed passed, $skipped skipped, $failed failed (exit status $status)"
    grep -E '^(failed|noresult)' <<<"$tests" | sed 's/^/      /'
    grep -E '\[FAILED\]|^ +[0-9]+\. ' "$log" | head -20 | sed 's/^/      /'
  fi
  tests_run=$((tests_run + passed)) tests_skipped=$((tests_skipped + skipped)) tests_failed=$((tests_failed + failed))
}

claims_suite() {
  local name listed tests_run=0 tests_skipped=0 tests_failed=0 directory=$WORK/$ENGINE-suite
  claim "$ENGINE: the daemon serves for the suite" serve "$directory" || return
  listed=$(iscsi-test-cu -l)
  for name in "${FAMILIES[@]}"; do
    grep -qx "ALL.$name" <<<"$listed" && family "$name"
  done
  printf '      %s: %s tests passed, %s skipped, %s failed or without result\n' \
    "$ENGINE" "$tests_run" "$tests_skipped" "$tests_failed"
  claim "$ENGINE: the daemon is still there after the suite" running "$PID"
  stop "$PID"
}
