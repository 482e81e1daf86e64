# A fenced node fails at once, and stays fenced when the target is started again. Three nodes share a disk:
# persistent reservations by sg_persist, fencing by fence_scsi, and by sg3_utils the commands that clusters use
# beside them.
# client sg3-utils: registers, preempts and aborts; COMPARE AND WRITE, EXTENDED COPY, UNMAP, VPD and log pages
# client fence-agents: fence_scsi on, off, status and monitor; in less than 2 s, who writes at depth 32
# packages: fio
# rounds: 3 20
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
serve_shared() { target_start && serve shared 256MiB --any && serve shared 256MiB; }
ok "the target serves" serve_shared || return

IN_NODE="D=\$(lun_dev $IQN:shared 1) && E=\$(lun_dev $IQN:shared 2) || exit 125; "
OUT='sg_persist -n --out'

for n in 1 2 3; do node_start n$n 1$n; done
ok "three nodes boot" node_wait n1 n2 n3 || return
for n in n1 n2 n3; do ok "$n: logs in" node_exec $n "iscsi_start && iscsi_login $IQN:shared $PORTAL -- && lun_dev $IQN:shared 1"; done

# --- persistent reservations by hand
for n in 1 2 3; do in_node n$n "registers its key" "$OUT --register --param-sark=0x10$n \$D"; done
in_node n1 "three keys are registered" '[ "$(keys $D)" = "0x101 0x102 0x103 " ]'
in_node n1 "reserves for writers that are registered" "$OUT --reserve --param-rk=0x101 --prout-type=5 \$D"
in_node n2 "sees who holds what" 'sg_persist -n -i -r $D | tee /dev/stderr | grep -q "Write Exclusive, registrants only"'
in_node n2 "sees the full status of three initiators" 'sg_persist -n -i -s $D | tee /dev/stderr | grep -c "iqn\..*:n[123]" | grep -qx 3'
in_node n3 "writes, being registered" 'can_write $D'
in_node n2 "preempts n1 and aborts what it does" "$OUT --preempt-abort --param-rk=0x102 --param-sark=0x101 --prout-type=5 \$D"
in_node n1 "is refused at once" 'denied_at_once $D'
in_node n1 "may read" 'can_read $D'
not_in_node n1 "cannot release what it has lost" "$OUT --release --param-rk=0x101 --prout-type=5 \$D"
in_node n3 "writes on" 'can_write $D'
ok "the target stops" target_stop
ok "the target starts again" target_start
in_node n2 "keys and reservation are what they were" \
  'ready() { sg_turs $D; }; until_ok 20 ready; [ "$(keys $D)" = "0x102 0x103 " ] && sg_persist -n -i -r $D | grep -q "registrants only"'
in_node n1 "is still refused at once" 'until_ok 20 sg_inq $D; until_ok 10 denied_at_once $D'
in_node n2 "clears" "until_ok 10 $OUT --clear --param-rk=0x102 \$D && [ -z \"\$(keys \$D)\" ]"
in_node n1 "writes again" 'until_ok 10 can_write $D'

# --- commands of clusters
in_node n1 "COMPARE AND WRITE takes a lock" \
  'dd if=/dev/zero bs=512 count=1 2>/dev/null >/run/caw; dd if=/dev/zero bs=512 count=1 2>/dev/null | tr "\0" "\1" >>/run/caw
   dd if=/dev/zero of=$D bs=512 seek=4096 count=1 oflag=direct 2>/dev/null && sg_compare_and_write --in=/run/caw --lba=4096 --num=1 $D'
in_node n2 "COMPARE AND WRITE finds the lock taken" \
  'dd if=/dev/zero bs=512 count=1 2>/dev/null >/run/caw; dd if=/dev/zero bs=512 count=1 2>/dev/null | tr "\0" "\2" >>/run/caw
   sg_compare_and_write --in=/run/caw --lba=4096 --num=1 $D; [ $? = 14 ] &&
   [ "$(dd if=$D bs=512 skip=4096 count=1 iflag=direct 2>/dev/null | tr -d "\1" | wc -c)" = 0 ]'
in_node n1 "EXTENDED COPY copies between two units" \
  'dd if=/dev/urandom of=$D bs=64k count=4 oflag=direct 2>/dev/null
   generic() { echo /dev/$(basename /sys/block/${1##*/}/device/scsi_generic/sg*); }
   sg_xcopy if=$(generic $D) of=$(generic $E) bs=512 count=512 && blockdev --flushbufs $D $E && cmp -n 262144 $D $E'
in_node n1 "UNMAP, then GET LBA STATUS knows" \
  'dd if=/dev/urandom of=$D bs=1M seek=8 count=2 oflag=direct 2>/dev/null && sg_unmap --lba=16384 --num=4096 --force $D &&
   sg_get_lba_status --lba=16384 $D | tee /dev/stderr | grep -qi dealloc &&
   [ "$(dd if=$D bs=1M skip=8 count=2 iflag=direct 2>/dev/null | tr -d "\0" | wc -c)" = 0 ]'
in_node n1 "WRITE SAME, VERIFY and SYNCHRONIZE CACHE" \
  'sg_write_same --16 --lba=32768 --num=64 --in=/dev/zero --xferlen=512 $D && sg_verify --16 --lba=32768 --count=64 $D && sg_sync $D'
in_node n1 "REPORT SUPPORTED OPERATION CODES lists reservations and copies" \
  'sg_opcodes $D >/run/opcodes; cat /run/opcodes; grep -qi "compare and write" /run/opcodes && grep -qi "persistent reserve out" /run/opcodes && grep -qi "extended copy" /run/opcodes'
in_node n1 "REPORT TARGET PORT GROUPS" 'sg_rtpg -d $D | tee /dev/stderr | grep -qi "active/optimized"'
in_node n1 "log pages" 'sg_logs $D && sg_logs -a $D | tee /dev/stderr | grep -qi "temperature\|error counter\|provisioning"'
for page in sv di sn mpp tpc bl bdc lbpv; do in_node n1 "VPD page $page" "sg_vpd -p $page \$D"; done
in_node n1 "mode pages" 'sg_modes -a $D'

# --- fence_scsi, as Pacemaker calls it
FENCE='mkdir -p /var/run/cluster /run/cluster; fence() { fence_scsi --plug=$1 --key=$2 --devices=$D --action=$3 --logfile=/run/fence.log; }'
for n in 1 2 3; do in_node n$n "fence_scsi on" "$FENCE; fence n$n a$n on"; done
in_node n1 "fence_scsi has registered all three" '[ "$(keys $D)" = "0xa1 0xa2 0xa3 " ]'
for n in 1 2 3; do in_node n2 "fence_scsi status of n$n: on" "$FENCE; fence n$n a$n status"; done
in_node n2 "fence_scsi monitor" "$FENCE; fence n2 a2 monitor"
for n in n1 n2 n3; do in_node $n "writes" 'can_write $D'; done
in_node n1 "begins to write without end" 'write_without_end $D && writes_on'
in_node n2 "fence_scsi off of n1" "$FENCE; fence n1 a1 off"
in_node n1 "its write has failed by the reservation" 'until_ok 3 test -e /run/ended && grep -q "Invalid exchange" /run/dd'
in_node n1 "is refused at once when fenced" 'denied_at_once $D'
not_in_node n2 "fence_scsi status of n1: off" "$FENCE; fence n1 a1 status"
for n in n2 n3; do in_node $n "writes on beside the fenced node" 'can_write $D'; done
in_node n1 "fence_scsi on: back again" "$FENCE; fence n1 a1 on && can_write \$D"

# --- fenced under load, time after time: what n2 writes when the fence is back stays what it is
LOAD='rm -f /run/fio.ended
(fio --name=load --filename=$D --size=16M --rw=randwrite --bs=64k --ioengine=libaio --iodepth=32 --direct=1 \
  --zero_buffers --time_based --runtime=60 >/run/fio.log 2>&1; echo $? >/run/fio.ended) >/dev/null 2>&1 &
queued() { read -r _ writes </sys/block/${D##*/}/inflight && ((writes > 16)); }; until_ok 10 queued'
# n2 is a machine of its own: what n1 and the target do must not keep its only processor busy.
target_beside_n1() { taskset --all-tasks --cpu-list --pid $((11 % $(nproc))) "$(<"$LAB/target.pid")"; }
MARK='tr "\0" "\1" </dev/zero | dd of=$D bs=1M count=16 iflag=fullblock oflag=direct'
ok "the target has n1's processor" target_beside_n1
for ((round = 1; round <= ROUNDS; round++)); do
  in_node n1 "round $round: writes at depth 32" "$LOAD"
  in_node n2 "round $round: fences n1 in less than 2 s, and writes over what it wrote" \
    "$FENCE"'; start=$EPOCHREALTIME; fence n1 a1 off || exit; took=$((${EPOCHREALTIME/./} - ${start/./})); '"$MARK"'; echo "$took us"; ((took < 2000000))'
  in_node n1 "round $round: its writes have failed by the reservation" \
    'until_ok 3 test -e /run/fio.ended; cat /run/fio.log; [ "$(</run/fio.ended)" != 0 ] && grep -q "Invalid exchange" /run/fio.log'
  in_node n2 "round $round: none has landed since" \
    '[ "$(dd if=$D bs=1M count=16 iflag=direct | tr -d "\1" | wc -c)" = 0 ]'
  in_node n1 "round $round: is back" "$FENCE; fence n1 a1 on && can_write \$D"
done
ok "the target stops in order" target_stop
