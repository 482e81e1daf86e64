# Stage acceptance: the real daemon, driven by libiscsi and QEMU (scripts/acceptance).
# shellcheck shell=bash
stage_acceptance() {
  local engines=()
  release_build || { fail "the release build succeeds"; return; }
  pass "the release build succeeds"
  # For one test of libiscsi's, which wants a slow disk.
  faulty_build || { fail "the build with faults succeeds"; return; }
  if [[ -n $QUICK ]]; then engines=(--engine uring); fi
  timeout -k 10 3600 scripts/acceptance ${engines[@]+"${engines[@]}"}
}
