# Stage interop: a real Linux kernel logs in (scripts/lab), where the laboratory is.
# shellcheck shell=bash
laboratory_is_there() {
  local directory
  for directory in "${LAB_DIR-}" "$ROOT"/../{lab,shared/lab}; do
    if [[ -n $directory && -x $directory/lab ]]; then return 0; fi
  done
  return 1
}
stage_interop() {
  local log status=0
  if ((EUID == 0)) && laboratory_is_there; then
    need user-mode-linux kmod open-iscsi sg3-utils bc e2fsprogs iproute2 fence-agents
  fi
  if ! scripts/lab --available; then
    skip "a Linux kernel as the initiator" "needs user-mode Linux and the laboratory; see scripts/lab --help"
    return
  fi
  release_build || { fail "the release build succeeds"; return; }
  log=$(mktemp)
  timeout -k 10 900 scripts/lab >"$log" 2>&1 || status=$?
  cat "$log"
  # Lines of the laboratory: "PASS   0.71s  NAME" and "FAIL(1)   0.71s  NAME".
  sed -nE 's/^(PASS|FAIL)(\([0-9]+\))? +[0-9.]+s +(.*)/\1\tkernel: \3/p' "$log" >>"$RESULTS"
  grep -qE '^PASS' "$log" || status=1
  rm -f "$log"
  return "$status"
}
