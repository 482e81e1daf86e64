# Pacemaker's agents iSCSITarget and iSCSILogicalUnit move a target between two hosts, and its initiator goes on writing.
# Both hosts have the file that is behind the LUN, the daemon, and one floating address between them; the agents use
# tgtadm (implementation=tgt). The target moves in order, when the daemon is killed, and when its host is cut off and
# then dies. Nobody is fenced: the lock of the store alone keeps the second host from writing beside the first.
# The hosts are containers, as between user-mode kernels no lock of a file holds.
# client resource-agents: iSCSITarget and iSCSILogicalUnit (implementation=tgt) on two hosts
# client pacemaker: moves the target in order, after kill -9, and from a host that is cut off
# client linux: writes to ext4 go on through each move of the target
# packages: corosync pacemaker pacemaker-cli-utils resource-agents fio
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
. "$LAB_PARTS/container.sh"
ADDRESS=$NET.0.100 STORE=$LAB/shared.img TARGET=$IQN:shared
HOSTS="t1 t2"
AGENTS=". $LAB_PARTS/agents.sh; " INITIATOR=". $LAB_PARTS/acknowledge.sh; D=/dev/sda; "
IN_NODE_SECONDS=120
on() { IN_NODE=$AGENTS in_nodes "$@"; }          # "HOST..." CLAIM CODE [SECONDS]
n1() { IN_NODE=$INITIATOR in_node n1 "$@"; }     # CLAIM CODE [SECONDS]

# primitive NAME AGENT [PARAMETER=VALUE...]: a resource, as Pacemaker has it in its configuration.
values() {
  local of=$1 pair; shift
  echo "<instance_attributes id=\"$of-values\">"
  for pair; do echo "<nvpair id=\"$of-${pair%%=*}\" name=\"${pair%%=*}\" value=\"${pair#*=}\"/>"; done
  echo "</instance_attributes>"
  echo "<operations><op id=\"$of-start\" name=\"start\" interval=\"0\" timeout=\"60s\"/>"
  echo "<op id=\"$of-stop\" name=\"stop\" interval=\"0\" timeout=\"60s\"/>"
  echo "<op id=\"$of-monitor\" name=\"monitor\" interval=\"3s\" timeout=\"60s\"/></operations>"
}
primitive() { echo "<primitive id=\"$1\" class=\"ocf\" provider=\"heartbeat\" type=\"$2\">"; values "$1" "${@:3}"; echo "</primitive>"; }
# The address comes last and goes first: initiators find nothing while the rest is half there.
# bsoflags=sync: a host that dies takes its page cache with it.
configuration() {
  cat <<END
<configuration>
<crm_config><cluster_property_set id="options">
 <nvpair id="stonith" name="stonith-enabled" value="false"/>
</cluster_property_set></crm_config>
<rsc_defaults><meta_attributes id="defaults">
 <nvpair id="stickiness" name="resource-stickiness" value="100"/>
</meta_attributes></rsc_defaults>
<resources><group id="iscsi">
$(primitive target iSCSITarget implementation=tgt "iqn=$TARGET" tid=1 "allowed_initiators=$NET.0.11" \
    incoming_username=alice incoming_password=alice-secret-01)
$(primitive unit iSCSILogicalUnit implementation=tgt "target_iqn=$TARGET" lun=1 "path=$STORE" scsi_id=shared-disk-0001 \
    scsi_sn=serial4711 vendor_id=ACME product_id=SharedDisk tgt_bsoflags=sync)
$(primitive address IPaddr2 "ip=$ADDRESS" cidr_netmask=24)
</group></resources>
<constraints><rsc_location id="first" rsc="iscsi" node="t1" score="50"/></constraints>
</configuration>
END
}
CHAP="node.session.auth.authmethod=CHAP node.session.auth.username=alice node.session.auth.password=alice-secret-01"
# What tells one disk from another: identification, serial number, vendor and product.
WHO='who() { sg_vpd -p di -H $D && sg_vpd -p sn -H $D && sg_inq $D; }'
FIO='fio --name=load --directory=/mnt --size=24M --rw=randwrite --bs=4k --ioengine=libaio --iodepth=8 --direct=1 --rate_iops=50 \
  --verify=crc32c --verify_backlog=256 --verify_fatal=1 --time_based --runtime=600 --output-format=json \
  --output=/run/fio.json >/run/fio.log 2>&1 & echo $! >/run/fio
  written() { [ "$(stat -c %b /mnt/load.0.0 2>/dev/null || echo 0)" -gt 0 ]; }; until_ok 30 written'
# Errors, writes, and the longest of them in milliseconds.
FIO_ENDS='kill -INT $(</run/fio); ended() { ! readlink /proc/$(</run/fio)/exe; }; until_ok 60 ended; cat /run/fio.log
  sed -i -n "/^{/,\$p" /run/fio.json; read -r errors writes longest <<<$(python3 -c "import json; job = json.load(open(\"/run/fio.json\"))[\"jobs\"][0]; write = job[\"write\"]
print(job[\"error\"], write[\"total_ios\"], write[\"clat_ns\"][\"max\"] // 1000000)"); echo "$errors errors, $writes writes, the longest $longest ms"'
there() { on t2 "the target is on $1" "until_ok 90 runs_on $1; crm_mon -1rf; runs_on $1"; }
goes_on() {
  n1 "writes on" acknowledges_on
  n1 "the disk is the one it was" "$WHO; who | diff /run/who -"
}

configuration >"$LAB/configuration.xml"
(umask 077 && truncate -s 256M "$STORE")
ok "two hosts start" eval 'container_start t1 21 && container_start t2 22 && node_wait $HOSTS' || return
node_start n1 11 384M
ok "a node boots" node_wait n1 || return
on "$HOSTS" "the daemon serves nothing" daemon_start || return
on "$HOSTS" "corosync starts, and has two votes" "corosync_start $NET.1.21 $NET.1.22" || return
on "$HOSTS" "Pacemaker starts" pacemaker_start || return
on t1 "Pacemaker sees both hosts" 'until_ok 90 online t1 t2; cat /run/mon; online t1 t2' || return
on t1 "Pacemaker takes the configuration" "cibadmin --modify --allow-create -o configuration --xml-file $LAB/configuration.xml"
there t1 || return
n1 "logs in by the floating address, with CHAP" \
  "export REPLACEMENT_TIMEOUT=120; iscsi_start && iscsi_login $TARGET $ADDRESS:3260 -- $CHAP && [ \$(lun_dev $TARGET 1) = \$D ]" || return
n1 "the disk has what the agents were told, and no volatile cache" \
  "$WHO; who >/run/who; cat /run/who; grep ACME /run/who && grep SharedDisk /run/who && grep serial4711 /run/who &&
   grep 'write through' /sys/block/sda/queue/write_cache"
n1 "makes a file system and mounts it" 'mkfs.ext4 -q $D && mount $D /mnt'
n1 "writes files, and fio writes and verifies beside it" "write_on; $FIO && acknowledges_on"

# --- in order
on t1 "t1 is to stand by" 'crm_standby -N t1 -v on'
there t2
goes_on
on t1 "its daemon has nothing more to serve" '[ -z "$(tgtadm --mode target --op show)" ] && [ -z "$(tgtadm --mode account --op show)" ]'
on t1 "t1 no longer stands by" 'crm_standby -N t1 -D'

# --- the daemon dies
on t2 "kill -9 of the daemon" daemon_kill
there t1
goes_on
on t2 "the daemon starts again, and t2 is forgiven" 'daemon_start && crm_resource --cleanup'

# --- the host is cut off, lives on, and dies: two hosts have the target, the file and the address
ok "t1 is cut off from everybody" eval 'cable_out 21 0 && cable_out 21 1'
there t2
on t2 "its LUN waits for the lock that t1 still holds" 'swift-tgtadm status; is_online No'
n1 "nothing is acknowledged meanwhile" 'sleep 4; before=$(acknowledged n1); sleep 3; [ $before = $(acknowledged n1) ]'
on t1 "t1 serves it still, for nobody" 'is_online Yes'
ok "t1 dies" node_kill t1
goes_on
on t2 "its LUN serves" 'is_online Yes'

n1 "ends to write, and has met no error" stop_writing
n1 "fio has met no error and no wrong byte" \
  "$FIO_ENDS; ((errors == 0 && writes > 500 && longest < 60000))"
n1 "the kernel has met none" '! dmesg | grep -E "I/O error|EXT4-fs error|EXT4-fs warning"'
n1 "it never waited longer than 60 s" 'pauses | head -5 | tee /run/pauses; [ "$(head -1 /run/pauses | cut -d . -f 1)" -lt 60 ]'
n1 "mounted anew, every file that was acknowledged is there" \
  'umount /mnt && fsck.ext4 -fn $D && mount -o ro $D /mnt && python3 $ACKNOWLEDGE check /mnt /lab/n1-files && umount /mnt'
n1 "logs out" "iscsiadm -m node -T $TARGET -p $ADDRESS:3260 --logout"
ok "the node powers off" node_stop n1
on t2 "the daemon ends in order" daemon_stop
ok "the host is switched off" node_kill t2
