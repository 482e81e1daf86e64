# open-iscsi discovers, logs in by CHAP both ways, is refused where it must be, and finds its bytes again. Digests in
# every mix, a file system that outlives logout and a restart of the target, a node that must not see a target.
# client open-iscsi: discovery, CHAP one way and mutual, digests in every mix, a restart of the target
# shellcheck shell=bash disable=SC2154
ALICE="node.session.auth.authmethod=CHAP node.session.auth.username=alice"
BOB="node.session.auth.authmethod=CHAP node.session.auth.username=bob node.session.auth.password=bob-secret-0002 node.session.auth.username_in=target"

serve_three() {
  target_start &&
    serve chap 256MiB --any && secret alice-secret-01 chap add --target $IQN:chap alice &&
    serve mutual 256MiB --any && secret bob-secret-0002 chap add --target $IQN:mutual bob &&
    secret target-secret-3 chap add --target $IQN:mutual --mutual target &&
    serve closed 32MiB --initiator $IQN:n1
}
ok "the target serves" serve_three || return

login() { echo "iscsi_login $IQN:$1 $PORTAL -- $2"; }
logout() { echo "iscsiadm -m node -T $IQN:$1 -p $PORTAL --logout"; }

node_start n1 11
node_start n2 12
ok "two nodes boot" node_wait n1 n2 || return
in_node n1 "iscsi_tcp and iscsid start" iscsi_start
in_node n2 "iscsi_tcp and iscsid start" iscsi_start

in_node n1 "discovery shows the member all three targets" \
  "iscsiadm -m discovery -t sendtargets -p $PORTAL | tee /run/interop-d; for t in chap mutual closed; do grep -q $IQN:\$t /run/interop-d || exit 1; done"
in_node n2 "discovery shows the outsider two targets and not the closed one" \
  "iscsiadm -m discovery -t sendtargets -p $PORTAL | tee /run/interop-d; grep -q $IQN:chap /run/interop-d && ! grep -q $IQN:closed /run/interop-d"
not_in_node n2 "the outsider cannot log in to the closed target" "$(login closed '')"
in_node n1 "the member logs in to the closed target" "iscsiadm -m node -T $IQN:closed -p $PORTAL --login && lun_dev $IQN:closed 1"
in_node n1 "the member logs out" "$(logout closed)"

not_in_node n1 "login without CHAP is refused" "iscsiadm -m node -T $IQN:chap -p $PORTAL --login"
not_in_node n1 "CHAP with a wrong secret is refused" "$(login chap "$ALICE node.session.auth.password=wrong-secret-99")"
in_node n1 "CHAP logs in" "$(login chap "$ALICE node.session.auth.password=alice-secret-01") && lun_dev $IQN:chap 1"
in_node n1 "the kernel reads identity, pages and capacity" \
  "d=\$(lun_dev $IQN:chap 1); sg_inq \$d && sg_vpd -p di \$d && sg_vpd -p bl \$d && sg_readcap -l \$d && sg_luns \$d"
in_node n1 "mkfs.ext4, mount, 32 MiB written" \
  "d=\$(lun_dev $IQN:chap 1); mkfs.ext4 -q \$d && mount \$d /mnt && dd if=/dev/urandom of=/mnt/f bs=1M count=32 status=none && sha256sum /mnt/f >/run/interop-sum && umount /mnt"
in_node n1 "logout" "$(logout chap)"
VERIFY="d=\$(lun_dev $IQN:chap 1) && fsck.ext4 -fn \$d && mount -o ro \$d /mnt && sha256sum -c /run/interop-sum && umount /mnt"
in_node n1 "login again, fsck, the same bytes" "iscsiadm -m node -T $IQN:chap -p $PORTAL --login && $VERIFY"
in_node n1 "logout before the restart" "$(logout chap)"
ok "the target ends in order at SIGTERM" target_stop
ok "the target starts again" target_start
in_node n1 "after it the same bytes" "iscsiadm -m node -T $IQN:chap -p $PORTAL --login && $VERIFY"
in_node n1 "logout after the restart" "$(logout chap)"

not_in_node n1 "mutual CHAP with another target secret does not log in" "$(login mutual "$BOB node.session.auth.password_in=wrong-secret-99")"
in_node n1 "mutual CHAP logs in" "$(login mutual "$BOB node.session.auth.password_in=target-secret-3") && lun_dev $IQN:mutual 1"
in_node n1 "logout of the mutual target" "$(logout mutual)"

in_node n1 "16 MiB of random data" "dd if=/dev/urandom of=/run/interop-r bs=1M count=16 status=none"
for digests in "CRC32C CRC32C" "CRC32C None" "None CRC32C"; do
  read -r header data <<<"$digests"
  in_node n1 "digests $header (header), $data (data): negotiated, written and read back past the cache" "
    iscsiadm -m node -T $IQN:mutual -p $PORTAL -o update -n node.conn[0].iscsi.HeaderDigest -v $header
    iscsiadm -m node -T $IQN:mutual -p $PORTAL -o update -n node.conn[0].iscsi.DataDigest -v $data
    iscsiadm -m node -T $IQN:mutual -p $PORTAL --login && iscsiadm -m session -P 2 >/run/interop-s && grep Digest /run/interop-s &&
    grep -q 'HeaderDigest: $header' /run/interop-s && grep -q 'DataDigest: $data' /run/interop-s && d=\$(lun_dev $IQN:mutual 1) &&
    dd if=/run/interop-r of=\$d bs=256k oflag=direct status=none && dd if=\$d bs=64k count=256 iflag=direct status=none | cmp - /run/interop-r
    rc=\$?; iscsiadm -m node -T $IQN:mutual -p $PORTAL --logout; exit \$rc"
done
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
