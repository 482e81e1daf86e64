# Persistent reservations admit and refuse whom SPC-4 says, and outlive what happens to a cluster. Three nodes and
# sg_persist: each type by real reads and writes, each service action, and registrations that stay through logout,
# a pulled cable, a node's crash, kill -9 of the daemon and, with APTPL, a power loss of the host.
# client sg3-utils: sg_persist, each type and service action; through crashes, kill -9 and power loss
# client linux: reads and writes under each type of reservation; those of the fenced fail at once
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

# Of every step in a node. Keys of D are registered with APTPL, those of E are not. pr meets no unit attention, as it
# asks first. The statuses are those of sg_persist: 24 is RESERVATION CONFLICT, 5 ILLEGAL REQUEST.
PARTS='
pr() { sg_turs $D >/dev/null 2>&1; sg_persist -n -o "$@" $D; }
conflicts() { pr "$@"; [ $? = 24 ]; }
refused_with() { local output; output=$(pr "${@:2}" -v 2>&1); [ $? = 5 ] && echo "$output" | tee /dev/stderr | grep -qi "$1"; }
told() { sg_turs -v $D 2>&1 | tee /dev/stderr | grep -qi "$1"; }
held() { sg_turs $D >/dev/null 2>&1; sg_persist -n -i -r $D | tee /dev/stderr >/run/held; grep -qi "$1" /run/held; }
free() { held "no reservation held"; }
registered() { sg_turs $D >/dev/null 2>&1; [ "$(keys $D | tee /dev/stderr)" = "${*:+$* }" ]; }
status() { sg_persist -n -i -s $D; }
port() { status | grep -o "$IQN:$1,i,0x[0-9a-f]*" | head -n 1; }
block() { printf "%-4096s" "$1"; }
reads() { dd if=$D of=/run/read bs=4k skip=$1 count=1 iflag=direct && block "$2" | cmp - /run/read; }
writes() { block "$2" >/run/block; dd if=/run/block of=$D bs=4k seek=$1 count=1 oflag=direct; }
# may LETTER COMMAND...: prints the letter, or - if a reservation forbids it.
may() {
  local output
  if output=$("${@:2}" 2>&1); then printf "$1"; elif [[ $output = *"Invalid exchange"* ]]; then printf -- -; else echo "?$output"; fi
}
may_ask() { sg_turs $D; sg_turs $D && sg_inq $D && sg_readcap -l $D && keys $D && held scope; }
'
DISKS="D=\$(lun_dev $IQN:shared 1) E=\$(lun_dev $IQN:shared 2); $PARTS"
IN_NODE="$DISKS "
serve_shared() { target_start && serve shared 64MiB --any && serve shared 64MiB && serve other 64MiB --any; }
log_in() {                         # NODE [TARGET]: after that target, if the port shall be another
  ok "$1: logs in" node_exec "$1" "iscsi_start && ${2:+iscsi_login $IQN:$2 $PORTAL -- &&}
    iscsi_login $IQN:shared $PORTAL -- && lun_dev $IQN:shared 1 && lun_dev $IQN:shared 2"
}

# access TEXT WANTED...: what n1, n2 and n3 may at the same time. Each writes a block of its own; what is on the disk
# then, as the first who may write sees it, must be what they were told.
access() {
  local text=$1 n reader='' found waits=() content=true; shift
  for n in 1 2 3; do
    node_exec n$n "$DISKS may r reads 100 known; may w writes $((100 + n)) '$text'" >"$LAB/access$n" &
    waits+=($!)
  done
  wait "${waits[@]}"
  for n in 1 2 3; do
    found=$(<"$LAB/access$n")
    [[ $found = "${!n}" ]] || { echo "n$n may $found, not ${!n}"; return 1; }
    if [[ $found = *w ]]; then reader=${reader:-n$n}; else content+=' && !'; fi
    if [[ $found = *w ]]; then content+=' &&'; fi
    content+=" reads $((100 + n)) '$text'"
  done
  node_exec "$reader" "$DISKS $content"
}
# type_admits TYPE NAME WANTED...: n1 reserves so, and the others find that; they can always ask.
type_admits() {
  local type=$1 name=$2; shift 2
  node_exec n1 "$DISKS pr -R -K 0xa1 -T $type && held ' $name\$'" && access "type $type" "$@" &&
    node_exec n3 "$DISKS may_ask" && node_exec n1 "$DISKS pr -L -K 0xa1 -T $type && free"
}

ok "the target serves" serve_shared || return
for n in 1 2 3; do node_start n$n 1$n; done
ok "three nodes boot" node_wait n1 n2 n3 || return
for n in n1 n2 n3; do log_in $n || return; done

# --- types
in_node n1 "writes what all shall read, and registers" 'writes 100 known && pr -G -S 0xa1'
in_node n2 "registers" 'pr -G -S 0xa2'
while IFS=: read -r type name wanted; do
  # shellcheck disable=SC2086 # three words
  ok "$name: holder, registered, neither: $wanted" type_admits "$type" "$name" $wanted
done <<'END'
1:Write Exclusive:rw r- r-
3:Exclusive Access:rw -- --
5:Write Exclusive, registrants only:rw rw r-
6:Exclusive Access, registrants only:rw rw --
7:Write Exclusive, all registrants:rw rw r-
8:Exclusive Access, all registrants:rw rw --
END
ok "with nothing reserved: rw rw rw" access free rw rw rw

# --- service actions
in_node n1 "REPORT CAPABILITIES: six types, APTPL, all ports, TransportIDs" '
  sg_persist -n -i -c $D | tee /dev/stderr >/run/said
  for bit in PTPL_C SIP_C ATP_C "Write Exclusive" "Exclusive Access" "Write Exclusive, registrants only" \
    "Exclusive Access, registrants only" "Write Exclusive, all registrants" "Exclusive Access, all registrants"
  do grep -qE "^ +(.*\()?$bit\)?: 1" /run/said || { echo "no $bit"; exit 1; }; done'
in_node n3 "REGISTER with a key that it has not got: conflict" 'conflicts -G -K 0xbad -S 0xa3 && registered 0xa1 0xa2'
in_node n3 "RESERVE without a key: conflict" 'conflicts -R -K 0xa3 -T 5 && free'
in_node n3 "REGISTER, and PRgeneration counts" '
  generation() { echo $(($(sg_persist -n -i -k $D | grep -o "generation=0x[0-9a-f]*" | cut -d= -f2))); }
  before=$(generation); pr -G -S 0xa3 && [ $((before + 1)) = $(generation) ]'
in_node n3 "REGISTER changes its key" 'pr -G -K 0xa3 -S 0xb3 && registered 0xa1 0xa2 0xb3'
in_node n3 "REGISTER with its former key: conflict" 'conflicts -G -K 0xa3 -S 0xc3'
in_node n3 "REGISTER AND IGNORE EXISTING KEY changes it all the same" 'pr -I -S 0xa3 && registered 0xa1 0xa2 0xa3'
in_node n1 "RESERVE, and again, which changes nothing" 'pr -R -K 0xa1 -T 5 && pr -R -K 0xa1 -T 5 && held "Key=0xa1"'
in_node n1 "RESERVE of another type: conflict" 'conflicts -R -K 0xa1 -T 6 && held "Write Exclusive, registrants only"'
in_node n2 "RESERVE of what another holds: conflict" 'conflicts -R -K 0xa2 -T 5 && held "Key=0xa1"'
in_node n2 "RELEASE by one who does not hold changes nothing" 'pr -L -K 0xa2 -T 5 && held "Key=0xa1"'
in_node n1 "RELEASE of another type: INVALID RELEASE" 'refused_with "invalid release" -L -K 0xa1 -T 6 && held "registrants only"'
in_node n3 "READ FULL STATUS: three ports, n1 is the holder" '
  status | tee /dev/stderr >/run/said; grep -c "$IQN:n[123],i,0x" /run/said | grep -qx 3 &&
  [ $(grep -c "<< Reservation holder" /run/said) = 1 ] && grep -A 4 "<< Reservation holder" /run/said | grep -q "$IQN:n1,"'
in_node n2 "REGISTER AND MOVE by one who does not hold: conflict" 'conflicts -M -K 0xa2 -S 0xa3 -T 5 -Q 1 -X "$(port n3)"'
in_node n1 "REGISTER AND MOVE to n2, with a new key" \
  'pr -M -K 0xa1 -S 0xb2 -T 5 -Q 1 -X "$(port n2)" && held "Key=0xb2" && registered 0xa1 0xa3 0xb2'
in_node n2 "REGISTER AND MOVE back, leaving" 'pr -M -U -K 0xb2 -S 0xa1 -T 5 -Q 1 -X "$(port n1)" && held "Key=0xa1" && registered 0xa1 0xa3'
ok "n2 is out: rw r- rw" access moved rw r- rw
in_node n3 "PREEMPT of a key that nobody has: conflict" 'conflicts -P -K 0xa3 -S 0xbad -T 5 && registered 0xa1 0xa3'
in_node n3 "PREEMPT of key 0, which not all registrants hold: INVALID FIELD" \
  'refused_with "invalid field in parameter list" -P -K 0xa3 -S 0 -T 5 && held "Key=0xa1"'
in_node n3 "REPLACE LOST RESERVATION, of which nothing is lost: INVALID FIELD" \
  'refused_with "invalid field in cdb" --replace-lost -K 0xa3 -S 0xc3 -T 5 && registered 0xa1 0xa3 && held "Key=0xa1"'
in_node n3 "PREEMPT takes the reservation and changes its type" \
  'pr -P -K 0xa3 -S 0xa1 -T 6 && held "Exclusive Access, registrants only" && registered 0xa3'
in_node n1 "is told: REGISTRATIONS PREEMPTED" 'told "registrations preempted"'
ok "n3 alone has the disk: -- -- rw" access preempted -- -- rw
in_node n1 "registers again" 'pr -G -S 0xa1'
# The cable is pulled in the middle of writes, so that there is something to abort: of what is not told TASK ABORTED its
# kernel finds out half a minute later, by a time-out and an abort of its own.
in_node n1 "begins to write without end, eight times" '
  dmesg -C
  for i in 1 2 3 4 5 6 7 8; do
    (while dd if=/dev/zero of=$D bs=512k count=56 seek=$((2 * i)) oflag=direct 2>/run/dd$i; do :; done
     : >/run/ended$i) >/dev/null 2>&1 &
  done
  under_way() { local writes; read -r _ writes <"/sys/block/${D#/dev/}/inflight" && [ "$writes" -ge 4 ]; }
  until_ok 20 under_way && ! ls /run/ended?'
ok "n1: its cable is pulled" cable_out 11
in_node n3 "PREEMPT AND ABORT of a writer that does not hold" 'pr -A -K 0xa3 -S 0xa1 -T 6 && registered 0xa3 && held "Key=0xa3"'
ok "n1: its cable is back" cable_in 11
in_node n1 "its endless writes have ended by the reservation, without a time-out" '
  ended() { [ $(ls /run/ended? | wc -l) = 8 ]; }; until_ok 20 ended; cat /run/dd?; dmesg
  ended && [ $(grep -l "Invalid exchange" /run/dd? | wc -l) = 8 ] && ! dmesg | grep -qiE "abort|reset|timing out"'
in_node n1 "CLEAR without a key: conflict" 'conflicts -C -K 0xa1 && registered 0xa3'
in_node n1 "CLEAR by one who does not hold takes all away" 'pr -G -S 0xa1 && pr -C -K 0xa1 && registered && free'
in_node n3 "is told: RESERVATIONS PREEMPTED" 'told "reservations preempted"'
ok "all may all again: rw rw rw" access cleared rw rw rw
in_node n1 "reserves for all registrants" 'pr -G -S 0xa1 && pr -R -K 0xa1 -T 7'
in_node n2 "registers, and thereby holds" 'pr -G -S 0xa2 && status | tee /dev/stderr | grep -c "<< Reservation holder" | grep -qx 2'
in_node n2 "PREEMPT of key 0: all others are out" 'pr -P -K 0xa2 -S 0 -T 7 && registered 0xa2 && held "all registrants"'
in_node n1 "is told: REGISTRATIONS PREEMPTED, and registers again" \
  'told "registrations preempted" && pr -G -S 0xa1 && registered 0xa1 0xa2'
in_node n1 "REGISTER with key 0: it is out, the reservation stays" 'pr -G -K 0xa1 -S 0 && registered 0xa2 && held "all registrants"'
in_node n2 "the last one goes, and the reservation with it" 'pr -G -K 0xa2 -S 0 && registered && free'

# --- what registrations outlive. n1 holds both disks, n2 is registered, n3 is not.
BOTH='registered 0xa1 0xa2 && held "Key=0xa1" && D=$E && registered 0xa1 0xa2 && held "Key=0xa1"'
in_node n1 "registers and reserves, with APTPL and without" \
  'pr -G -Z -S 0xa1 && pr -R -K 0xa1 -T 5 && D=$E && pr -G -S 0xa1 && pr -R -K 0xa1 -T 5'
in_node n2 "registers, with APTPL and without" 'pr -G -Z -S 0xa2 && D=$E && pr -G -S 0xa2'
in_node n2 "logs out, to boot" "iscsiadm -m node -T $IQN:shared -p $PORTAL --logout"
ok "n2: is switched off" node_kill n2
node_start n2 12
in_node n1 "logout: its keys stay" "$BOTH"
ok "n2: is up again" node_wait n2 || return
log_in n2
in_node n2 "is the same port, and writes at once" 'writes 102 again && D=$E && writes 102 again'

ok "n2: its cable is pulled" cable_out 12
ok "n2: its session is lost" node_exec n2 'lost() { grep -q FAILED /sys/class/iscsi_session/session*/state; }; until_ok 20 lost'
in_node n1 "cable: its keys stay" "$BOTH"
ok "n2: its cable is back" cable_in 12
in_node n2 "writes again" 'until_ok 30 writes 102 cable && D=$E && until_ok 10 writes 102 cable'

ok "the daemon is ended by kill -9 and started again" eval 'target_kill && target_start'
in_node n2 "kill -9: its keys stay, and it writes" "until_ok 20 writes 102 killed && $BOTH"
in_node n3 "kill -9: it is refused at once" 'until_ok 20 reads 102 killed && denied_at_once $D && denied_at_once $E'

ok "n1: crashes" node_kill n1
node_start n1 11
in_node n2 "crash: the keys of n1 stay, and it holds" "$BOTH"
in_node n3 "crash: it is refused at once" 'denied_at_once $D && denied_at_once $E'
ok "n1: is up again" node_wait n1 || return
log_in n1 other
# open-iscsi numbers its ports by the session.
in_node n1 "it is another port now, and is refused" 'registered 0xa1 0xa2 && port n1 | grep -q 000001$ && denied_at_once $D'
in_node n1 "registers as fence_scsi does: its key is there twice" 'pr -I -Z -S 0xa1 && registered 0xa1 0xa1 0xa2'
in_node n1 "PREEMPT of its own key: its former port is out, and it holds" '
  pr -P -K 0xa1 -S 0xa1 -T 5 && registered 0xa1 0xa2 && port n1 | grep -q 000002$ && held "Key=0xa1" && writes 101 back'

# What a host's boot is to the daemon: it has ended without a word, and the kernel calls itself by a new name.
power_loss() {
  target_kill && cat /proc/sys/kernel/random/uuid >"$LAB/boot_id" &&
    mount --bind "$LAB/boot_id" /proc/sys/kernel/random/boot_id && target_start
}
ok "the host loses its power, and boots" power_loss
in_node n1 "power loss: with APTPL all is as it was" 'until_ok 20 reads 101 back && registered 0xa1 0xa2 && held "Key=0xa1" && writes 101 booted'
in_node n2 "power loss: with APTPL it writes" 'until_ok 20 reads 101 booted && writes 102 booted'
in_node n3 "power loss: with APTPL it is refused, without it writes" \
  'until_ok 20 reads 102 booted && denied_at_once $D && D=$E && registered && free && writes 103 booted'
ok "the nodes are switched off" node_kill n1 n2 n3
ok "the target ends in order" target_stop
