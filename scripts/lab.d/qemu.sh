# In the nodes of the scenario kvm: QEMU with the guest of guest.S, on a LUN by libiscsi or by the node's own device.
# shellcheck shell=bash disable=SC2154
HERE=${BASH_SOURCE%/*}

# direct INITIATOR: the disk as QEMU logs in to it itself, with CHAP and digests. device FILE: by the kernel's device.
direct() {
  echo "driver=iscsi,node-name=disk,transport=tcp,portal=$PORTAL,target=$IQN:direct,lun=1,user=alice,password-secret=password,initiator-name=$1,header-digest=crc32c"
}
device() { echo "driver=host_device,node-name=disk,filename=$1,cache.direct=on"; }

# machine NAME [OPTION...]: of 16 MiB, in the foreground; it outlives no scenario.
machine() {
  timeout -k 5 600 qemu-system-x86_64 -machine pc -accel tcg -m 16 -nodefaults -display none \
    -qmp "unix:/run/$1.qmp,server=on,wait=off" "${@:2}"
}
# guest NAME DISK [OPTION...]: what it has been told is written is in /run/NAME.taken. PASSWORD: the file with another.
guest() {
  rm -f "/run/$1.taken"
  machine "$1" -object secret,id=password,file="${PASSWORD:-/lab/password}" -blockdev "$2" \
    -device virtio-blk-pci,drive=disk,id=drive -device isa-debugcon,iobase=0xe9,chardev=taken \
    -chardev file,id=taken,path="/run/$1.taken",append=on "${@:3}"
}
# passing NAME DEVICE: no guest, but scsi: commands are passed to the device, and reservations to qemu-pr-helper.
passing() {
  qemu-pr-helper -k "/run/$1.pr" &
  until_ok 10 test -S "/run/$1.pr" || return
  machine "$1" -S -object "pr-manager-helper,id=helper,path=/run/$1.pr" \
    -blockdev "$(device "$2"),pr-manager=helper" -device virtio-scsi-pci,disable-modern=on,addr=4 \
    -device scsi-block,drive=disk,share-rw=on -qtest "unix:/run/$1.qtest,server=on,wait=off" -qtest-log /dev/null
}
scsi() { python3 "$HERE/virtio-scsi.py" "/run/$1.qtest" "${@:2}"; }    # NAME CDB [DATA-OUT | -LENGTH]
# start guest|passing NAME ...: in the background, until it answers.
start() {
  ("$@"; : >"/run/$2.ended") </dev/null >"/run/$2.log" 2>&1 &
  until_ok 60 answers "$2" && [[ ! -e /run/$2.ended ]] || { cat "/run/$2.log"; return 1; }
}
qmp() { python3 "$HERE/qmp.py" "/run/$1.qmp" "${@:2}"; }      # NAME COMMAND [JSON]
answers() { [[ -e /run/$1.ended ]] || qmp "$1" query-status >/dev/null 2>&1; }
is() { [[ $(qmp "$1" query-status) = *"\"status\": \"$2\""* ]]; }      # NAME STATUS
size() { qmp "$1" query-named-block-nodes | grep -m 1 -o '"virtual-size": [0-9]*' | grep -o '[0-9]*$'; }
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

# taken NAME: how many writes its guest was told have been done. writes_on: there are more from now on.
taken() { echo $(($(stat -c %s "/run/$1.taken" 2>/dev/null || echo 0) / 4)); }
more() { (($(taken "$1") > $2 + 40)); }
writes_on() { local now; now=$(taken "$1"); until_ok 60 more "$1" "$now" || { echo "$now, $(taken "$1")"; return 1; }; }
# go NAME URI: its guest is to go to the QEMU that waits there, and then has gone.
go() { qmp "$1" migrate "{\"uri\": \"$2\"}"; }
gone() { qmp "$1" query-migrate | grep '"status": "completed"'; }
# cannot_write NAME: it has let go of the disk.
cannot_write() { qemu_io "$1" "write -P 7 40M 512" disk | tee /dev/stderr | grep -q "Block node is read-only"; }

# start_copy: of /lab/image, in 8 s or so. copies: it has begun. copied: it has ended, well.
start_copy() {
  (
    qemu-img convert -p -n -m 16 -W -r 6M -f raw --target-image-opts --object secret,id=password,file=/lab/password \
      /lab/image "$(direct "$IQN:q1")" && echo copied
    : >/run/copy.ended
  ) </dev/null >/run/copy.log 2>&1 &
}
copies() { grep -a '([1-9][0-9]*\.' /run/copy.log; }
copied() { until_ok 120 test -e /run/copy.ended; tr '\r' '\n' </run/copy.log | tail -n 3; grep -aqx copied /run/copy.log; }
