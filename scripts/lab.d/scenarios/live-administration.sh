# Nodes notice what is administered live, and a write goes on beside it. LUNs that come, grow and go, sessions that
# are ended, access lists, reservations, statistics and doctor, by swift-tgtadm.
# n1 scans as open-iscsi does unless told otherwise, n2 only when somebody says so.
# client open-iscsi: LUNs that come, grow and go; sessions that are ended; access taken and given
# shellcheck shell=bash disable=SC2016,SC2154
DISK=$IQN:disk1 N1=$IQN:n1 N2=$IQN:n2

sessions_of() { adm session list | awk -v name="$1" '$2 == name { print $1 }'; }
is_in() { [[ -n $(sessions_of "$1") ]]; }
# It is in with another session than before: SESSION, and writes on.
came_back() { local now; now=$(sessions_of "$N1"); [[ -n $now && $now != "$1" ]]; }
comes_back() { until_ok 30 came_back "$1" && node_exec n1 writes_on; }
# lun_dev waits for what is not there, so a step says itself which LUN it wants.
LUN1="D=\$(lun_dev $DISK 1)" LUN2="E=\$(lun_dev $DISK 2)"
RESCAN='iscsiadm -m session --rescan >/dev/null'
TAKES_SIZE='has 20 MiB
Nodes that are logged in take the new size with
  iscsiadm -m session --rescan'
# writes_in COLUMN COMMAND...: the table's line of n1's traffic has writes.
writes_in() { local column=$1; shift; adm "$@" | tee /dev/stderr | awk -v c="$column" '$0 ~ /disk1/ && $c > 0 { found = 1; exit } END { exit !found }'; }
first_lun() {
  local out
  out=$(adm lun add --target "$DISK" --file "$LAB/a.img" --size 100MiB --initiator "$N1") || return
  echo "$out"
  sed -n '/^On the node:/,$ s/^  iscsiadm/iscsiadm/p' <<<"$out" >"$LAB/commands"
  [[ $(grep -c . "$LAB/commands") = 2 ]]
}
# It has tried, and tries on.
stays_out() { until_ok 30 adm_says "refused logins" stats --total && sleep 3 && ! is_in "$N1"; }

node_start n1 11
node_start n2 12
ok "a daemon that serves nothing but a portal" target_start

ok "lun add makes target, LUN, store and access, and says what to type on the node" first_lun
ok "two nodes boot" node_wait n1 n2 || return
in_node n1 "that logs it in, word by word" "iscsi_start; $(cat "$LAB/commands"); lun_dev $DISK 1"
in_node n1 "begins to write without end" "$LUN1"' && write_without_end $D'
ok "acl add: another node may log in" adm_says "may log in" acl add --target $DISK $N2
in_node n2 "logs in, without scanning" "iscsi_start && iscsi_login $DISK $PORTAL -- node.session.scan=manual"

# --- LUNs
ok "lun add: a second LUN" adm_says "LUN     2 (new)" lun add --target $DISK --file "$LAB/b.img" --size 10MiB
in_node n1 "it is there by itself, as the event tells open-iscsi" "lun_dev $DISK 2"
not_in_node n2 "it is not there where scanning is manual" "compgen -G '/sys/block/sd*'"
in_node n2 "it is there after --rescan" "$RESCAN; lun_dev $DISK 2"
# Linux logs it and does no more, unless a rule of udev rescans the device for SDEV_UA.
ok "lun resize, which says what to type on the node" adm_says "$TAKES_SIZE" lun resize --target $DISK 2 --size 20MiB
in_node n1 "is told with its next command, and leaves the size as it was" \
  "$LUN2"' && can_read $E && dmesg | grep "Capacity data has changed" && [ "$(blockdev --getsize64 $E)" = 10485760 ]'
in_node n1 "has the size after --rescan" "$RESCAN; $LUN2"'; [ "$(blockdev --getsize64 $E)" = 20971520 ]'
ok "stats shows what n1 writes, by LUN" until_ok 20 writes_in 6 stats --by lun
ok "stats shows it by session" until_ok 20 writes_in 5 stats --by session
ok "lun remove of a LUN in use is refused, and n1 is named" \
  adm_denies "$N1 from ${HOST0%.*}.11" lun remove --target $DISK 1
ok "lun remove --force takes it" adm_says "removed" lun remove --target $DISK 2 --force
not_in_node n1 "it is gone at once" "$LUN2"'; dd if=$E of=/dev/null bs=4k count=1 iflag=direct'
in_node n1 "it is not in REPORT LUNS" "$LUN1"'; ! sg_luns $D | grep -q "^ *0002"'
in_node n1 "the first LUN is written on" writes_on

# --- reservations
ok "reservation list is empty" adm_says "no registrations" reservation list
in_node n1 "registers and reserves" "$LUN1"'; until_ok 5 sg_persist -n -o -G --param-sark=0xabc $D && sg_persist -n -o -R --param-rk=0xabc --prout-type=5 $D'
in_node n2 "registers" "$LUN1"'; until_ok 5 sg_persist -n -o -G --param-sark=0xdef $D'
ok "reservation list says who holds what" adm_says "Registrants Only  $N1  0x0000000000000abc           2" reservation list
ok "reservation show lists who is registered" adm_says "0x0000000000000def  $N2" reservation show a
no "reservation clear asks first" adm reservation clear a
ok "reservation clear --yes" adm_says "cleared" reservation clear a --yes
ok "reservation list is empty again" adm_says "no registrations" reservation list
in_node n2 "writes without a key" "$LUN1"'; until_ok 10 can_write $D'

# --- sessions
ok "session list has n1" is_in $N1
ok "session list has n2" is_in $N2
FORMER=$(sessions_of $N1) OTHER=$(sessions_of $N2)
ok "session show" adm_says "Initiator              $N1" session show "$FORMER"
ok "session kill" adm_says "ended" session kill "$FORMER"
ok "n1: comes back by itself, and its write goes on" comes_back "$FORMER"
FORMER=$(sessions_of $N1)
ok "session logout" adm_says "asked to log out" session logout "$FORMER"
ok "n1: logs out, comes back by itself, and its write goes on" comes_back "$FORMER"
ok "acl remove without --now: n1 stays logged in" adm_says "may no longer" acl remove --target $DISK $N1
in_node n1 "writes on" writes_on
ok "acl add" adm_says "may log in" acl add --target $DISK $N1
ok "acl remove --now: n1 goes" adm_says "may no longer" acl remove --target $DISK $N1 --now
ok "n1: stays out, though it tries" stays_out
ok "acl add: it may come back" adm_says "may log in" acl add --target $DISK $N1
ok "n1: is back by itself" until_ok 30 is_in $N1
ok "n2: has the session it had all the time" [ "$(sessions_of $N2)" = "$OTHER" ]

# --- doctor
ok "doctor finds nothing wrong" adm doctor
ok "a target for nobody, and a state directory that others may write to" adm target add $DISK-for-nobody
chmod 777 "$LAB/state"
ok "doctor finds the target" adm_denies "WRONG   nobody may log in to $DISK-for-nobody" doctor
ok "doctor finds the directory" adm_denies "can be written by others" doctor
chmod 700 "$LAB/state"
ok "what doctor says mends it" adm acl add --target $DISK-for-nobody $N2
ok "doctor finds nothing wrong any more" adm doctor
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
