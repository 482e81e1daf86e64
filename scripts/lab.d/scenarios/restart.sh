# The daemon restarts under load: a pause of seconds, no error at the file system, nothing lost. In order and by
# kill -9 in turn, while fio writes and verifies on a mounted ext4, with open-iscsi's own time to wait for a session
# (120 s).
# client linux: ext4 under fio, through restarts of the target in order and by kill -9
# packages: fio
# rounds: 6 20
# shellcheck shell=bash disable=SC2016,SC2154
serve_disk() { target_start && serve disk 256MiB --any; }
# One run of fio after the other, each of which verifies all that it has written, until it is told to end.
LOAD='(
  until [ -e /run/enough ]; do
    fio --name=load --directory=/mnt --size=32M --rw=randwrite --bs=4k --ioengine=libaio --iodepth=16 --direct=1 \
      --verify=crc32c --verify_backlog=1024 --verify_fatal=1 --output-format=json --output=/run/fio.$((++runs)).json || break
  done >/run/fio.log 2>&1
  echo "$runs runs, the last with status $?" >/run/fio.ended
) >/dev/null 2>&1 &
written() { [ "$(stat -c %b /mnt/load.0.0 2>/dev/null || echo 0)" -gt 0 ]; }; until_ok 20 written'
# The longest read or write of all runs, in milliseconds: fio tells it in nanoseconds.
STALL='stall() {
  python3 -c "import glob, json; print(max(json.load(open(name))[\"jobs\"][0][kind][\"clat_ns\"][\"max\"] // 1000000
    for name in glob.glob(\"/run/fio.*.json\") for kind in (\"read\", \"write\")))"
}'

ok "the target serves" serve_disk || return
node_start n1 11 384M
ok "a node boots" node_wait n1 || return
in_node n1 "logs in, makes a file system and mounts it" \
  "export REPLACEMENT_TIMEOUT=120; iscsi_start && iscsi_login $IQN:disk $PORTAL -- && mkfs.ext4 -q \$(lun_dev $IQN:disk 1) && mount \$(lun_dev $IQN:disk 1) /mnt"
in_node n1 "fio begins to write and verify" "$LOAD"
for ((round = 1; round <= ROUNDS; round++)); do
  sleep 3
  if ((round % 2)); then
    ok "restart $round: it ends in order" target_stop
  else
    ok "restart $round: kill -9" target_kill
  fi
  ok "restart $round: it serves again" target_start
  in_node n1 "restart $round: its session is back" \
    'back() { grep -q LOGGED_IN /sys/class/iscsi_session/session*/state; }; until_ok 20 back && [ ! -e /run/fio.ended ]'
done
in_node n1 "fio has met no error and no wrong byte" \
  ': >/run/enough; until_ok 150 [ -e /run/fio.ended ]; cat /run/fio.log /run/fio.ended; grep -q "status 0$" /run/fio.ended' 180
in_node n1 "its longest read or write took less than 5 s" "$STALL"'; stalled=$(stall) && echo "$stalled ms" && [ "$stalled" -lt 5000 ]'
in_node n1 "the file system is clean" "D=\$(lun_dev $IQN:disk 1)"'; umount /mnt && fsck.ext4 -fn $D && ! dmesg | grep -E "I/O error|EXT4-fs error"'
in_node n1 "logs out" "iscsiadm -m node -T $IQN:disk -p $PORTAL --logout"
ok "the node powers off" node_stop n1
ok "the target ends in order" target_stop
