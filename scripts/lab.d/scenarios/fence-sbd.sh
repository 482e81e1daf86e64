# Through SBD's disk Pacemaker fences a node that is cut off, moves its file system, and takes it back. Three nodes
# with corosync, stonith:fence_sbd, and SBD that asks Pacemaker, too. They talk by one network and have their disks by
# the other: who is cut off from the others reads its pill; who is cut off from both has its watchdog. A target that is
# away, even for longer than the watchdog's time, resets nobody who sees the others.
# The watchdog has 10 s. A pill counts as taken after 20, when the watchdog of who cannot read it has long run out.
# client sbd: asks Pacemaker: a pill; a watchdog without disk and quorum; an outage of the disk alone
# client fence-agents: stonith:fence_sbd, which writes the pill and waits until it has worked
# client pacemaker: three nodes; who is cut off is fenced through SBD's disk, and its file system moves
# packages: corosync pacemaker pacemaker-cli-utils resource-agents sbd busybox psmisc procps udev
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
. "$LAB_PARTS/pacemaker.sh"
# The names that udev gives them are the same on every node.
SBD=/dev/disk/by-path/ip-$HOST1:3260-iscsi-$IQN:quorum-lun-1
FILES=/dev/disk/by-path/ip-$HOST1:3260-iscsi-$IQN:quorum-lun-2
# has_page TEXT: by and by, as Pacemaker says "is running" from when it begins to mount.
PAGE='page() { cat /srv/page; }; has_page() { until_ok 30 page && [ "$(page)" = "$1" ]; }'
IN_NODE="SBD=$SBD FILES=$FILES; . $LAB_PARTS/quorum.sh; $CLUSTER$PAGE; " IN_NODE_SECONDS=120
serve_disks() {
  target_start && serve quorum 16MiB --cache writethrough --initiator $IQN:n1 --initiator $IQN:n2 --initiator $IQN:n3 &&
    serve quorum 64MiB
}
# Their commands wait for the session longer than the target is away.
LOG_IN="log_start; export REPLACEMENT_TIMEOUT=60; udev_start && iscsi_start &&
  iscsiadm -m discovery -t sendtargets -p $HOST1:3260 &&
  iscsiadm -m node -T $IQN:quorum -p $HOST1:3260 --login &&
  until_ok 10 test -b $SBD && until_ok 10 test -b $FILES"
ALL_CLEAR='"n1 clear" "n2 clear" "n3 clear"'

configuration() {
  cat >"$LAB/configuration.xml" <<END
<configuration>
<crm_config><cluster_property_set id="options">
 <nvpair id="stonith" name="stonith-enabled" value="true"/>
 <nvpair id="time" name="stonith-timeout" value="40s"/>
 <nvpair id="quorum" name="no-quorum-policy" value="freeze"/>
</cluster_property_set></crm_config>
<rsc_defaults><meta_attributes id="defaults">
 <nvpair id="stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>
<resources>
 <primitive id="fence" class="stonith" type="fence_sbd">
  <instance_attributes id="fence-i">
   <nvpair id="fence-devices" name="devices" value="$SBD"/>
   <nvpair id="fence-hosts" name="pcmk_host_list" value="n1 n2 n3"/>
  </instance_attributes>
 </primitive>
 <primitive id="files" class="ocf" provider="heartbeat" type="Filesystem">
  <instance_attributes id="files-i">
   <nvpair id="files-device" name="device" value="$FILES"/>
   <nvpair id="files-directory" name="directory" value="/srv"/>
   <nvpair id="files-fstype" name="fstype" value="ext4"/>
  </instance_attributes>
  <operations>
   <op id="files-start" name="start" interval="0" timeout="60s"/><op id="files-stop" name="stop" interval="0" timeout="60s"/>
  </operations>
 </primitive>
</resources>
<constraints><rsc_location id="first" rsc="files" node="n1" score="50"/></constraints>
</configuration>
END
}
# slots_are_read FROM TO: all see the disk again; what FROM writes into TO's slot, SBD reads there; no slot has a pill.
slots_are_read() {
  in_nodes "n1 n2 n3" "see the slots" 'until_ok 60 listed'
  in_node "$1" "SBD tells $2 something" "tells $2 test"
  in_node "$2" "SBD has read it" "until_ok 30 said 'Received command test from $1'"
  in_node "$1" "nobody is fenced" "until_ok 10 slots $ALL_CLEAR && online n1 n2 n3"
}

ok "the target serves on two networks" serve_disks || return
corosync_conf >"$LAB/corosync.conf"
configuration
for n in 1 2 3; do node_start n$n 1$n 512M; done
ok "three nodes boot" node_wait n1 n2 n3 || return
in_nodes "n1 n2 n3" "log in by the other network" "$LOG_IN" || return
in_node n1 "makes SBD's slots" 'sbd -d $SBD -1 10 -4 20 create && sbd -d $SBD dump' || return
in_node n1 "makes a file system with a page" \
  'mkfs.ext4 -q $FILES && mount $FILES /srv && echo "page of n1" >/srv/page && umount /srv' || return
in_nodes "n1 n2 n3" "corosync starts, and has three votes" "$COROSYNC" 180 || return
in_nodes "n1 n2 n3" "SBD watches its slot, under a watchdog of 10 s" 'sbd_start' || return
in_nodes "n1 n2 n3" "Pacemaker starts" "sbd_settings; $PACEMAKER" 180 || return
sees_all n1 || return
in_nodes "n1 n2 n3" "SBD has found its cluster, and Pacemaker" \
  'until_ok 60 said "Servant cluster is healthy" && until_ok 60 said "Servant pcmk is healthy"'
in_node n1 "Pacemaker takes the configuration" \
  'cibadmin --modify --allow-create -o configuration --xml-file /lab/configuration.xml' || return
comes_to n2 "the fencing agent has found the disk" fence "n1|n2|n3" || return
comes_to n2 "the file system is on n1" files n1 || return
in_node n1 "begins to write there without end" \
  'has_page "page of n1" && : >/srv/log && write_without_end /srv/log'

# --- the target restarts
ok "the target ends in order" target_stop
ok "the target starts again" target_start
in_node n1 "writes on" writes_on
slots_are_read n2 n3

# --- n1 is cut off
ok "n1 is cut off from the others, not from its disks" cable_out 11
ok "n1 takes the pill, and is gone" until_ok 90 node_down n1 || return
in_node n2 "the pill is in n1's slot" 'sbd -d $SBD list | tee /run/slots; grep -P "\tn1\treset\tn[23]" /run/slots'
comes_to n2 "the file system moves" files "n2|n3" || return
in_node n2 "Pacemaker says who has fenced n1" \
  'stonith_admin --history n1 >/run/history; cat /run/history; grep "reboot.*n1" /run/history'
OWNER=$(owner files)
in_node "$OWNER" "has the page of n1, and writes another" \
  'has_page "page of n1" && echo "page of another" >/srv/page && sync'

# --- n1 comes back
ok "n1 has its cable again" cable_in 11
node_start n1 11 512M
ok "n1 boots" node_wait n1 || return
in_node n1 "logs in again" "$LOG_IN" || return
in_node n1 "corosync starts, and has three votes" "$COROSYNC" 180
in_node n1 "SBD starts, and has taken the pill out of its slot" "sbd_start && slots $ALL_CLEAR"
in_node n1 "Pacemaker starts" "sbd_settings; $PACEMAKER" 180
sees_all n2 || return
in_node n2 "the file system stays where it is" "runs_on files $OWNER"

# --- the target is away for longer than the watchdog's time
ok "the target ends in order" target_stop
ok "it is away for 20 s" sleep 20
in_nodes "n1 n2 n3" "SBD lives on without its disk, as it has its cluster" 'said "surviving on pacemaker"'
ok "the target starts again" target_start
slots_are_read n2 n1

# --- who has the file system is cut off from everything
ok "$OWNER is cut off from the others and from its disks" eval "cable_out 1${OWNER#n} 0 && cable_out 1${OWNER#n} 1"
ok "its watchdog ends it, as it can read no pill" until_ok 60 node_down "$OWNER"
comes_to n1 "the file system moves to n1" files n1
in_node n1 "has the other page, and has met no error of the disk or its file system" \
  'has_page "page of another" && ! dmesg | grep -E "EXT4-fs error|I/O error"'
ok "the nodes are switched off" node_kill n1 n$((5 - ${OWNER#n}))   # n2 or n3, which is not the owner
ok "the target ends in order" target_stop
