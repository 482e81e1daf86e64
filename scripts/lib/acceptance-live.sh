# Sourced by scripts/acceptance: the claims of live administration, with swift-tgtadm and libiscsi's tools.
# shellcheck shell=bash disable=SC2034,SC2154

adm() { SWIFT_TGTD_SOCKET=$LIVE/admin.sock bounded "$TGTADM_PROGRAM" "$@"; }
adm_says() { local text=$1; shift; adm "$@" 2>&1 | tee /dev/stderr | grep -qF -e "$text"; }
adm_refuses() { local text=$1; shift; ! adm "$@" >"$WORK/said" 2>&1 && said "$text"; }
sees_lun() { bounded iscsi-ls -s "$(portal "user%$USER_SECRET")" | tee /dev/stderr | grep -A3 "Target:$IQN:$1 " | grep -q "Lun:$2 "; }
sees_no_lun() { ! sees_lun "$@"; }
has_bytes() { bounded iscsi-readcapacity16 "iscsi://127.0.0.1:$PORT/$IQN:open/$1" | tee /dev/stderr | grep -q "$2"; }
keeps_comments() { grep -q '// the administrator' "$LIVE/targets.json" && grep -q second.img "$LIVE/targets.json"; }
keeps_previous() { grep -q second.img "$LIVE/targets.json" && ! grep -q second.img "$LIVE/targets.json~"; }
add_second() {
  adm lun add --target "$IQN:open" --file "$LIVE/second.img" --size 32MiB 2>&1 | tee /dev/stderr |
    grep -q 'iscsiadm -m node -T'
}
# serve_live DIR: and it takes orders, which is a moment after the portals answer.
serve_live() { serve "$1" && until_ok 20 adm status; }
# in_use TEXT COMMAND...: refused while QEMU has the LUN, and it is said who has it.
in_use() {
  local status=0 load text=$1; shift
  qemu-img bench -c 100000000 -d 1 -f raw "iscsi://127.0.0.1:$PORT/$IQN:open/2" >/dev/null 2>&1 & load=$!
  started+=("$load")
  { until_ok 20 adm_says "$IQN:open" session list && adm_refuses "$text" "$@"; } || status=1
  kill -KILL "$load" 2>/dev/null; wait "$load" 2>/dev/null
  return "$status"
}
# 10 runs at a time, for one is too short to be measured well; the least of 5 times, as all else that the machine
# does only adds to it.
starts_cheaply() {
  local n costs TIMEFORMAT='%3U %3S'
  costs=$(for n in {1..5}; do { time ten_runs; } 2>&1 || exit; done) || return
  awk '{ ms = ($1 + $2) * 1000 / 10; if (NR == 1 || ms < least) least = ms }
    END { printf "%.1f ms\n", least; exit !(NR == 5 && least < 50) }' <<<"$costs"
}
ten_runs() { local n; for n in {1..10}; do adm status >/dev/null 2>&1 || return; done; }
hangs_up() {
  sed -i 's/"small": {/"byhand": {"memory": true, "size": "1MiB"}, "small": {/' "$LIVE/targets.json" &&
    kill -HUP "$PID" && until_ok 20 adm_says byhand store list && until_ok 20 adm config diff
}
socket_is_taken() {
  local status=0
  mkdir -p "$LIVE/two" && install -d -m 700 "$LIVE/two/state" || return
  sed "s|$LIVE/state|$LIVE/two/state|; s|:$PORT|:$(free_port)|; s|$LIVE/[a-z]*.img|&.two|" "$LIVE/targets.json" >"$LIVE/two/targets.json"
  chmod 600 "$LIVE/two/targets.json"
  bounded "$TGTD" --config "$LIVE/two/targets.json" >"$WORK/said" 2>&1 || status=$?
  ((status == 69)) && said "another server listens there already"
}
socket_is_replaced() {
  kill -KILL "$PID"; wait "$PID" 2>/dev/null
  [[ -S $LIVE/admin.sock ]] && launch "$LIVE" && until_ok 20 adm status
}
late_store() {
  stop "$PID" && mv "$LIVE/second.img" "$LIVE/away.img" && launch "$LIVE" && until_ok 20 adm_says offline store show second && sees_lun open 1 &&
    [[ ! -e $LIVE/second.img ]] && mv "$LIVE/away.img" "$LIVE/second.img" && until_ok 30 has_bytes 2 67108864
}

claims_live() {
  local d=$WORK/$ENGINE-live
  LIVE=$d TGTADM_PROGRAM=${TGTADM:-$(dirname "$TGTD")/swift-tgtadm}
  [[ -x $TGTADM_PROGRAM ]] || { fail "$TGTADM_PROGRAM is built"; return; }
  claim "$ENGINE: the daemon serves for live changes" serve_live "$d" || return
  sed -i '1i // the administrator' "$d/targets.json"
  claim "$ENGINE: a file that was edited is not written over" adm_refuses "config reload" acl add --target "$IQN:open" "$IQN:x"
  claim "$ENGINE: config reload takes it" adm config reload
  claim "$ENGINE: status says that it runs" adm_says running status
  told "$ENGINE: a command of swift-tgtadm takes less than 50 ms of CPU" starts_cheaply
  claim "$ENGINE: lun add makes store and LUN, and says how to log in" add_second
  claim "$ENGINE: initiators see the LUN" sees_lun open 2
  claim "$ENGINE: the file keeps its comments" keeps_comments
  claim "$ENGINE: the file before stays beside it" keeps_previous
  claim "$ENGINE: lun resize" adm lun resize --target "$IQN:open" 2 --size 64MiB
  claim "$ENGINE: initiators see the size" has_bytes 2 67108864
  claim "$ENGINE: a LUN in use is not removed, and its user is named" in_use "has LUN 2 of $IQN:open" lun remove --target "$IQN:open" 2
  claim "$ENGINE: stats shows the store's LUNs" adm_says "$IQN:open" stats --by lun
  claim "$ENGINE: reservation list" adm_says "no registrations" reservation list
  claim "$ENGINE: SIGHUP takes what the file says" hangs_up
  claim "$ENGINE: config diff is empty then" adm config diff
  claim "$ENGINE: a living daemon's socket is not taken" socket_is_taken
  claim "$ENGINE: a dead one's is replaced" socket_is_replaced
  claim "$ENGINE: a store that is missing keeps its LUN, and serves when it is there" late_store
  claim "$ENGINE: lun remove, store remove" adm store remove second --force
  claim "$ENGINE: initiators do not see it any more" sees_no_lun open 2
  claim "$ENGINE: SIGTERM exits 0 after all that" stop "$PID"
  [[ $ENGINE = "${engines[0]}" ]] || return 0
  claim "1,000 targets: start in 2 s, lun add in 50 ms, status in 100 ms, and no median is twice as much" \
    timeout 600 python3 scripts/lib/administer.py numbers "$TGTD" "$d/numbers"
  claim "100 clients with 10 random changes each: none is lost, the file says what runs" \
    timeout 600 python3 scripts/lib/administer.py storm "$TGTD" "$d/storm"
  claim "100 clients with 10 random changes each: the p99 of running I/O is at most twice what it is without, in two of three runs" \
    timeout 900 python3 scripts/lib/administer.py latency "$TGTD" "$d/latency"
  claim "kill -9 within any of 200 changes leaves the old file or the new one" \
    timeout 900 python3 scripts/lib/administer.py crash "$TGTD" "$d/crash"
}
