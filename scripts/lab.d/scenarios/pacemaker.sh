# Pacemaker fences a node that is cut off, moves what it ran, and takes it back. Three nodes with corosync and
# stonith:fence_scsi (unfencing); a volume group on the shared disk, which has one owner at a time (LVM-activate with
# system_id), a file system, an address and a web server, asked from outside.
# The nodes talk by one network and have their disks by the other, so that who is cut off could still write.
# client pacemaker: three nodes; who is cut off is fenced, unfenced when it is back, and its group moves
# client fence-agents: stonith:fence_scsi with unfencing, two disks
# client resource-agents: LVM-activate with system_id, Filesystem, IPaddr2, on the shared disk
# packages: corosync pacemaker pacemaker-cli-utils resource-agents busybox psmisc procps lvm2 udev dmsetup
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
. "$LAB_PARTS/pacemaker.sh"
ADDRESS=$NET.0.100
PARTS='
keys_are() { sg_turs $D >/dev/null 2>&1; keys $D | tee /dev/stderr | wc -w | grep -qx $1; }
owned_by() { vgs --foreign --noheadings -o systemid shared | tee /dev/stderr | grep -qx " *$1 *"; }
'
# The names that udev gives them are the same on every node.
D=/dev/disk/by-path/ip-$HOST1:3260-iscsi-$IQN:shared-lun-1
E=/dev/disk/by-path/ip-$HOST1:3260-iscsi-$IQN:shared-lun-2
IN_NODE="D=$D E=$E; $CLUSTER$PARTS" IN_NODE_SECONDS=120
# The owner of a volume group is a node's name; another sees it, and may not use it.
VOLUMES='udev_start && modprobe dm_mod && mkdir -p /etc/lvm /run/lvm &&
  printf "global { system_id_source=uname }\n" >/etc/lvm/lvmlocal.conf && '
serve_disks() {
  target_start && serve shared 256MiB --initiator $IQN:n1 --initiator $IQN:n2 --initiator $IQN:n3 && serve shared 16MiB
}
log_in() {
  in_node "$1" "logs in by the other network" "${VOLUMES}iscsi_start && iscsiadm -m discovery -t sendtargets -p $HOST1:3260 &&
    iscsiadm -m node -T $IQN:shared -p $HOST1:3260 --login &&
    until_ok 10 test -b $D && until_ok 10 test -b $E"
}

configuration() {
  cat >"$LAB/configuration.xml" <<END
<configuration>
<crm_config><cluster_property_set id="options">
 <nvpair id="stonith" name="stonith-enabled" value="true"/>
 <nvpair id="quorum" name="no-quorum-policy" value="freeze"/>
</cluster_property_set></crm_config>
<rsc_defaults><meta_attributes id="defaults">
 <nvpair id="stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>
<resources>
 <primitive id="fence" class="stonith" type="fence_scsi">
  <instance_attributes id="fence-i">
   <nvpair id="fence-devices" name="devices" value="$D,$E"/>
   <nvpair id="fence-hosts" name="pcmk_host_list" value="n1 n2 n3"/>
   <nvpair id="fence-monitor" name="pcmk_monitor_action" value="metadata"/>
   <nvpair id="fence-reboot" name="pcmk_reboot_action" value="off"/>
  </instance_attributes>
  <meta_attributes id="fence-m"><nvpair id="fence-provides" name="provides" value="unfencing"/></meta_attributes>
 </primitive>
 <group id="web">
  <primitive id="volume" class="ocf" provider="heartbeat" type="LVM-activate">
   <instance_attributes id="volume-i">
    <nvpair id="volume-group" name="vgname" value="shared"/>
    <nvpair id="volume-name" name="lvname" value="files"/>
    <nvpair id="volume-mode" name="vg_access_mode" value="system_id"/>
   </instance_attributes>
   <operations><op id="volume-start" name="start" interval="0" timeout="60s"/><op id="volume-stop" name="stop" interval="0" timeout="60s"/></operations>
  </primitive>
  <primitive id="disk" class="ocf" provider="heartbeat" type="Filesystem">
   <instance_attributes id="disk-i">
    <nvpair id="disk-device" name="device" value="/dev/shared/files"/>
    <nvpair id="disk-directory" name="directory" value="/srv"/>
    <nvpair id="disk-fstype" name="fstype" value="ext4"/>
   </instance_attributes>
   <operations><op id="disk-start" name="start" interval="0" timeout="60s"/><op id="disk-stop" name="stop" interval="0" timeout="60s"/></operations>
  </primitive>
  <primitive id="address" class="ocf" provider="heartbeat" type="IPaddr2">
   <instance_attributes id="address-i">
    <nvpair id="address-ip" name="ip" value="$ADDRESS"/>
    <nvpair id="address-mask" name="cidr_netmask" value="24"/>
   </instance_attributes>
  </primitive>
  <primitive id="server" class="ocf" provider="heartbeat" type="anything">
   <instance_attributes id="server-i">
    <nvpair id="server-program" name="binfile" value="/bin/busybox"/>
    <nvpair id="server-options" name="cmdline_options" value="httpd -f -p 80 -h /srv"/>
   </instance_attributes>
  </primitive>
 </group>
</resources>
<constraints><rsc_location id="first" rsc="web" node="n1" score="50"/></constraints>
</configuration>
END
}

# page TEXT: the web server answers with that, from the shared disk.
page() {
  local answer
  answer=$(exec 2>/dev/null 3<>"/dev/tcp/$ADDRESS/80" && printf 'GET /page HTTP/1.0\r\n\r\n' >&3 && timeout 5 cat <&3)
  [[ $answer = *"$1"* ]]
}

ok "the target serves on two networks" serve_disks || return
corosync_conf >"$LAB/corosync.conf"
configuration
for n in 1 2 3; do node_start n$n 1$n 512M; done
ok "three nodes boot" node_wait n1 n2 n3 || return
for n in n1 n2 n3; do log_in $n || return; done
in_nodes "n1 n2 n3" "corosync starts, and has three votes" "$COROSYNC" 180 || return
in_node n1 "makes a volume of its own, with a file system and a page" \
  'pvcreate $D && vgcreate shared $D && lvcreate -y -L 160M -n files shared && mkfs.ext4 -q /dev/shared/files &&
   mount /dev/shared/files /srv && echo "page of n1" >/srv/page && umount /srv && vgchange -an shared && owned_by n1' || return
in_node n2 "sees it, and may not use it" 'pvscan --cache; owned_by n1 && ! vgchange -ay shared && [ ! -e /dev/shared/files ]'
in_nodes "n1 n2 n3" "Pacemaker starts" "$PACEMAKER" 180 || return
sees_all n1 || return
in_node n1 "Pacemaker takes the configuration" 'cibadmin --modify --allow-create -o configuration --xml-file /lab/configuration.xml' || return
in_node n2 "all three are unfenced: three keys, reserved for who is registered" \
  'three() { keys_are 3 2>/dev/null; }; until_ok 90 three; keys_are 3 && sg_persist -n -i -r $D | tee /dev/stderr | grep -q "Write Exclusive, registrants only"'
comes_to n2 "the web server runs on n1" server n1 || return
ok "it answers from the shared disk" until_ok 60 page "page of n1"
in_node n1 "begins to write there without end" \
  '(while dd if=/dev/zero of=/srv/log bs=64k count=4 conv=fsync 2>/run/dd; do echo $((++rounds)) >/run/rounds; done) >/dev/null 2>&1 &
   written() { [ -e /run/rounds ]; }; until_ok 20 written'

# --- n1 is cut off
ok "n1 is cut off from the others, not from its disks" cable_out 11
in_node n2 "n1 is fenced: its key is gone from both disks" \
  'two() { keys_are 2 2>/dev/null; }; until_ok 90 two; keys_are 2 && D=$E && keys_are 2'
in_node n1 "is refused at once, though it runs on" 'denied_at_once $E && mountpoint /srv'
comes_to n2 "the web server moves" server "n2|n3" || return
ok "it answers with the same page" until_ok 60 page "page of n1"
OWNER=$(owner server)
in_node n2 "the volume group has moved with it" "owned_by $OWNER"
in_node "$OWNER" "writes a new page" 'echo "page of another" >/srv/page && sync'
ok "it answers with the new page" until_ok 10 page "page of another"
ok "the target says who holds what" adm_says "Registrants Only" reservation list
ok "the target says who is registered" adm_says "$IQN:n2" reservation show disk1

# --- n1 comes back
ok "n1 is switched off" node_kill n1
ok "n1 has its cable again" cable_in 11
node_start n1 11 512M
ok "n1 boots" node_wait n1 || return
log_in n1
in_node n1 "is fenced still" 'denied_at_once $E && keys_are 2'
in_node n1 "corosync and Pacemaker start" "$COROSYNC && $PACEMAKER" 200
in_node n1 "is unfenced: its key is back, and it writes" 'three() { keys_are 3 2>/dev/null; }; until_ok 90 three; keys_are 3 && D=$E && keys_are 3 && can_write $E'
in_node n2 "the web server stays where it is" "runs_on server $OWNER"
in_node n1 "sees whose the volume group is, and has no volume" "owned_by $OWNER && [ ! -e /dev/shared/files ]"
in_node "$OWNER" "has met no error of the disk or its file system" '! dmesg | grep -E "EXT4-fs error|I/O error|nexus error"'
ok "the nodes are switched off" node_kill n1 n2 n3
ok "the target forgets who was registered" adm_says "cleared" reservation clear disk1 --yes
ok "the target ends in order" target_stop
