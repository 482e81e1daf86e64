# What a cluster guide does with its targets.conf works as it stands. Three targets, imported; each node sees its own;
# fdisk, ext4, fstab with _netdev, a reboot, and LVM on the shared disk.
# client open-iscsi: a cluster guide's targets.conf; CHAP, fstab with _netdev, a reboot
# client lvm2: a volume group on the shared disk, found by the other node
# packages: fdisk lvm2 udev dmsetup
# shellcheck shell=bash disable=SC2016,SC2154
RESOURCE=srv1512nas.clu-xlu-resource QUORUM=srv1512nas.clu-xlu-quorum
CHAP="node.session.auth.authmethod=CHAP node.session.auth.username=iscsiadm node.session.auth.password=123456789adm"

import() {
  local name
  for name in resource quorum1 quorum2; do truncate -s 256M "$LAB/$name.img" || return; done
  cat >"$LAB/targets.conf" <<END
<target $RESOURCE>
    backing-store $LAB/resource.img
    initiator-address $NET.0.11
    initiator-address $NET.0.12
    incominguser iscsiadm 123456789adm
</target>
<target ${QUORUM}1>
    backing-store $LAB/quorum1.img
    initiator-address $NET.0.11
    incominguser iscsiadm 123456789adm
</target>
<target ${QUORUM}2>
    backing-store $LAB/quorum2.img
    initiator-address $NET.0.12
    incominguser iscsiadm 123456789adm
</target>
END
  adm config import "$LAB/targets.conf" --output "$LAB/imported.json" && adm config check "$LAB/imported.json"
}
ok "the guide's targets.conf is imported" import || return
ok "with a place for the daemon's state" target_takes "$LAB/imported.json" || return
ok "the target serves it" target_start || return
node_start n1 11 384M
node_start n2 12 384M
ok "two nodes boot" node_wait n1 n2 || return
for n in 1 2; do
  in_node n$n "discovers the shared disk and its own quorum disk, not the other's" "iscsi_start && udev_start
    iscsiadm -m discovery -t sendtargets -p $PORTAL | tee /run/found
    [ \$(wc -l </run/found) = 2 ] && grep -q $RESOURCE /run/found && grep -q ${QUORUM}$n /run/found"
  in_node n$n "logs in to both with CHAP" \
    "iscsi_login $RESOURCE $PORTAL -- $CHAP && iscsi_login ${QUORUM}$n $PORTAL -- $CHAP && lun_dev $RESOURCE 1 && lun_dev ${QUORUM}$n 1"
done
# tgt makes it of the numbers of target and LUN; tgt-admin counts targets in the order of their names.
in_node n1 "the disk has the WWID that tgt gave it" \
  "D=\$(lun_dev $RESOURCE 1)"'; /lib/udev/scsi_id -g -u -d $D | tee /dev/stderr | grep -qx 360000000000000000e00000000030001'
in_node n1 "fdisk makes a partition of type 83" \
  "D=\$(lun_dev $RESOURCE 1)"'; printf "n\np\n1\n\n+64M\nt\n83\nw\n" | fdisk $D; part() { [ -b ${D}1 ]; }; until_ok 10 part && fdisk -l $D | grep -q "83 Linux"'
in_node n1 "ext4, mounted by fstab with _netdev" \
  "D=\$(lun_dev $RESOURCE 1)"'; mkfs.ext4 -q ${D}1 && echo "UUID=$(blkid -o value -s UUID ${D}1) /mnt ext4 _netdev 0 0" | tee /etc/fstab /lab/n1/fstab && mount -a -O _netdev && date >/mnt/file && cp /mnt/file /lab/n1/file && umount /mnt'
reboot() { node_stop n1 && node_start n1 11 384M && node_wait n1; }
ok "n1 reboots" reboot
in_node n1 "its file is where fstab mounts it" \
  "iscsi_start && udev_start && iscsi_login $RESOURCE $PORTAL -- $CHAP && lun_dev $RESOURCE 1"' && cp /lab/n1/fstab /etc/fstab && udevadm settle && mount -a -O _netdev && cmp /mnt/file /lab/n1/file && umount /mnt'
in_node n2 "vgcreate stor_vg and lvcreate stor_lv on what is left" \
  "D=\$(lun_dev $RESOURCE 1)"'; modprobe dm_mod; printf "n\np\n2\n\n\nt\n2\n8e\nw\n" | fdisk $D; part() { [ -b ${D}2 ]; }; until_ok 10 part &&
   pvcreate ${D}2 && vgcreate stor_vg ${D}2 && lvcreate -y -L 64M -n stor_lv stor_vg && mkfs.ext4 -q /dev/stor_vg/stor_lv && vgchange -an stor_vg'
in_node n1 "finds the volume after a rescan" \
  "D=\$(lun_dev $RESOURCE 1)"'; modprobe dm_mod; blockdev --rereadpt $D; part() { [ -b ${D}2 ]; }; until_ok 10 part; pvscan --cache ${D}2; vgchange -ay stor_vg && fsck.ext4 -fn /dev/stor_vg/stor_lv && vgchange -an stor_vg'
for n in n1 n2; do in_node $n "logs out of the shared disk" "iscsiadm -m node -T $RESOURCE -p $PORTAL --logout"; done
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
