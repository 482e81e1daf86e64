# fence_mpath fences a node whose writes lie queued in its multipath map, and none of them lands. Two nodes with two
# paths each: mpathpersist by hand, fence_mpath as Pacemaker calls it, its watchdog check, a path that fails and comes
# back registered, and fence_scsi over the paths with the options of a cluster.
# client multipath-tools: mpathpersist on every path of a map; a path that comes back is registered anew
# client fence-agents: fence_mpath over lost paths and its watchdog check; fence_scsi over the same map
# packages: multipath-tools udev dmsetup fence-agents
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

# Of every step in a node: A and B are the paths of the map M.
PARTS='M=/dev/mapper/shared
active() { [ "$(multipath -ll shared | grep -cE "active ready +running")" = "$1" ]; }
registered() { sg_turs $A >/dev/null 2>&1; [ "$(keys $A | tee /dev/stderr)" = "$* " ]; }
holds() { sg_turs $A >/dev/null 2>&1; sg_persist -n -i -r $A | tee /dev/stderr | grep -q "Key=$1"; }
said() { "${@:2}" 2>&1 | tee /dev/stderr | grep -q "$1"; }
block() { printf "%-4096s" "$1"; }
writes() { block "$2" >/run/block; dd if=/run/block of=$M bs=4k seek=$1 count=1 oflag=direct; }
reads() { dd if=$M of=/run/read bs=4k skip=$1 count=1 iflag=direct && block "$2" | cmp - /run/read; }
# agent NAME KEY=VALUE...: as Pacemaker calls it, on its standard input.
agent() { mkdir -p /run/cluster; printf "%s\n" "${@:2}" | timeout 30 "$1" 2>&1; }
mpath() { agent fence_mpath devices=$M action=$1 plug=$2 "${@:3}"; }
scsi() { agent fence_scsi devices=$M action=$1 plug=$2 key=$3 aptpl=1 logfile=/run/fence.log; }
'
IN_NODE="A=\$(lun_dev $IQN:disk 1 $HOST0) B=\$(lun_dev $IQN:disk 1 $HOST1); $PARTS" IN_NODE_SECONDS=90

serve_disk() { target_start && serve disk 64MiB --any; }
# The key is in multipath.conf, as fence_mpath wants it; a write waits 60 s for a path, as clusters have it.
MULTIPATH='modprobe -a dm_multipath dm_round_robin
cat >/etc/multipath.conf <<END
defaults {
  find_multipaths no
  polling_interval 1
  no_path_retry 60
  reservation_key 0xa${NODE#n}
}
multipaths {
  multipath {
    wwid $(/lib/udev/scsi_id -g -u -d $A)
    alias shared
  }
}
END
multipathd && until_ok 20 active 2; multipath -ll; active 2'

ok "the target serves on two networks" serve_disk || return
for n in 1 2; do node_start n$n 1$n 384M; done
ok "two nodes boot" node_wait n1 n2 || return
for n in n1 n2; do
  ok "$n: logs in through both" node_exec $n "iscsi_start && udev_start && iscsi_login $IQN:disk $HOST0:3260 $HOST1:3260 -- &&
    lun_dev $IQN:disk 1 $HOST0 && lun_dev $IQN:disk 1 $HOST1" || return
  in_node $n "has the map with two paths" "$MULTIPATH" || return
done

# --- mpathpersist by hand
in_node n1 "mpathpersist registers on every path" 'mpathpersist -o --register --param-sark=0xa1 $M && registered 0xa1 0xa1'
in_node n1 "mpathpersist reserves" 'mpathpersist -o --reserve --param-rk=0xa1 --prout-type=5 $M && holds 0xa1'
in_node n2 "is refused on both paths, and the map stays whole" 'denied $M; denied $A && denied $B && denied $M && active 2'
in_node n2 "mpathpersist reads keys, reservation, capabilities and full status" '
  said "0xa1" mpathpersist -i -k $M && said "Key = 0xa1" mpathpersist -i -r $M &&
  said "PTPL_C" mpathpersist -i -c $M && said "n1" mpathpersist -i -s $M'
in_node n1 "mpathpersist releases and clears" \
  'mpathpersist -o --release --param-rk=0xa1 --prout-type=5 $M && mpathpersist -o --clear --param-rk=0xa1 $M && [ -z "$(keys $A)" ]'
in_node n2 "writes without a key" 'can_write $M'

# --- fence_mpath
in_node n1 "fence_mpath on" 'mpath on a1 && registered 0xa1 0xa1 && holds 0xa1'
in_node n2 "fence_mpath on" 'mpath on a2 && registered 0xa1 0xa1 0xa2 0xa2 && holds 0xa1'
in_node n2 "fence_mpath monitor, and status of both: on" 'mpath monitor a2 && mpath status a1 && mpath status a2'
in_node n1 "its watchdog check is content" '/usr/share/cluster/fence_mpath_check'
in_node n1 "writes" 'writes 300 before'
for network in 0 1; do ok "n1: its cable of network $network is pulled" cable_out 11 $network; done
in_node n1 "begins a write, which its map keeps as no path is left" '
  (writes 300 late >/run/dd 2>&1; echo $? >/run/ended) >/dev/null 2>&1 &
  queued() { active 0 && cat /proc/[0-9]*/stat 2>/dev/null | grep "(dd) D"; }
  until_ok 40 queued; multipath -ll; queued && [ ! -e /run/ended ]'
in_node n2 "fence_mpath off of n1" 'mpath off a1 && registered 0xa2 0xa2 && holds 0xa2'
in_node n2 "fence_mpath status of n1: off" 'mpath status a1; [ $? = 2 ]'
in_node n2 "writes on" 'writes 301 other && reads 301 other'
for network in 0 1; do ok "n1: its cable of network $network is back" cable_in 11 $network; done
in_node n1 "the write that its map kept is refused by the reservation" \
  'ended() { [ -e /run/ended ]; }; until_ok 60 ended; cat /run/dd; ended && grep -q "Invalid exchange" /run/dd'
in_node n2 "it has not landed" 'reads 300 before'
in_node n1 "its paths are back, and it is refused on all of them" \
  'until_ok 60 active 2; multipath -ll; active 2 && denied_at_once $M && denied_at_once $A && denied_at_once $B && registered 0xa2 0xa2'
in_node n1 "its watchdog check would boot it" '/usr/share/cluster/fence_mpath_check; [ $? = 2 ]'
in_node n1 "fence_mpath on: back again" 'mpath on a1 && registered 0xa1 0xa1 0xa2 0xa2 && writes 300 back && /usr/share/cluster/fence_mpath_check'
in_node n1 "a path that comes back as another port is registered by multipathd" "
  iscsiadm -m node -T $IQN:disk -p $HOST1:3260 --logout && until_ok 20 active 1 &&
  iscsiadm -m node -T $IQN:disk -p $HOST1:3260 --login && B=\$(lun_dev $IQN:disk 1 $HOST1) &&
  until_ok 30 active 2 && registered 0xa1 0xa1 0xa1 0xa2 0xa2 && until_ok 10 can_write \$B && can_write \$A"
in_node n2 "mpathpersist clears" 'mpathpersist -o --clear --param-rk=0xa2 $M && [ -z "$(keys $A)" ]'

# --- fence_scsi over the same map
in_node n1 "fence_scsi on registers both paths, with APTPL" 'scsi on n1 b1 && registered 0xb1 0xb1 && writes 302 n1'
in_node n2 "fence_scsi on" 'scsi on n2 b2 && registered 0xb1 0xb1 0xb2 0xb2 && writes 303 n2'
in_node n2 "fence_scsi off of n1" 'scsi off n1 b1 && ! scsi status n1 b1 && registered 0xb2 0xb2'
in_node n1 "is refused on all paths" 'denied_at_once $M && denied_at_once $A && denied_at_once $B'
in_node n2 "writes on" 'writes 303 n2'
in_node n1 "fence_scsi on: back again" 'scsi on n1 b1 && writes 302 back && can_write $A && can_write $B'
ok "the nodes are switched off" node_kill n1 n2
ok "the target ends in order" target_stop
