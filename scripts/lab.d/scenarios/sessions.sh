# A session of open-iscsi keeps what it negotiated, writes bursts of 16 MiB and blocks of 4096 bytes, and outlives a
# pulled cable. NOP-Out notices the cable in seconds; I/O waits as long as replacement_timeout, then fails at once.
# client open-iscsi: what a login negotiates; NOP-Out, replacement_timeout and a pulled cable
# client linux: commands of 16 MiB, disks with blocks of 4096 bytes
# packages: fdisk
# set: long
# shellcheck shell=bash disable=SC2016,SC2154
CABLE=$IQN:cable BLOCKS=$IQN:blocks JUMBO=$IQN:jumbo
BURST=16776192                     # the largest that open-iscsi offers: 16 MiB less 1 KiB
MIB=1048576

serve_three() {
  (umask 077 && cat >"$LAB/targets.json") <<END || return
{
  "portals": ["$HOST0:3260", "$HOST1:3260"],
  "stores": {
    "jumbo": {"file": "$LAB/jumbo.img", "size": "64MiB"},
    "blocks": {"file": "$LAB/blocks.img", "size": "64MiB", "blockSize": 4096},
    "cable": {"file": "$LAB/cable.img", "size": "64MiB"},
  },
  "targets": [
    {"name": "$JUMBO", "luns": [{"lun": 1, "store": "jumbo"}], "initiators": "any",
      "iscsi": {"maxBurstLength": $BURST, "firstBurstLength": $MIB, "maxRecvDataSegmentLength": $MIB}},
    {"name": "$BLOCKS", "luns": [{"lun": 1, "store": "blocks"}], "initiators": "any"},
    {"name": "$CABLE", "luns": [{"lun": 1, "store": "cable"}], "initiators": "any"},
  ],
  "state": "$LAB/state",
  "admin": {"socket": "$LAB/admin.sock"},
}
END
  target_start
}
logout() { echo "iscsiadm -m node -T $1 -p $PORTAL --logout"; }
# in_file FILE SKIP COUNT SUM: so many MiB of the target's file are what the node has written.
in_file() { tail -c +$(($2 * MIB + 1)) "$LAB/$1" | head -c $(($3 * MIB)) | sha256sum | tee /dev/stderr | cmp - "$LAB/n1/$4"; }
# within SECONDS COMMAND...
within() { local limit=$1 start=$EPOCHREALTIME; shift; "$@" && ((${EPOCHREALTIME/./} - ${start/./} < limit * 1000000)); }

ok "the target serves" serve_three || return
node_start n1 11 384M
ok "a node boots" node_wait n1 || return

# --- what is negotiated
in_node n1 "logs in and offers long bursts" "
  export REPLACEMENT_TIMEOUT=60; iscsi_start_telling &&
  iscsi_login $JUMBO $PORTAL -- node.session.iscsi.MaxBurstLength=$BURST node.session.iscsi.FirstBurstLength=$MIB node.conn[0].iscsi.MaxRecvDataSegmentLength=$MIB"
in_node n1 "MaxConnections: open-iscsi asks for 1, and the target, which would take 4, says 1" \
  "grep -ao '> *MaxConnections=.*' /run/iscsid.log | tee /run/keys; [ \"\$(grep -c '=1\$' /run/keys)\" = 2 ] && [ \"\$(grep -c . /run/keys)\" = 2 ]"
in_node n1 "session -P 3 shows the LUN's device and what was negotiated" "
  D=\$(lun_dev $JUMBO 1) && iscsiadm -m session -P 3 | tee /run/session | sed 's/^[[:space:]]*//' >/run/lines; cat /run/lines
  grep -q \"^Attached scsi disk \${D#/dev/}.*State: running\" /run/lines || exit
  for line in 'Target: $JUMBO (non-flash)' 'Current Portal: $PORTAL,1' 'iSCSI Session State: LOGGED_IN' 'HeaderDigest: None' 'DataDigest: None' 'MaxRecvDataSegmentLength: $MIB' \
    'MaxXmitDataSegmentLength: $MIB' 'FirstBurstLength: $MIB' 'MaxBurstLength: $BURST' 'ImmediateData: Yes' 'InitialR2T: No' 'MaxOutstandingR2T: 1'; do
    grep -qxF \"\$line\" /run/lines || { echo \"no \$line\"; exit 1; }
  done"

# --- bursts: Linux joins what dd writes to commands of 16 MiB, of which each is more than one burst
in_node n1 "48 MiB in direct writes of 16 MiB read back equal" "
  D=\$(lun_dev $JUMBO 1) && echo 16384 >/sys/block/\${D#/dev/}/queue/max_sectors_kb && dd if=/dev/urandom of=/run/r bs=16M count=3 iflag=fullblock status=none &&
  sha256sum </run/r >/lab/n1/jumbo.sum && cp /sys/block/\${D#/dev/}/stat /run/stat && dd if=/run/r of=\$D bs=16M oflag=direct status=none && cat /sys/block/\${D#/dev/}/stat >>/run/stat &&
  dd if=\$D bs=16M count=3 iflag=direct status=none | cmp - /run/r"
in_node n1 "its commands were larger than a burst of the target's default, 1 MiB" \
  "awk '{ writes = \$5 - writes; sectors = \$7 - sectors } END { print writes \" writes, \" sectors \" sectors\"; exit !(sectors == 98304 && sectors / writes > 4096) }' /run/stat"
ok "the bytes are in the target's file" in_file jumbo.img 0 48 jumbo.sum
in_node n1 "logs out" "$(logout $JUMBO)"

# --- blocks of 4096 bytes
in_node n1 "Linux has a disk with blocks of 4096 bytes" \
  "iscsi_login $BLOCKS $PORTAL -- && D=\$(lun_dev $BLOCKS 1) && [ \"\$(blockdev --getss --getpbsz --getsize64 \$D | xargs)\" = '4096 4096 67108864' ]"
in_node n1 "a partition table, mkfs.ext4 on a partition, 24 MiB written" "
  D=\$(lun_dev $BLOCKS 1) && printf 'label: gpt\nstart=256, size=4096, name=first\nname=second\n' | sfdisk -q \$D &&
  mkfs.ext4 -q \${D}2 && mount \${D}2 /mnt && dd if=/dev/urandom of=/mnt/f bs=1M count=24 status=none && sha256sum /mnt/f >/run/sum && umount /mnt &&
  dd if=/run/r of=\${D}1 bs=1M count=16 oflag=direct status=none && head -c 16M /run/r | sha256sum >/lab/n1/blocks.sum"
ok "in the file the table's header is at byte 4096" bash -c "[[ \$(tail -c +4097 $LAB/blocks.img | head -c 8) = 'EFI PART' ]]"
ok "in the file the first partition is at block 256 of 4096 bytes" in_file blocks.img 1 16 blocks.sum
in_node n1 "after another login the partitions are there, the file system clean, the bytes the same" "
  $(logout $BLOCKS) && iscsiadm -m node -T $BLOCKS -p $PORTAL --login && D=\$(lun_dev $BLOCKS 1) && until_ok 5 test -b \${D}2 && sfdisk -V \$D &&
  fsck.ext4 -fn \${D}2 && mount -o ro \${D}2 /mnt && sha256sum -c /run/sum && umount /mnt && dd if=\${D}1 bs=64k iflag=direct status=none | cmp -n 16777216 - /run/r"
in_node n1 "logs out" "$(logout $BLOCKS)"

# --- a pulled cable: NOP-Out every 2 s, an answer within 2 s (iscsi_start)
STATE='is() { grep -qx "$1" /sys/class/iscsi_session/session*/state; }; '
pull() { cable_out 11 && node_exec n1 "$STATE until_ok 15 is FAILED"; }
SETTLED='settled() { [ -e /run/ended ]; }; '
in_node n1 "logs in, with 60 s to replace a session, and writes without end" \
  "iscsi_login $CABLE $PORTAL -- && write_without_end \$(lun_dev $CABLE 1)"
ok "the cable is pulled: the session has failed within noop_out_interval and noop_out_timeout, 4 s, and 3 to spare" within 7 pull
in_node n1 "one more write, of 32 MiB, begins; both wait, without an error" "
  D=\$(lun_dev $CABLE 1) && head -c 32M /run/r | sha256sum >/lab/n1/cable.sum
  (dd if=/run/r of=\$D bs=1M count=32 seek=16 oflag=direct 2>/run/one; echo \$? >/run/one.status) >/dev/null 2>&1 &
  rounds=\$(</run/rounds); sleep 6; [ ! -e /run/ended ] && [ ! -e /run/one.status ] && [ \$(</run/rounds) = \$rounds ]"
ok "the cable is back" cable_in 11
in_node n1 "the session is back" "$STATE until_ok 30 is LOGGED_IN"
in_node n1 "the one has ended, the other goes on, both without an error" \
  "until_ok 30 test -e /run/one.status; cat /run/one; [ \"\$(cat /run/one.status)\" = 0 ] && writes_on && ! dmesg | grep 'I/O error'"
ok "its bytes are in the target's file" in_file cable.img 16 32 cable.sum
ok "the target has one session of the node" bash -c '[[ $("$0" session list | grep -c "^ *[0-9]") = 1 ]]' "$TGTADM"

in_node n1 "logs in, with 3 s to replace a session, and writes without end" "
  $(logout $CABLE) && $SETTLED until_ok 10 settled && rm /run/ended /run/rounds &&
  iscsi_record $CABLE $PORTAL update -n node.session.timeo.replacement_timeout -v 3 &&
  iscsiadm -m node -T $CABLE -p $PORTAL --login && write_without_end \$(lun_dev $CABLE 1)"
fails() { cable_out 11 && node_exec n1 "$SETTLED until_ok 30 settled && cat /run/dd && grep 'Input/output error' /run/dd"; }
ok "the cable is pulled: the write has failed 3 s after the session, and 3 to spare" within 10 fails
in_node n1 "the next fails at once" "D=\$(lun_dev $CABLE 1) || exit; start=\$EPOCHREALTIME; can_write \$D && exit 1; (( \${EPOCHREALTIME/./} - \${start/./} < 1000000 ))"
ok "the cable is back" cable_in 11
in_node n1 "the session is back, and the disk can be written" "$STATE until_ok 30 is LOGGED_IN; D=\$(lun_dev $CABLE 1) && until_ok 5 can_write \$D"
in_node n1 "logs out" "$(logout $CABLE)"
ok "the node powers off" node_stop n1
ok "the target ends in order" target_stop
