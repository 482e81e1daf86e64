# open-iscsi finds its targets and logs in by every door: discovery CHAP, IPv6, portal groups, addresses, at boot.
# CHAP with each algorithm both ways; the node's database outlives a reboot, and its service logs in again.
# client open-iscsi: discovery and CHAP both ways, by each algorithm; IPv6, portal groups; login at boot
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
HOST6=fd99::1 NODE6=fd99::11
SIX=[$HOST6]:3260 THIRD=$HOST0:3261

serve_doors() {
  ip -6 address add $HOST6/64 dev br0 nodad && target_start &&
    adm portal add "$SIX" --group 2 && adm portal add "$THIRD" --group 3 &&
    serve everywhere 16MiB --any &&
    adm target add $IQN:two --portal-group 2 --portal-group 3 --any && serve two 16MiB &&
    serve boot 32MiB --any && serve manual 16MiB --any &&
    serve chap 16MiB --any && secret alice-secret-01 chap add --target $IQN:chap alice &&
    secret target-secret-3 chap add --target $IQN:chap --mutual target
}
# The subnet .8/29 begins with the node's address .11 in it, and .0/29 ends just below.
serve_addresses() {
  serve low 16MiB && adm acl add --target $IQN:low any --address $NET.0.0/29 &&
    serve high 16MiB && adm acl add --target $IQN:high any --address $NET.0.8/29 &&
    serve both 16MiB && adm acl add --target $IQN:both $IQN:n1 --address $NET.1.0/24 &&
    serve other 16MiB && adm acl add --target $IQN:other $IQN:n2 --address $NET.0.0/16 &&
    serve six 16MiB && adm acl add --target $IQN:six $IQN:n1 --address fd99::/64
}

# discovers PORTAL 'TARGET|TARGET...': of these targets it shows exactly the lines on standard input. No records are
# made of it: they would have tags of portal groups, and stand beside those that are made by hand.
# login_refused TEXT TARGET PORTAL...: and iscsid says why.
IN_NODE='
discovers() {
  sort >/run/wanted
  iscsiadm -m discovery -t sendtargets -o nonpersistent -p "$1" >/run/found && grep -E ":($2)\$" /run/found | sort | diff /run/wanted -
}
login_refused() {
  local text=$1 before; shift
  before=$(grep -ac "$text" /run/iscsid.log)
  ! iscsi_login "$@" && tail -n 3 /run/iscsid.log && (($(grep -ac "$text" /run/iscsid.log) == before + 1))
}
# says TEXT COMMAND...: it fails, and says so.
says() { local text=$1 output; shift; output=$("$@" 2>&1) && return 1; echo "$output"; [[ $output = *"$text"* ]]; }
logged_in() { iscsiadm -m session 2>/dev/null | grep -o "$IQN:[a-z]*" | sort | tr "\n" " "; }
'
# finds PASSWORD [PASSWORD_IN]: the code of a function that discovers so, as the user finder.
finds() {
  local database="iscsiadm -m discoverydb -t sendtargets -p $PORTAL" settings="authmethod=CHAP username=finder password=$1"
  [[ -z ${2-} ]] || settings+=" username_in=target password_in=$2"
  echo "finds() {
    $database -o delete
    $database -o new || return
    for setting in $settings; do
      $database -o update -n discovery.sendtargets.auth.\${setting%%=*} -v \${setting#*=} || return
    done
    $database --discover -o nonpersistent
  }"
}
lines() { printf '%s\n' "$@"; }

ok "the target serves four portals in three groups, one of IPv6" serve_doors || return
node_start n1 11
ok "a node boots" node_wait n1 || return
# The keys of every login are in iscsid's log, so that an algorithm can be seen.
IPV6="modprobe ipv6 && ip -6 address add $NODE6/64 dev vec0 nodad"
KEPT="mkdir -p /lab/n1/nodes /lab/n1/send_targets /etc/iscsi/nodes /etc/iscsi/send_targets
  for d in nodes send_targets; do mount --bind /lab/n1/\$d /etc/iscsi/\$d || exit 1; done"
in_node n1 "has IPv6, and starts iscsid with its database on a disk that outlives it" "$KEPT; $IPV6 && iscsi_start_telling"

# --- discovery
ok "discovery wants CHAP from now on" secret finder-secret-1 chap add --discovery finder
in_node n1 "discovery without CHAP is refused" "says 'authorization failure' iscsiadm -m discovery -t sendtargets -p $PORTAL"
in_node n1 "with a wrong secret, too" "$(finds wrong-secret-99); says 'authorization failure' finds"
in_node n1 "with the right one it shows a target" "$(finds finder-secret-1); finds | grep ':everywhere$'"
ok "the target proves itself, too" secret target-secret-1 chap add --discovery --mutual target
in_node n1 "mutual discovery CHAP shows a target" "$(finds finder-secret-1 target-secret-1); finds | grep ':everywhere$'"
in_node n1 "a target that proves itself with another secret is not believed" \
  "$(finds finder-secret-1 wrong-secret-99); says 'incorrect CHAP response from target' finds"
ok "discovery wants no CHAP any more" adm chap remove --discovery --mutual
ok "of the user neither" adm chap remove --discovery finder --allow-open

EVERYWHERE=$(lines "$HOST0:3260,1" "$HOST1:3260,1" "$SIX,2" "$THIRD,3")
every() { sed "s/$/ $IQN:$1/" <<<"$EVERYWHERE"; }
for portal in $PORTAL "$SIX" $THIRD; do
  in_node n1 "discovery at $portal shows exactly the portals of each target" "
    discovers $portal 'everywhere|two' <<END
$(every everywhere)
$(lines "$SIX,2 $IQN:two" "$THIRD,3 $IQN:two")
END"
done
in_node n1 "a target is not in a portal group that is not its own" "login_refused 'target not found' $IQN:two $PORTAL --"
in_node n1 "logs in by IPv6, writes and reads back" "
  iscsi_login $IQN:two $SIX -- && D=\$(lun_dev $IQN:two 1) && iscsiadm -m session | grep -F '$SIX,2 $IQN:two' &&
  dd if=/dev/urandom of=/run/r bs=1M count=8 status=none && dd if=/run/r of=\$D bs=256k oflag=direct status=none &&
  dd if=\$D bs=1M count=8 iflag=direct status=none | cmp - /run/r && sha256sum </run/r >/lab/n1/sum"
ok "the target has that session from the node's IPv6 address" adm_says "[$NODE6]:" session list
ok "the bytes are in its file" bash -c "head -c 8388608 $LAB/disk2.img | sha256sum | cmp - $LAB/n1/sum"
in_node n1 "logs out" "iscsiadm -m node -T $IQN:two -p $SIX --logout"

# --- addresses
ok "the target has doors for addresses" serve_addresses
in_node n1 "discovery at $PORTAL shows what is for this address" "discovers $PORTAL 'low|high|both|other|six' <<END
$(every high)
END"
in_node n1 "discovery by the other network shows what is for that address" "discovers $HOST1:3260 'low|high|both|other|six' <<END
$(every both)
END"
in_node n1 "discovery by IPv6 shows what is for the network of IPv6" "discovers $SIX 'low|high|both|other|six' <<END
$(every six)
END"
for door in low both other six; do
  in_node n1 "login to $door at $PORTAL is refused" "login_refused 'target not found' $IQN:$door $PORTAL --"
done
for door in "high $PORTAL" "both $HOST1:3260" "six $SIX"; do
  read -r target portal <<<"$door"
  in_node n1 "login to $target at $portal" \
    "iscsi_login $IQN:$target $portal -- && lun_dev $IQN:$target 1 && iscsiadm -m node -T $IQN:$target -p $portal --logout"
done

# --- CHAP
# IANA has 5 for MD5, 6 for SHA1, 7 for SHA256 and 8 for SHA3-256. The target takes no weaker one than both sides have.
chap() {                           # ALGORITHMS PASSWORD PASSWORD_IN: what iscsi_login wants
  echo "$IQN:chap $PORTAL -- node.session.auth.authmethod=CHAP node.session.auth.chap_algs=$1 \
    node.session.auth.username=alice node.session.auth.password=$2 \
    node.session.auth.username_in=target node.session.auth.password_in=$3"
}
for algorithm in MD5=5=5 SHA1=6=6 SHA256=7=7 SHA3-256=8=8 MD5,SHA1,SHA256,SHA3-256=5,6,7,8=8; do
  IFS='=' read -r names offered chosen <<<"$algorithm"
  in_node n1 "CHAP by $names: wrong secrets of either side do not log in" "
    login_refused 'rejected: Initiator failed authentication' $(chap "$names" wrong-secret-99 target-secret-3) &&
    login_refused 'incorrect CHAP response from target' $(chap "$names" alice-secret-01 wrong-secret-99)"
  in_node n1 "CHAP by $names logs in, both ways: $offered was offered, $chosen chosen" "
    before=\$(grep -ac CHAP_A= /run/iscsid.log); iscsi_login $(chap "$names" alice-secret-01 target-secret-3) && lun_dev $IQN:chap 1 &&
    grep -ao 'CHAP_A=.*' /run/iscsid.log | tail -n +\$((before + 1)) | tee /dev/stderr | diff - <(printf 'CHAP_A=%s\\n' $offered $chosen)
    rc=\$?; iscsiadm -m node -T $IQN:chap -p $PORTAL --logout; exit \$rc"
done

# --- at boot
in_node n1 "a target is for the boot, by IPv6, with a file system; the others are not" "
  iscsiadm -m node -o delete; iscsiadm -m discovery -t sendtargets -p $SIX &&
  iscsi_record $IQN:boot $SIX update -n node.startup -v automatic && iscsiadm -m node -T $IQN:boot -p $SIX --login &&
  D=\$(lun_dev $IQN:boot 1) && mkfs.ext4 -q \$D && mount \$D /mnt && dd if=/dev/urandom of=/mnt/f bs=1M count=8 status=none && sha256sum /mnt/f >/lab/n1/sum && umount /mnt"
ok "the node is switched off" node_kill n1
node_start n1 11
ok "it boots again" node_wait n1 || return
in_node n1 "knows nothing of sessions" "$KEPT; $IPV6 && iscsi_start && [ -z \"\$(logged_in)\" ]"
in_node n1 "what the iscsi service does at boot logs in to the one target" \
  "sh -ec \"\$(sed -n 's/^ExecStart=//p' /lib/systemd/system/open-iscsi.service)\" && lun_dev $IQN:boot 1 && [ \"\$(logged_in)\" = '$IQN:boot ' ]"
in_node n1 "the file is there" "mount \$(lun_dev $IQN:boot 1) /mnt && sha256sum -c /lab/n1/sum"
in_node n1 "what the service does at shutdown unmounts and logs out" \
  "sed -n 's/^ExecStop=//p' /lib/systemd/system/open-iscsi.service | while read -r stop; do \$stop || exit; done; [ -z \"\$(logged_in)\" ] && ! mountpoint /mnt"
ok "the node powers off" node_stop n1
ok "the target has no session left, and within 20 s of silence not that of the crash either" until_ok 25 adm_says "no sessions" session list
ok "the target ends in order" target_stop
