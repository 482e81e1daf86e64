# A Linux kernel as the initiator: discovery, CHAP, mutual CHAP, refusals, digests, a file system that
# outlives logout and a restart of the target, and a node that is not allowed to see anything.
# shellcheck shell=bash disable=SC2034,SC2154,SC1090
if [[ -e $LAB_TARGETS/target-$TARGET.sh ]]; then . "$LAB_TARGETS/target-$TARGET.sh"; else . "$LAB_SELF/target-$TARGET.sh"; fi
if ! declare -F target_acl >/dev/null; then
  target_acl() { $TGTADM --op unbind --mode target --tid "$1" -I ALL && $TGTADM --op bind --mode target --tid "$1" -Q "$2"; }
fi
IQN=iqn.2026-11.com.example PORTAL=$TARGET_ADDR0:3260
MEMBER=iqn.2024-01.test.lab:n1     # as the laboratory names its nodes
ALICE="node.session.auth.authmethod=CHAP node.session.auth.username=alice"
BOB="node.session.auth.authmethod=CHAP node.session.auth.username=bob node.session.auth.password=bob-secret-0002 node.session.auth.username_in=target"
truncate -s 256M "$LAB/disk1" "$LAB/disk2" && truncate -s 32M "$LAB/disk3"

serve() {
  target_start &&
    target_create $IQN:chap 1 && target_lun 1 1 "$LAB/disk1" && target_chap 1 alice alice-secret-01 &&
    target_create $IQN:mutual 2 && target_lun 2 1 "$LAB/disk2" && target_chap 2 bob bob-secret-0002 target target-secret-3 &&
    target_create $IQN:closed 3 && target_lun 3 1 "$LAB/disk3" && target_acl 3 $MEMBER
}
serve >"$LAB/serve" 2>&1 || { cat "$LAB/serve"; ok "the target serves" false; return 1; }
ok "the target serves" true

# in NODE NAME 'code': a step in a node.
in_node() { ok "$2" node_exec "$1" "$3"; }
not_in_node() { no "$2" node_exec "$1" "$3"; }
login() { echo "iscsi_login $IQN:$1 $PORTAL -- $2"; }
logout() { echo "iscsiadm -m node -T $IQN:$1 -p $PORTAL --logout"; }

node_start n1 11
node_start n2 12
ok "two nodes boot" node_wait n1 n2 || return 1
in_node n1 "n1: iscsi_tcp and iscsid start" iscsi_start
in_node n2 "n2: iscsi_tcp and iscsid start" iscsi_start

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
if [[ $TARGET = swift ]]; then
  ok "the target ends in order at SIGTERM" target_stop
  ok "the target starts again" target_start
fi
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
if [[ -n ${LAB_LOGS-} ]]; then
  node_exec n1 dmesg >"$LAB_LOGS/interop-n1.dmesg"; cp "$LAB/target.log" "$LAB_LOGS/interop-target.log"
fi
ok "the nodes power off" node_stop n1 n2
if [[ $TARGET = swift ]]; then ok "the target ends in order" target_stop; fi
