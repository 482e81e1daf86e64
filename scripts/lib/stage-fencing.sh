# Stage fencing: the real daemon, its store slowed down inside (SWIFT_TGTD_FAULTS, which
# debug builds have) and below the kernel (scripts/proof.d/slowfs.c), and killed in the midst of everything.
#   FENCING_RACES=200 FENCING_KILLS=50 FENCING_TABLES=200   how many rounds of each
# shellcheck shell=bash
FENCING_PACKAGES=(gcc libc6-dev pkg-config libiscsi-dev libfuse3-dev fuse3)

proof_tools_compile() {
  local fuse
  read -ra fuse < <(pkg-config --cflags --libs fuse3)
  cc -O2 -Wall -Wextra -Werror -o "$WORK/proof" scripts/proof.d/{proof,race,slow,table}.c -liscsi &&
    cc -O2 -Wall -Wextra -Werror -o "$WORK/slowfs" scripts/proof.d/slowfs.c "${fuse[@]}"
}
knows_no_faults() { ! grep -q SWIFT_TGTD_FAULTS "$1"; }

# proofs ROUNDS JOBS PROOF [OPTION...]: the rounds shared by so many daemons at once, every second one on
# the other engine. One line of each that ends; all of a log where one fails.
proofs() {
  local rounds=$1 jobs=$2 proof=$3 job directory pids=() engines=(uring aio) more status=0; shift 3
  for ((job = 0; job < jobs; job++)); do
    directory=$(mktemp -d "$WORK/$proof.XXXX") || return
    "${PREPARE:-true}" "$directory" || return
    read -ra more < <(proof_options "$directory" "$job")
    timeout 900 "$WORK/proof" "$proof" --tgtd "$FAULTY_TGTD" --dir "$directory" --seed "$((job + 1))" \
      --rounds "$(((rounds + jobs - 1) / jobs))" --engine "${engines[job % 2]}" \
      ${more[@]+"${more[@]}"} "$@" >"$directory/out" 2>&1 &
    pids+=("$!:$directory")
  done
  for job in "${pids[@]}"; do
    directory=${job#*:}
    if wait "${job%%:*}"; then
      cat "$directory/out"
    else
      status=1
      cat "$directory/out"; tail -n 20 "$directory/log"
    fi
    "${CLEAN_UP:-true}" "$directory"
  done
  return "$status"
}
proof_options() {
  if [[ -n ${PREPARE-} ]]; then
    echo "--file $1/mnt/disk --status $1/mnt/status --cache $( (($2 / 2 % 2)) && echo writeback || echo none)"
  elif (($2 % 3 == 1)); then
    echo "--cache writethrough"
  else
    echo
  fi
}

mount_slow() {
  truncate -s 4M "$1/backing" && mkdir "$1/mnt" || return
  "$WORK/slowfs" "$1/backing" 300-900 "$1/mnt" -f -o max_threads=64 >"$1/slowfs.log" 2>&1 &
  echo $! >"$1/slowfs.pid"
  until_ok 20 test -e "$1/mnt/disk"
}
unmount_slow() { until_ok 10 fusermount3 -u "$1/mnt" || kill -KILL "$(cat "$1/slowfs.pid")"; }
slow_proofs() { PREPARE=mount_slow CLEAN_UP=unmount_slow proofs "$@"; }

stage_fencing() {
  local races=200 kills=50 tables=200
  if [[ -n $QUICK ]]; then races=24 kills=6 tables=20; fi
  races=${FENCING_RACES:-$races} kills=${FENCING_KILLS:-$kills} tables=${FENCING_TABLES:-$tables}
  need "${FENCING_PACKAGES[@]}"
  release_build || { fail "the release build succeeds"; return; }
  claim "what ships cannot be told to fail" knows_no_faults "$TGTD"
  faulty_build || { fail "the build with faults succeeds"; return; }
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/fencing.XXXXXX") || return
  if claim "the tools of the proofs compile without a warning" proof_tools_compile; then
    told "delayed writes: nothing changes after the answer to the fence: $races races" proofs "$races" 8 race
    told "the look at the file sees a late write: changes since before the fence" proofs 8 2 race --control
    if [[ -w /dev/fuse ]]; then
      told "a killed daemon's writes: the unit waits for them, none lands after the fence: $kills kills" \
        slow_proofs "$kills" 4 slow --delay 900
    else
      skip "a killed daemon's writes on a slow medium" "no /dev/fuse"
    fi
    told "a killed daemon's reservations: as last answered, or with the one change under way: $tables kills" \
      proofs "$tables" 4 table
  fi
  rm -rf "$WORK"
}
