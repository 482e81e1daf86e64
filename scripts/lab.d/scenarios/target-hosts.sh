# Reservations move with the target: a node that is fenced stays so when another host takes over. Two target hosts see
# one disk, and the one that has the file system on it serves: daemon, configuration, state and disks move together, by
# Pacemaker. They move in order, and when their host is cut off and has to be fenced. Of two nodes one is shut out by
# fence_scsi, and tries all the time to write where the other does.
# The hosts are containers, and each has a device of its own on the shared disk: of one device their kernel would mount
# the same file system for both, and nothing would break. A cache in the disk itself, that is lost, is not shown.
# client resource-agents: Filesystem, the daemon and IPaddr2 as one group on two hosts, one of which is fenced
# client pacemaker: moves a whole target, in order, and from a host that has to lose its power first
# client fence-agents: fence_scsi with aptpl, whose fence outlives each move of the target to another host
# client linux: writes to ext4 go on through each move, and the fenced node is refused
# packages: corosync pacemaker pacemaker-cli-utils resource-agents psmisc procps
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
. "$LAB_PARTS/container.sh"
ADDRESS=$NET.0.100 HOSTS="t1 t2"
AGENTS=". $LAB_PARTS/agents.sh; . $LAB_PARTS/hosts.sh; "
FENCE='fence() { fence_scsi --plug=$1 --key=$2 --devices=$D --action=$3 --logfile=/run/fence.log $4; }; '
INITIATOR=". $LAB_PARTS/acknowledge.sh; . $LAB_PARTS/reserved.sh; . /run/disks; $FENCE"
IN_NODE_SECONDS=150
on() { IN_NODE=$AGENTS in_nodes "$@"; }          # "HOST..." CLAIM CODE [SECONDS]
n1() { IN_NODE=$INITIATOR in_node n1 "$@"; }     # CLAIM CODE [SECONDS]
n2() { IN_NODE=$INITIATOR in_node n2 "$@"; }

# The address comes last and goes first: initiators find nothing while the rest is half there.
group() {
  cat >"$LAB/configuration.xml" <<END
<configuration>
<crm_config><cluster_property_set id="options">
 <nvpair id="stonith" name="stonith-enabled" value="true"/>
</cluster_property_set></crm_config>
<rsc_defaults><meta_attributes id="defaults">
 <nvpair id="stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>
<resources><group id="iscsi">
 <primitive id="files" class="ocf" provider="heartbeat" type="Filesystem">
  <instance_attributes id="files-i">
   <nvpair id="files-device" name="device" value="/run/shared-disk"/>
   <nvpair id="files-directory" name="directory" value="/srv/iscsi"/>
   <nvpair id="files-fstype" name="fstype" value="ext4"/>
  </instance_attributes>
  <operations>
   <op id="files-start" name="start" interval="0" timeout="60s"/>
   <op id="files-stop" name="stop" interval="0" timeout="60s"/>
   <op id="files-monitor" name="monitor" interval="10s" timeout="40s"/>
  </operations>
 </primitive>
 <primitive id="daemon" class="systemd" type="swift-tgtd">
  <operations>
   <op id="daemon-start" name="start" interval="0" timeout="300s"/>
   <op id="daemon-stop" name="stop" interval="0" timeout="60s"/>
   <op id="daemon-monitor" name="monitor" interval="10s" timeout="60s"/>
  </operations>
 </primitive>
 <primitive id="address" class="ocf" provider="heartbeat" type="IPaddr2">
  <instance_attributes id="address-i">
   <nvpair id="address-ip" name="ip" value="$ADDRESS"/>
   <nvpair id="address-mask" name="cidr_netmask" value="24"/>
  </instance_attributes>
 </primitive>
</group></resources>
<constraints><rsc_location id="first" rsc="iscsi" node="t1" score="50"/></constraints>
</configuration>
END
}
# Where there is no systemd, an agent starts the same daemon.
without_systemd() {
  sed -i 's|<primitive id="daemon" class="systemd" .*|<primitive id="daemon" class="ocf" provider="heartbeat" type="anything">\
  <instance_attributes id="daemon-i">\
   <nvpair id="daemon-program" name="binfile" value="'"$TGTD"'"/>\
   <nvpair id="daemon-options" name="cmdline_options" value="--config /srv/iscsi/targets.json"/>\
   <nvpair id="daemon-log" name="logfile" value="'"$LAB"'/daemon.log"/>\
  </instance_attributes>|' "$LAB/configuration.xml" && grep anything "$LAB/configuration.xml"
}
# The switch that takes a host's power, as far as Pacemaker sees it (fence_lab).
power() {
  mkdir "$LAB/switch" "$LAB/agents" && cp "$LAB_PARTS/fence_lab" "$LAB/agents" && cat >"$LAB/power.xml" <<END
<configuration><resources>
 <primitive id="power" class="stonith" type="fence_lab">
  <instance_attributes id="power-i">
   <nvpair id="power-switch" name="switch" value="$LAB/switch"/>
   <nvpair id="power-hosts" name="pcmk_host_list" value="t1 t2"/>
  </instance_attributes>
 </primitive>
</resources></configuration>
END
}
# lose_power HOST DEVICE: what its page cache held is lost, and nothing of it reaches the disk any more.
lose_power() {
  python3 "$LAB_PARTS/lose-cache.py" "/proc/$(<"$LAB/$1/pid")/root/srv/iscsi" "$2" && node_kill "$1" &&
    losetup --detach "$2" && until_ok 30 detached "$2" && : >"$LAB/switch/$1.off"
}
detached() { [[ ! -e /sys/block/${1##*/}/loop/backing_file ]]; }

there() { on "$1" "the target is there" "until_ok 90 runs_on $1; crm_mon -1rf; runs_on $1 && until_ok 20 serves"; }
# moved FROM KEY: what is true after each move.
moved() {
  n2 "its writes go on" acknowledges_on
  n2 "what it wrote last is there: nothing that n1 tried has landed" "ready && marked 'written on $1'"
  n2 "its key and its reservation are there, and n1's key is not" "reserved_for $2"
  # SPC-4 6.15.2: as after a power on.
  n2 "PRGENERATION counts anew" 'generation 0'
  n1 "is refused still, at once, and at every attempt since" \
    'ready && until_ok 10 denied_at_once $D && tries_on && [ ! -e /run/landed ]'
}

truncate -s 512M "$LAB/shared-disk.img"
T1=$(losetup --find --show "$LAB/shared-disk.img") T2=$(losetup --find --show "$LAB/shared-disk.img")
ok "the hosts have a disk" eval '[[ -b $T1 && -b $T2 ]]' || return
ok "and a power switch" power || return
ok "the configuration of their cluster" eval 'group && without_systemd' || return
ok "two hosts start" eval 'container_start t1 21 && container_start t2 22 && node_wait $HOSTS' || return
node_start n1 11
node_start n2 12 384M
ok "two nodes boot" node_wait n1 n2 || return
on t1 "sees the disk" "see_disk $T1 && have_switch" || return
on t2 "sees the disk" "see_disk $T2 && have_switch" || return
on t1 "makes a file system with a configuration" make_files || return
on "$HOSTS" "corosync starts, and has two votes" "corosync_start $NET.1.21 $NET.1.22" || return
on "$HOSTS" "Pacemaker starts" pacemaker_start || return
on t1 "Pacemaker sees both hosts" 'until_ok 90 online t1 t2; cat /run/mon; online t1 t2' || return
on t1 "Pacemaker takes the switch and the group" "
  cibadmin --modify --allow-create -o configuration --xml-file $LAB/power.xml &&
  cibadmin --modify --allow-create -o configuration --xml-file $LAB/configuration.xml" || return
there t1 || return
on t1 "two disks, which the configuration keeps" "
  swift-tgtadm lun add --target $IQN:shared --file /srv/iscsi/disk1.img --size 16MiB --cache writethrough --initiator $IQN:n1 --initiator $IQN:n2 &&
  swift-tgtadm lun add --target $IQN:shared --file /srv/iscsi/disk2.img --size 128MiB --cache writethrough &&
  grep disk2.img /srv/iscsi/targets.json" || return
ok "n1 n2: log in by the floating address" nodes_exec "n1 n2" "export REPLACEMENT_TIMEOUT=120; iscsi_start &&
  iscsiadm -m discovery -t sendtargets -p $ADDRESS:3260 &&
  iscsiadm -m node -T $IQN:shared -p $ADDRESS:3260 --login &&
  D=\$(lun_dev $IQN:shared 1 $ADDRESS) && E=\$(lun_dev $IQN:shared 2 $ADDRESS) &&
  echo D=\$D E=\$E >/run/disks" || return

# --- n1 is fenced, and does not take it
n1 "fence_scsi on, and it writes" 'fence n1 a1 on --aptpl && can_write $D'
n2 "fence_scsi on" 'fence n2 a2 on --aptpl && reserved_for a1 a2'
n2 "fence_scsi off of n1" 'fence n1 a1 off && reserved_for a2'
n1 "is refused at once, and tries without end" 'denied_at_once $D && try_without_end && [ ! -e /run/landed ]'
n2 "makes a file system on the other disk, and mounts it" \
  'grep "write through" /sys/block/${E##*/}/queue/write_cache && mkfs.ext4 -q $E && mount $E /mnt'
n2 "writes files there" 'write_on; acknowledges_on'

# --- in order
n2 "writes on the reserved disk" 'mark "written on t1" && marked "written on t1"'
on t1 "t1 is to stand by" 'crm_standby -N t1 -v on'
there t2
moved t1 a2
on t1 "nothing of the target is left" 'until_ok 10 has_stopped'
on t1 "t1 no longer stands by" 'crm_standby -N t1 -D'

# --- the host is cut off, lives on, and has to lose its power
n2 "registers another key" \
  'sg_persist -n --out --register --param-rk=0xa2 --param-sark=0xb2 --param-aptpl $D && reserved_for b2'
n2 "writes on the reserved disk" 'mark "written on t2" && marked "written on t2"'
ok "t2 is cut off from everybody" eval 'cable_out 22 0 && cable_out 22 1'
# t2 asks the same of t1. Nobody does it: that switch is on a network that t2 has lost.
ok "t1 asks that t2 loses its power" until_ok 90 test -e "$LAB/switch/t2.t1"
on t2 "t2 has the target still, for nobody" serves
on t1 "t1 takes nothing as long as t2 has its power" 'sleep 3; has_stopped'
ok "t2 loses its power, and its page cache with it" lose_power t2 "$T2"
there t1
moved t2 b2

n2 "ends to write, and has met no error" stop_writing
n2 "the kernel has met none" '! dmesg | grep -E "I/O error|EXT4-fs error|EXT4-fs warning"'
n2 "it never waited longer than 90 s" \
  'pauses | head -5 | tee /run/pauses; [ "$(head -1 /run/pauses | cut -d . -f 1)" -lt 90 ]'
n2 "mounted anew, every file that was acknowledged is there" \
  'umount /mnt && fsck.ext4 -fn $E && mount -o ro $E /mnt &&
   python3 $ACKNOWLEDGE check /mnt /lab/n2-files && umount /mnt'
n1 "fence_scsi on: its writes land again" 'fence n1 a1 on --aptpl && until_ok 20 test -e /run/landed'
n2 "sees both keys" 'ready && reserved_for b2 a1'
ok "the nodes are switched off" node_kill n1 n2
on t1 "the target ends in order" 'crm_standby -N t1 -v on; until_ok 60 has_stopped'
ok "t1 is switched off" node_kill t1
ok "the file system that moved is sound" fsck.ext4 -fn "$LAB/shared-disk.img"
