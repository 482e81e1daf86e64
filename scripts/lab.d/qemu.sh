# In the nodes of the scenario kvm: QEMU with the guest of guest.S, on a LUN by libiscsi or by the node's own device.
# shellcheck shell=bash disable=SC2154
HERE=${BASH_SOURCE%/*}

# direct INITIATOR PASSWORD-FILE: QEMU's own way, with CHAP and digests. device FILE: the kernel's.
direct() {
  echo "driver=iscsi,node-name=disk,transport=tcp,portal=$PORTAL,target=$IQN:direct,lun=1,user=alice,password-secret=password,initiator-name=$1,header-digest=crc32c"
}
device() { echo "driver=host_device,node-name=disk,filename=$1,cache.direct=on"; }

# qemu NAME DISK [OPTION...]: in the foreground. What its guest has been promised is in /run/NAME.taken.
qemu() {
  local name=$1 disk=$2; shift 2
  timeout -k 5 600 qemu-system-x86_64 -machine pc -accel tcg -m 16 -nodefaults -display none \
    -object secret,id=password,file="${PASSWORD:-/lab/password}" -blockdev "$disk" \
    -device virtio-blk-pci,drive=disk,id=drive -chardev file,id=taken,path="/run/$name.taken",append=on \
    -device isa-debugcon,iobase=0xe9,chardev=taken -qmp "unix:/run/$name.qmp,server=on,wait=off" "$@"
}
# start the same: in the background, until it answers.
start() {
  rm -f "/run/$1.taken"
  (setsid bash -c "$(declare -f qemu); qemu \"\$@\"" qemu "$@" </dev/null >"/run/$1.log" 2>&1; : >"/run/$1.ended") >/dev/null 2>&1 &
  until_ok 60 answers "$1" || { cat "/run/$1.log"; return 1; }
}
qmp() { python3 "$HERE/qmp.py" "/run/$1.qmp" "${@:2}"; }      # NAME COMMAND [JSON]
answers() { [[ -e /run/$1.ended ]] || qmp "$1" query-status >/dev/null 2>&1; }
# quit NAME: all it had to say is of unit attentions, what qemu-io has done, and a timer that qtest lacks at the end.
ORDINARY='SENSE KEY:UNIT_ATTENTION\(6\)|^(wrote|read) [0-9]|^[0-9.]+ [KM]iB, [0-9] ops|GLib: g_timer_elapsed'
quit() {
  qmp "$1" quit && until_ok 30 test -e "/run/$1.ended" && cat "/run/$1.log" && ! grep -avE "$ORDINARY" "/run/$1.log"
}
# qemu_io NAME COMMAND [DISK]: by the guest's drive, or that disk. What it says, in the log by and by, is no refusal.
qemu_io() {
  local refusal
  refusal=$(qmp "$1" human-monitor-command "{\"command-line\": \"qemu-io ${3:--d /machine/peripheral/drive/virtio-backend} \\\"$2\\\"\"}" | tr -d '\r')
  echo "$refusal"
  [[ -z $refusal ]]
}
is() { [[ $(qmp "$1" query-status) = *"\"status\": \"$2\""* ]]; }      # NAME STATUS
size() { qmp "$1" query-named-block-nodes | grep -m 1 -o '"virtual-size": [0-9]*' | grep -o '[0-9]*$'; }

# taken NAME: how many writes its guest was told have been done. writes_on: there are more from now on.
taken() { echo $(($(stat -c %s "/run/$1.taken" 2>/dev/null || echo 0) / 4)); }
more() { (($(taken "$1") > $2 + 40)); }
writes_on() { local now; now=$(taken "$1"); until_ok "${2:-60}" more "$1" "$now" || { echo "$now, $(taken "$1")"; return 1; }; }
# go NAME URI: its guest is to go to the QEMU that waits there, and then has gone.
go() { qmp "$1" migrate "{\"uri\": \"$2\"}"; }
gone() { qmp "$1" query-migrate | grep '"status": "completed"'; }
# cannot_write NAME: it has let go of the disk.
cannot_write() { qemu_io "$1" "write -P 7 40M 512" disk | tee /dev/stderr | grep -q "Block node is read-only"; }

# start_passing NAME DEVICE: a machine without a guest, for scsi, that passes commands to the device, and reservations
# by qemu-pr-helper.
start_passing() {
  (setsid qemu-pr-helper -k "/run/$1.pr" </dev/null >"/run/$1.helper.log" 2>&1 &)
  until_ok 10 test -S "/run/$1.pr" || { cat "/run/$1.helper.log"; return 1; }
  (setsid bash -c 'timeout -k 5 600 qemu-system-x86_64 -machine pc -accel tcg -S -m 16 -nodefaults -display none \
    -object "pr-manager-helper,id=helper,path=/run/$1.pr" \
    -blockdev "driver=host_device,node-name=disk,filename=$2,pr-manager=helper,cache.direct=on" \
    -device virtio-scsi-pci,disable-modern=on,addr=4 -device scsi-block,drive=disk,share-rw=on \
    -qtest "unix:/run/$1.qtest,server=on,wait=off" -qtest-log /dev/null \
    -qmp "unix:/run/$1.qmp,server=on,wait=off"
    : >"/run/$1.ended"' machine "$@" </dev/null >"/run/$1.log" 2>&1 &)
  until_ok 60 answers "$1" && [[ ! -e /run/$1.ended ]] || { cat "/run/$1.log"; return 1; }
}
scsi() { python3 "$HERE/virtio-scsi.py" "/run/$1.qtest" "${@:2}"; }
