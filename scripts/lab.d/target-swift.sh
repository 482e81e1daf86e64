# The target under test: swift-tgtd on the host side of the laboratory. Functions as in its README,
# and target_acl. Whatever changes is written to the configuration; a daemon that runs is restarted with it.
# shellcheck shell=bash disable=SC2034,SC2154
TARGET_ADDR0=$NET.0.1 TARGET_ADDR1=$NET.1.1
declare -A TARGET_NAMES=() TARGET_LUNS=() TARGET_CHAP=() TARGET_MUTUAL=() TARGET_ACL=()
TARGET_STORES='' TARGET_LOG=$LAB/target.log

target_configuration() {           # the JSON of everything created so far
  local id access
  printf '{\n  "portals": ["%s:3260", "%s:3260"],\n  "stores": {\n%b  },\n  "targets": [\n' \
    "$TARGET_ADDR0" "$TARGET_ADDR1" "$TARGET_STORES"
  for id in "${!TARGET_NAMES[@]}"; do
    access='"initiators": "any"'
    if [[ -n ${TARGET_ACL[$id]-} ]]; then access="\"acl\": [${TARGET_ACL[$id]}]"; fi
    printf '    {"name": "%s", "luns": [%s], %s%s%s},\n' "${TARGET_NAMES[$id]}" "${TARGET_LUNS[$id]-}" "$access" \
      "${TARGET_CHAP[$id]:+, \"chap\": [${TARGET_CHAP[$id]}]}" "${TARGET_MUTUAL[$id]:+, \"mutualChap\": ${TARGET_MUTUAL[$id]}}"
  done
  printf '  ],\n  "state": "%s/state", "admin": {"socket": "%s/admin.sock"},\n}\n' "$LAB" "$LAB"
}
target_start() {                   # listens on both networks of the laboratory, port 3260
  local i
  install -d -m 700 "$LAB/state" && (umask 077; target_configuration >"$LAB/targets.json") || return
  rm -f "$LAB/target.status" "$LAB/target.pid"
  # Steps run in subshells, which cannot wait for it: its pid and its status go through files.
  {
    "$TGTD" --config "$LAB/targets.json" &
    echo $! >"$LAB/target.pid"
    wait $!
    echo $? >"$LAB/target.status"
  } </dev/null >>"$TARGET_LOG" 2>&1 &
  for ((i = 0; i < 200; i++)); do
    (exec 3<>"/dev/tcp/$TARGET_ADDR0/3260") 2>/dev/null && return
    [[ -e $LAB/target.status ]] && break
    sleep 0.05
  done
  tail -n 20 "$TARGET_LOG"; return 1
}
target_runs() { [[ -e $LAB/target.pid && ! -e $LAB/target.status ]]; }
target_changed() { ! target_runs || { target_stop && target_start; }; }
target_create() { TARGET_NAMES[$2]=$1; target_changed; }                      # IQN TID: open to any initiator
target_lun() {                     # TID LUN FILE
  TARGET_STORES+="    \"t$1l$2\": {\"file\": \"$3\"},\n"
  TARGET_LUNS[$1]+="${TARGET_LUNS[$1]:+, }{\"lun\": $2, \"store\": \"t$1l$2\"}"
  target_changed
}
target_chap() {                    # TID USER PASSWORD [MUTUAL-USER MUTUAL-PASSWORD]
  TARGET_CHAP[$1]="{\"user\": \"$2\", \"secret\": \"$3\"}"
  if [[ -n ${4-} ]]; then TARGET_MUTUAL[$1]="{\"user\": \"$4\", \"secret\": \"$5\"}"; fi
  target_changed
}
target_acl() {                     # TID INITIATOR...: nobody else
  local id=$1 initiator; shift
  for initiator; do TARGET_ACL[$id]+="${TARGET_ACL[$id]:+, }{\"initiator\": \"$initiator\"}"; done
  target_changed
}
target_stop() {                    # in order, within 10 s; its exit status
  local pid i
  pid=$(cat "$LAB/target.pid") && kill -TERM "$pid" || return
  for ((i = 0; i < 200; i++)); do
    [[ -e $LAB/target.status ]] && return "$(cat "$LAB/target.status")"
    sleep 0.05
  done
  kill -KILL "$pid"; return 1
}
