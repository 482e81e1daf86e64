# Stage tgt: the commands of tgt, as Pacemaker's agents, tgt-admin and administrators use them, against
# the real daemon. tgt itself, where it is installed, is not touched.
# shellcheck shell=bash disable=SC2034,SC2154
IQN=iqn.2026-11.com.example
# The name that a cluster in use has: one that is no iqn, eui or naa, and that tgt takes all the same.
SRV=srv1512nas.clu-xlu-resource

# tgt_commands: build the commands, and put them before all others.
tgt_commands() {
  local product
  for product in tgtadm tgt-admin tgt-setup-lun; do
    quietly "building $product" swift build -c release --product "$product" || return
  done
  PATH=$(dirname "$TGTD"):$PATH
}

# tgt_daemon: a daemon with nothing to serve; sets PORT and PID.
tgt_daemon() {
  PORT=$(free_port)
  install -d -m 700 "$WORK/state"
  cat >"$WORK/targets.json" <<JSON
{
  // Nothing here is touched: what tgtadm does lasts as long as the daemon.
  "portals": ["127.0.0.1:$PORT"],
  "admin": {"socket": "$WORK/admin.sock"},
  "state": "$WORK/state",
}
JSON
  chmod 600 "$WORK/targets.json"
  cp "$WORK/targets.json" "$WORK/before.json"
  "$TGTD" --config "$WORK/targets.json" </dev/null >"$WORK/log" 2>&1 & PID=$!
  export SWIFT_TGTD_SOCKET=$WORK/admin.sock
  until_ok 20 tgtadm --mode system --op show || { kill -KILL "$PID"; cat "$WORK/log"; return 1; }
}

# agent NAME ACTION [KEY=VALUE...]: an OCF resource agent with implementation=tgt.
agent() {
  local name=$1 action=$2 pair; shift 2
  (
    for pair; do export "OCF_RESKEY_$pair"; done
    export OCF_ROOT=/usr/lib/ocf OCF_RESKEY_implementation=tgt OCF_RESOURCE_INSTANCE=test-$name
    export OCF_RESOURCE_TYPE=$name OCF_RESOURCE_PROVIDER=heartbeat HA_RSCTMP=$WORK HA_debuglog=/dev/null
    timeout 120 "/usr/lib/ocf/resource.d/heartbeat/$name" "$action"
  )
}
target_agent() { agent iSCSITarget "$1" tid=1 "iqn=$IQN:agent" "allowed_initiators=127.0.0.1" \
  incoming_username=user incoming_password=user-secret-0123; }
unit_agent() { agent iSCSILogicalUnit "$1" "target_iqn=$IQN:agent" lun=1 "path=$WORK/agent.img" \
  vendor_id=ACME product_id=AgentDisk scsi_sn=serial4711; }

claims_agents() {
  truncate -s 64M "$WORK/agent.img"
  claim "iSCSITarget with implementation=tgt: validate-all" target_agent validate-all
  claim "iSCSITarget: monitor says 7 before the start" exits 7 target_agent monitor
  claim "iSCSITarget: start" target_agent start
  claim "iSCSITarget: monitor says 0" target_agent monitor
  claim "iSCSITarget: start of what runs" target_agent start
  claim "iSCSILogicalUnit: validate-all" unit_agent validate-all
  claim "iSCSILogicalUnit: monitor says 7 before the start" exits 7 unit_agent monitor
  claim "iSCSILogicalUnit: start" unit_agent start
  claim "iSCSILogicalUnit: monitor says 0" unit_agent monitor
  claim "the initiator of the agents' target logs in with CHAP" logs_in -u user%user-secret-0123 "$IQN:agent" 1
  claim "without the password it is refused" refused logs_in "$IQN:agent" 1
  logs_in -u user%user-secret-0123 "$IQN:agent" 1 >"$WORK/inquiry" 2>&1
  claim "INQUIRY shows the agent's vendor" grep -q 'Vendor:ACME' "$WORK/inquiry"
  claim "INQUIRY shows the agent's product" grep -q 'Product:AgentDisk' "$WORK/inquiry"
  claim "iSCSITarget: stop while an initiator is logged in" stop_in_use
  claim "iSCSITarget: monitor says 7 after the stop" exits 7 target_agent monitor
  claim "iSCSILogicalUnit: monitor says 7 after its target's stop" exits 7 unit_agent monitor
  claim "both start again" both_start
  claim "iSCSILogicalUnit: stop" unit_agent stop
  claim "iSCSILogicalUnit: monitor says 7 after the stop" exits 7 unit_agent monitor
  claim "iSCSILogicalUnit: stop of what is stopped" unit_agent stop
  claim "iSCSITarget: stop" target_agent stop
  claim "iSCSITarget: stop of what is stopped" target_agent stop
  claim "nothing is left" silent tgtadm --mode target --op show
  claim "no account is left" silent tgtadm --mode account --op show
}
both_start() { target_agent start && unit_agent start; }
stop_in_use() {
  local holder
  # For 30 s, a quarter of what an agent may take, it comes back and the agent tries again.
  (sleep 30 | qemu-io -f raw "iscsi://user%user-secret-0123@127.0.0.1:$PORT/$IQN:agent/1") >/dev/null 2>&1 &
  holder=$!
  until_ok 20 has_session 1 || { kill "$holder"; return 1; }
  target_agent stop || { kill "$holder" 2>/dev/null; return 1; }
  kill "$holder" 2>/dev/null
  wait "$holder" 2>/dev/null
  return 0
}
# has_session TID: somebody is logged in.
has_session() { tgtadm --mode conn --op show --tid "$1" | grep -q '^Session: '; }

claims_tgt_admin() {
  local conf=$WORK/targets.conf
  truncate -s 32M "$WORK/disk.img"
  cat >"$conf" <<CONF
<target $SRV>
    backing-store $WORK/disk.img
    initiator-address 127.0.0.1
    incominguser iscsiadm 123456789adm
</target>
CONF
  claim "tgt-admin --pretend does nothing" tgt-admin -p -e -c "$conf"
  claim "and so there is nothing" silent tgtadm --mode target --op show
  claim "tgt-admin --execute is silent" silent tgt-admin -e -c "$conf"
  claim "tgt-admin --show shows the target" says "Target 1: $SRV" tgt-admin --show
  claim "LUN 0 is a controller" says "            Type: controller" tgt-admin -s
  claim "LUN 1 stands where Cinder looks for it" says "        LUN: 1" tgt-admin -s
  claim "its disk has its path" says "            Backing store path: $WORK/disk.img" tgt-admin -s
  claim "the user logs in with CHAP" logs_in -u iscsiadm%123456789adm "$SRV" 1
  claim "another password is refused" refused logs_in -u iscsiadm%123456789adn "$SRV" 1
  claim "tgt-admin --execute again" silent tgt-admin -e -c "$conf"
  claim "tgt-admin --update" tgt-admin --update "$SRV" -c "$conf"
  claim "the user logs in after the update" logs_in -u iscsiadm%123456789adm "$SRV" 1
  sed "s|disk.img|nodisk.img|" "$conf" >"$WORK/nodisk.conf"
  claim "tgt-admin --update to a disk that is missing" exits 1 tgt-admin --update ALL -c "$WORK/nodisk.conf"
  claim "changes nothing: the user logs in" logs_in -u iscsiadm%123456789adm "$SRV" 1
  claim "tgt-admin --dump names the disk" says "	backing-store $WORK/disk.img" tgt-admin --dump
  claim "tgt-admin --offline" silent tgt-admin --offline "$SRV"
  claim "an offline target says so" says "        State: offline" tgt-admin --show
  claim "and lets nobody in" refused logs_in -u iscsiadm%123456789adm "$SRV" 1
  claim "tgt-admin --ready" silent tgt-admin --ready "$SRV"
  claim "the user logs in again" logs_in -u iscsiadm%123456789adm "$SRV" 1
  claim "tgt-admin --delete" tgt-admin --delete "$SRV"
  claim "nothing is left" silent tgtadm --mode target --op show
}

# `state` of targets.conf, and the system as tgt's unit for systemd takes it down and up.
claims_offline() {
  local conf=$WORK/offline.conf
  cat >"$conf" <<CONF
<target $IQN:a>
    backing-store $WORK/disk.img
    state offline
</target>
<target $IQN:b>
    backing-store $WORK/agent.img
</target>
CONF
  claim "tgt-admin makes an offline target, and what stands behind it" silent tgt-admin -e -c "$conf"
  claim "nobody logs in to the offline one" refused logs_in "$IQN:a" 1
  claim "anybody logs in to the other" logs_in "$IQN:b" 1
  claim "the system goes offline" tgtadm --op update --mode sys --name State -v offline
  claim "then nobody logs in" refused logs_in "$IQN:b" 1
  claim "the system is ready again" tgtadm --op update --mode sys --name State -v ready
  claim "and the target serves" logs_in "$IQN:b" 1
  claim "but not the one that is offline by itself" refused logs_in "$IQN:a" 1
  claim "tgt-admin --delete ALL" tgt-admin --delete ALL
}

claims_tgtadm() {
  claim "tgtadm --mode target --op show of nothing says nothing" silent tgtadm --mode target --op show
  claim "tgt-setup-lun makes a target" tgt-setup-lun -n "$IQN:setup" -d "$WORK/disk.img" 127.0.0.1
  claim "tgtadm --mode target --op show" says "Target 1: $IQN:setup" tgtadm --mode target --op show
  claim "its access list" says "        127.0.0.1" tgtadm --mode target --op show
  claim "an initiator sees it" logs_in "$IQN:setup" 1
  claim "a second target of that number" exits 22 tgtadm --lld iscsi --op new --mode target --tid 1 -T "$IQN:b"
  claim "an unknown target" exits 22 tgtadm --lld iscsi --op delete --mode target --tid 9
  claim "an unknown mode" exits 1 tgtadm --mode nonsense --op show
  claim "the target goes" silent tgtadm --lld iscsi --op delete --mode target --tid 1
  claim "no daemon is 107" exits 107 env SWIFT_TGTD_SOCKET=/nonexistent tgtadm --mode target --op show
  claim "the configuration file was never written" cmp "$WORK/before.json" "$WORK/targets.json"
}

stage_tgt() {
  local status=0
  need resource-agents "${ACCEPTANCE_PACKAGES[@]}"
  if [[ -z ${TGTD-} ]]; then release_build || { fail "the release build succeeds"; return; }; fi
  tgt_commands || { fail "the commands of tgt build"; return; }
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/tgt.XXXXXX") || return
  if claim "the daemon answers tgtadm" tgt_daemon; then
    claims_agents; claims_tgt_admin; claims_offline; claims_tgtadm
    kill -TERM "$PID"
    gone "$PID" 10 || status=$?
    if ((status == 124)); then kill -KILL "$PID"; wait "$PID" 2>/dev/null; fi
    claim "the daemon ends in order" test "$status" = 0
  fi
  rm -rf "$WORK"
}
