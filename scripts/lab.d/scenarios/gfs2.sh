# A node of a GFS2 cluster dies, is fenced by fence_scsi, and the other goes on with every file that was acknowledged.
# Two nodes with corosync, DLM and lvmlockd; a shared volume group, its volume mounted and written on both.
# client gfs2-utils: a file system written on both nodes; a journal replayed after a crash; fsck
# client dlm-controld: fences the crashed node by fence_scsi, and lets it in again
# client corosync: two nodes; one dies, and the other goes on
# client lvm2-lockd: a shared volume group; one volume active on both nodes
# packages: corosync dlm-controld gfs2-utils lvm2 lvm2-lockd udev dmsetup
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
# The name that udev gives it is the same on every node.
D=/dev/disk/by-path/ip-$PORTAL-iscsi-$IQN:shared-lun-1
IN_NODE=". $LAB_PARTS/gfs2.sh; D=$D; "
LOG_IN="iscsi_start && udev_start && iscsi_login $IQN:shared $PORTAL -- && until_ok 10 test -b $D"
IN_NODE_SECONDS=130
serve_shared() { target_start && serve shared 256MiB --initiator $IQN:n1 --initiator $IQN:n2; }
JOIN='corosync_start && until_ok 60 members 2'

ok "the target serves" serve_shared || return
node_start n1 11 384M
node_start n2 12 384M
ok "two nodes boot" node_wait n1 n2 || return
ok "n1 n2: log in" nodes_exec "n1 n2" "$LOG_IN" || return
in_nodes "n1 n2" "are members of one cluster" "$JOIN" || return
in_nodes "n1 n2" "DLM, which lets each in by its key" 'dlm_start && until_ok 60 registered "0xa1 0xa2 "; registered "0xa1 0xa2 "'
in_node n1 "the reservation is for those who are registered" 'sg_persist -n -i -r $D | tee /dev/stderr | grep -q "Write Exclusive, registrants only"'
in_nodes "n1 n2" "lvmlockd" 'lvm_start' || return
in_node n1 "vgcreate --shared and lvcreate" \
  'pvcreate $D && vgcreate --shared --lock-type dlm shared $D && lvcreate -y -asy -l 100%FREE -n files shared && lvs -o+lock_args shared'
in_node n2 "vgchange --lockstart" 'pvscan --cache $D; vgchange --lockstart shared && vgs shared'
in_node n1 "mkfs.gfs2 with two journals" 'mkfs.gfs2 -O -q -p lock_dlm -t lab:files -j 2 -J 8 /dev/shared/files'
in_nodes "n1 n2" "mount it" 'lvchange -asy shared/files && mount_files' || return
in_nodes "n1 n2" "write, and append to one file under a lock" 'write_on; acknowledges_on'
in_node n2 "every file of both is there" 'python3 $HERE/acknowledge.py check /mnt /lab/n1-files /lab/n2-files'

ok "n1 dies" node_kill n1
in_node n2 "has fenced n1: its key is gone" 'until_ok 30 registered "0xa2 "; dlm_tool status; sg_persist -n -i -k $D; registered "0xa2 "'
in_node n2 "has replayed the journal of n1" 'replayed() { dmesg | grep "Replaying journal"; }; until_ok 30 replayed; dmesg | grep gfs2; replayed'
in_node n2 "writes on" acknowledges_on
in_node n2 "every file that was acknowledged is there" 'python3 $HERE/acknowledge.py check /mnt /lab/n1-files /lab/n2-files'

node_start n1 11 384M
ok "n1 boots again" node_wait n1 || return
ok "n1: logs in again" node_exec n1 "$LOG_IN"
in_node n1 "is a member again, and its key is back" "$JOIN"' && dlm_start && until_ok 60 registered "0xa1 0xa2 "; keys $D; registered "0xa1 0xa2 "'
in_node n1 "has the volume again" 'lvm_start && pvscan --cache $D && vgchange --lockstart shared && lvchange -asy shared/files'
in_node n1 "mounts again, and writes" 'mount_files && write_on && acknowledges_on'
in_node n1 "every file that was acknowledged is there" 'python3 $HERE/acknowledge.py check /mnt /lab/n1-files /lab/n2-files'
in_nodes "n1 n2" "end to write" stop_writing
in_nodes "n1 n2" "unmount" 'umount /mnt && lvchange -an shared/files'
in_node n1 "the file system is clean" 'lvchange -aey shared/files && fsck.gfs2 -n /dev/shared/files'
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
