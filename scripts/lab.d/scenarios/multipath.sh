# dm-multipath goes on when a cable is pulled, comes back with it, and grows while it is used. Two networks, the WWID
# and alias as the multipath guides have it, path loss and return on either network under writes.
# client multipath-tools: a map over two networks, either of which fails and returns; it grows in use
# packages: multipath-tools udev dmsetup
# shellcheck shell=bash disable=SC2016,SC2154
serve_disk() { target_start && serve disk 64MiB --initiator $IQN:n1; }
# active N: so many paths of the map are active.
ACTIVE='active() { [ "$(multipath -ll shared | grep -cE "active ready +running")" = "$1" ]; }'

ok "the target serves on two networks" serve_disk || return
node_start n1 11 384M
ok "a node boots" node_wait n1 || return
in_node n1 "logs in through both" \
  "iscsi_start && udev_start && iscsi_login $IQN:disk $HOST0:3260 $HOST1:3260 -- && lun_dev $IQN:disk 1 $HOST0 && lun_dev $IQN:disk 1 $HOST1"
in_node n1 "both paths are one WWID" "A=\$(lun_dev $IQN:disk 1 $HOST0) B=\$(lun_dev $IQN:disk 1 $HOST1)"'
  /lib/udev/scsi_id -g -u -d $A | tee /run/wwid && [ "$(/lib/udev/scsi_id -g -u -d $B)" = "$(cat /run/wwid)" ]'
in_node n1 "multipathd makes the map of that WWID and alias" "$ACTIVE"'
  modprobe -a dm_multipath dm_round_robin
  cat >/etc/multipath.conf <<END
defaults {
  find_multipaths no
  path_grouping_policy group_by_prio
  polling_interval 1
  no_path_retry 60
}
multipaths {
  multipath {
    wwid $(cat /run/wwid)
    alias shared
  }
}
END
  multipathd && until_ok 20 active 2; multipath -ll; active 2'
in_node n1 "begins to write to the map without end" "write_without_end /dev/mapper/shared"
for network in 0 1; do
  ok "network $network: its cable is pulled" cable_out 11 $network
  in_node n1 "network $network: one path is left" "$ACTIVE; until_ok 60 active 1; multipath -ll; active 1" 90
  in_node n1 "network $network: writes on" writes_on
  ok "network $network: its cable is back" cable_in 11 $network
  in_node n1 "network $network: both paths are back" "$ACTIVE; until_ok 60 active 2; multipath -ll; active 2" 90
done
ok "the LUN grows" adm lun resize --target $IQN:disk 1 --size 96MiB
in_node n1 "the map grows with it" \
  'iscsiadm -m session --rescan >/dev/null; multipathd resize map shared
   grown() { [ "$(blockdev --getsize64 /dev/mapper/shared)" = 100663296 ]; }; until_ok 10 grown'
in_node n1 "no write has failed" writes_on
ok "the node is switched off" node_kill n1
ok "the target ends in order" target_stop
