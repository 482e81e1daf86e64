# Quorum and lease disks outlive a restart of the target, and a dead node's slot goes to another. SBD with a watchdog
# (softdog), sanlock on blocks of 512 and 4096 bytes, a heartbeat as qdiskd's, on three nodes and five LUNs.
# sanlock runs without wdmd: a node has one softdog, and SBD has that.
# sanlock lets nobody have a dead host's lease before 60 s and 8 of its I/O timeouts are over. So n1 dies early, and
# the rest is done in the meantime.
# client sbd: a poison pill, a watchdog without its disk; slots that outlive kill -9 of the target
# client fence-agents: fence_sbd monitor, status and reboot
# client sanlock: leases on blocks of 512 and 4096 bytes; those of a dead host go to another
# packages: sbd sanlock busybox
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
DISKS="SBD=\$(lun_dev $IQN:quorum 1) L512=\$(lun_dev $IQN:quorum 2) L4096=\$(lun_dev $IQN:quorum 3)
  BEATS=\$(lun_dev $IQN:quorum 4) SBD4096=\$(lun_dev $IQN:quorum 5)
  . $LAB_PARTS/quorum.sh; "
IN_NODE=$DISKS
serve_disks() {
  target_start && serve quorum 16MiB --cache writethrough --initiator $IQN:n1 --initiator $IQN:n2 --initiator $IQN:n3 &&
    serve quorum 16MiB && serve quorum 16MiB --block-size 4096 && serve quorum 1MiB && serve quorum 16MiB --block-size 4096
}
# Its commands wait for the session longer than any of the timers here, so these decide.
LOGIN=". $LAB_PARTS/quorum.sh; log_start; export REPLACEMENT_TIMEOUT=30
  iscsi_start && iscsi_login $IQN:quorum $PORTAL -- && lun_dev $IQN:quorum 5"
survivors_go_on() {                # AFTER ROUND
  in_nodes "n2 n3" "hearts beat on after $1" 'beats ${HOSTNAME#n}'
  in_nodes "n2 n3" "sanlock renews both its leases after $1" renew
  in_node n2 "SBD tells n3 something after $1" 'tells n3 test'
  ok "n3: SBD has read it" until_ok 20 logged n3 "Received command test from n2" "$2"
}
logged() { [[ $(grep -c "$2" "$LAB/$1-syslog.log") = "$3" ]]; }  # NODE TEXT TIMES

ok "the target serves" serve_disks || return
for n in 1 2 3; do node_start n$n 1$n; done
ok "three nodes boot" node_wait n1 n2 n3 || return
ok "n1 n2 n3: log in" nodes_exec "n1 n2 n3" "$LOGIN" || return

# --- all three come up
in_node n1 "makes SBD's slots" 'sbd -d $SBD -1 10 -4 20 create && sbd -d $SBD dump | grep -x "Sector size *: 512"'
in_node n1 "makes sanlock's lockspaces on blocks of 512 and 4096 bytes" 'lockspace $L512 && lockspace $L4096'
in_nodes "n1 n2 n3" "SBD watches its slot, under a watchdog of 10 s" 'watch_slot' || return
in_nodes "n1 n2 n3" "hearts beat" 'heartbeat ${HOSTNAME#n} && beats ${HOSTNAME#n}' || return
in_nodes "n1 n2 n3" "sanlock joins both lockspaces" 'join ${HOSTNAME#n}' || return
in_node n2 "SBD lists three nodes" 'slots "n1 clear" "n2 clear" "n3 clear"'
in_node n2 "its fencing agent lists them, and says that n3 is on" \
  'fence_sbd --devices=$SBD --action=monitor && fence_sbd --devices=$SBD --plug=n3 --action=status'
in_node n2 "sees three hearts beat" 'sees "1 n1 alive" "2 n2 alive" "3 n3 alive"'
in_node n1 "takes a lease on each" 'take $L512 && take $L4096 && owner $L512 1 && owner $L4096 1'
in_nodes "n2 n3" "may not have them" 'denied_lease $L512 && denied_lease $L4096 && owner $L512 1 && owner $L4096 1'
in_node n2 "may not have the slot of a heart that beats" 'taken 1'

# --- a node dies, and then the target restarts
ok "n1 dies" node_kill n1
ok "the target ends in order" target_stop
ok "the target starts again" target_start
survivors_go_on "that restart" 1
ok "the target is killed" target_kill
ok "it starts again after kill -9" target_start
survivors_go_on "kill -9" 2
in_nodes "n2 n3" "have found n1's heart dead, and nothing else wrong" \
  'until_ok 20 sees "1 n1 dead" "2 n2 alive" "3 n3 alive" && [ "$(cat /run/heartbeat.*/wrong)" = "slot 1 is dead" ]'
in_node n2 "takes the slot of the dead heart" 'heartbeat 1 && beats 1'
in_node n3 "sees it there" 'until_ok 10 sees "1 n2 alive" "2 n2 alive" "3 n3 alive"'
in_node n2 "SBD's slots on blocks of 4096 bytes, too" \
  'sbd -d $SBD4096 create && sbd -d $SBD4096 dump | grep -x "Sector size *: 4096" &&
   sbd -d $SBD4096 allocate n9 && sbd -d $SBD4096 list | grep -P "n9\tclear"'

# --- SBD kills
in_node n2 "its fencing agent writes the poison pill into n3's slot" \
  'fences n3; until_ok 10 slots "n1 clear" "n2 clear" "n3 reset n2"'
ok "n3 takes it, and is gone" node_gone n3
node_start n3 13
ok "n3 boots again" node_wait n3
ok "n3: logs in again" node_exec n3 "$LOGIN"
in_node n3 "has its slot back" 'watch_slot && slots "n1 clear" "n2 clear" "n3 clear"'
ok "n3's cable is pulled" cable_out 13
ok "its watchdog ends it, as it sees no disk" node_gone n3

# --- sanlock gives a dead host's leases away
in_node n2 "has n1's leases, as n1 is dead" 'until_ok 100 take $L512 && until_ok 20 take $L4096 && owner $L512 2 && owner $L4096 2' 120
in_node n2 "sanlock has met no error on the disks" 'for disk in $L512 $L4096; do renewals $disk; done >/run/renewals; cat /run/renewals; ! grep -v "next_errors=0" /run/renewals'
ok "the node powers off" node_stop n2
ok "the target ends in order" target_stop
