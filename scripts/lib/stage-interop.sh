# Stage interop: real Linux kernels as the nodes (scripts/lab).
# shellcheck shell=bash
stage_interop() {
  local log status=0
  if ! scripts/lab available; then
    skip "Linux kernels as the nodes" "needs root and namespaces; see scripts/lab --help"
    return
  fi
  release_build || { fail "the release build succeeds"; return; }
  log=$(mktemp)
  timeout -k 10 14400 scripts/lab run "$LAB_SET" >"$log" 2>&1 || status=$?
  cat "$log"
  # Its lines: "PASS   0.71s  CLAIM" and "FAIL(1)   0.71s  CLAIM".
  sed -nE 's/^(PASS|FAIL)(\([0-9]+\))? +[0-9.]+s +(.*)/\1\tkernel: \3/p' "$log" >>"$RESULTS"
  grep -qE '^PASS' "$log" || status=1
  rm -f "$log"
  return "$status"
}
