# The nodes of a LIO find their disk again after the move: by its WWID, behind the same names and passwords. Its
# saveconfig.json is imported; a file system that is known by its UUID is mounted, and who might only read still may.
# client open-iscsi: the saveconfig.json of a LIO; CHAP of each node, the disk's WWID, one node that only reads
# packages: udev
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
TARGET=iqn.2003-01.org.linux-iscsi.storage:shared

import() {
  cat >"$LAB/saveconfig.json" <<END &&
{
  "storage_objects": [
    {"attributes": {"block_size": 512, "emulate_tpu": 1, "emulate_write_cache": 1}, "dev": "$LAB/disk1.img",
      "name": "disk1", "plugin": "fileio", "size": 268435456, "write_back": true,
      "wwn": "f6a4c1c2-2f5b-4b0d-9b5e-0a1b2c3d4e5f"}
  ],
  "targets": [
    {"fabric": "iscsi", "wwn": "$TARGET", "tpgs": [
      {"attributes": {"authentication": 1, "generate_node_acls": 0}, "enable": true, "tag": 1,
        "luns": [{"alias": "1", "index": 0, "storage_object": "/backstores/fileio/disk1"}],
        "node_acls": [
          {"chap_userid": "node1", "chap_password": "secret-of-node1", "node_wwn": "$IQN:n1",
            "mapped_luns": [{"alias": "2", "index": 0, "tpg_lun": 0, "write_protect": false}]},
          {"chap_userid": "node2", "chap_password": "secret-of-node2", "node_wwn": "$IQN:n2",
            "mapped_luns": [{"alias": "3", "index": 0, "tpg_lun": 0, "write_protect": true}]}],
        "portals": [{"ip_address": "0.0.0.0", "iser": false, "port": 3260}]}]}
  ]
}
END
    adm config import "$LAB/saveconfig.json" --output "$LAB/imported.json" && adm config check "$LAB/imported.json"
}
chap() { echo "node.session.auth.authmethod=CHAP node.session.auth.username=$1 node.session.auth.password=$2"; }
IN_NODE="D=/dev/disk/by-path/ip-$PORTAL-iscsi-$TARGET-lun-0; "

# What the file system was that LIO served.
ok "a file system is in the file" eval 'truncate -s 256M "$LAB/disk1.img" && mkfs.ext4 -q "$LAB/disk1.img"' || return
ok "LIO's saveconfig.json is imported" import || return
ok "with a place for the daemon's state" target_takes "$LAB/imported.json" || return
ok "the target serves it" target_start || return
node_start n1 11 384M
node_start n2 12 384M
ok "two nodes boot" node_wait n1 n2 || return
for n in 1 2; do
  in_node n$n "discovers the target" "iscsi_start && udev_start
    iscsiadm -m discovery -t sendtargets -p $PORTAL | tee /run/found && grep -q $TARGET /run/found"
done
not_in_node n1 "with the password of the other it is refused" "iscsi_login $TARGET $PORTAL -- $(chap node2 secret-of-node2)"
for n in 1 2; do
  in_node n$n "logs in with its own" "iscsi_login $TARGET $PORTAL -- $(chap node$n secret-of-node$n) && until_ok 10 test -b \$D"
done
in_node n1 "the disk has the WWID that LIO gave it" \
  '/lib/udev/scsi_id -g -u -d $D | tee /dev/stderr | grep -qx 36001405f6a4c1c22f5b4b0d9b5e0a1b2'
in_node n1 "mounts the file system by its UUID, and writes" \
  'mount UUID=$(blkid -o value -s UUID $D) /mnt && date >/mnt/file && umount /mnt'
in_node n2 "may read" 'can_read $D && mount -o ro,noload $D /mnt && grep -q . /mnt/file && umount /mnt'
not_in_node n2 "may not write" 'can_write $D'
ok "the target has both sessions" adm_says "$IQN:n2" session list
ok "doctor finds nothing wrong" adm doctor
for n in 1 2; do in_node n$n "logs out" "iscsiadm -m node -T $TARGET -p $PORTAL --logout"; done
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
