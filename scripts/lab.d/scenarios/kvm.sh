# A running QEMU guest keeps its disk through restarts of the daemon, a resize and a live migration to another node.
# By libiscsi in QEMU itself, with CHAP and digests, and by the node's own device; a reservation through QEMU's helper.
# QEMU runs in the nodes, by TCG: there is no KVM. The guest is one boot sector (guest.S), which it boots from the LUN.
# client qemu-system-x86: a guest through restarts, a resize and a live migration; reservations by qemu-pr-helper
# client libiscsi7: QEMU's own login, with CHAP and header digests, over restarts and kill -9
# client qemu-utils: qemu-img and qemu-io, over restarts and kill -9
# packages: qemu-system-x86 qemu-utils qemu-block-extra
# set: long
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
IN_NODE=". $LAB_PARTS/qemu.sh; PORTAL=$PORTAL; "
serve_disks() {
  (umask 077 && printf %s alice-secret-01 >"$LAB/password" && printf %s wrong-secret-99 >"$LAB/wrong") &&
    target_start && serve direct 64MiB --initiator "$IQN:q1" && adm acl add --target "$IQN:direct" "$IQN:q2" &&
    secret alice-secret-01 chap add --target "$IQN:direct" alice && serve device 64MiB --any
}
# assemble: the guest, for block 0 of a LUN.
assemble() {
  as --32 -o "$LAB/guest.o" "$LAB_PARTS/guest.S" &&
    ld -m elf_i386 -Ttext=0x7c00 -e start --oformat binary -o "$LAB/guest" "$LAB/guest.o"
}
nothing_lost() { python3 "$LAB_PARTS/guest.py" "$@"; }
# session NAME TEXT...: that initiator's session has these in its lines.
session() {
  local number text shown
  number=$(adm session list | awk -v name="$IQN:$1" '$2 == name { print $1 }') && shown=$(adm session show "$number") || return
  echo "$shown"; shift
  for text; do grep -qE "$text" <<<"$shown" || return; done
}
no_session() { local list; list=$(adm session list) && [[ $list != *"$IQN:$1 "* ]]; }
restarts() { target_stop && sleep 1 && target_start; }
crashes() { target_kill && sleep 1 && target_start; }
keep() { echo "cp /run/$1.taken /lab/$1.taken && sync"; }

ok "the target serves" serve_disks || return
ok "the guest is assembled" assemble || return
node_start n1 11 384M
node_start n2 12 384M
ok "two nodes boot" node_wait n1 n2 || return

# --- libiscsi
not_in_node n1 "QEMU with a wrong password does not start" 'PASSWORD=/lab/wrong guest wrong "$(direct $IQN:q1)" >/run/wrong.log 2>&1'
in_node n1 "and says why" 'cat /run/wrong.log; grep "Failed to log in to target.*Authentication failure" /run/wrong.log'
not_in_node n1 "QEMU by a name that is not let in does not start" 'guest other "$(direct $IQN:q3)" >/run/wrong.log 2>&1'
in_node n1 "and says why" 'cat /run/wrong.log; grep "Failed to log in to target.*Target not found" /run/wrong.log'
in_node n1 "qemu-io writes the boot sector, by libiscsi" \
  'qemu-io --object secret,id=password,file=/lab/password --image-opts "$(direct $IQN:q1)" -c "write -s /lab/guest 0 512" | grep "wrote 512/512"'
in_node n1 "the guest boots from the LUN, and writes" 'start guest q1 "$(direct $IQN:q1)" && writes_on q1' || return
ok "the session is QEMU's: its name, CHAP as alice, CRC32C over headers" session q1 "^CHAP user +alice$" " CRC32C +None "
for round in 1 2; do
  ok "restart $round of the daemon, in order" restarts
  in_node n1 "the guest writes on" 'writes_on q1'
  ok "restart $round, by kill -9" crashes
  in_node n1 "the guest writes on after that" 'writes_on q1'
done
ok "lun resize to 96 MiB" adm_says "has 96 MiB" lun resize --target $IQN:direct 1 --size 96MiB
in_node n1 "the guest writes on" 'writes_on q1'
in_node n1 "QEMU takes the size with block_resize" \
  'size q1; qmp q1 block_resize "{\"node-name\": \"disk\", \"size\": $((96 << 20))}" && [ $(size q1) = $((96 << 20)) ]'
in_node n1 "it does not take more than there is" 'qmp q1 block_resize "{\"node-name\": \"disk\", \"size\": $((97 << 20))}" 2>&1 | grep "Cannot grow"'
in_node n1 "and writes where there was nothing" 'qemu_io q1 "write -P 165 95M 1M"'
ok "which is on the disk" cmp -n 1048576 -i 99614720:0 "$LAB/disk1.img" <(head -c 1048576 /dev/zero | tr '\0' '\245')

in_node n2 "a QEMU waits for the guest, on the same LUN" 'start guest q2 "$(direct $IQN:q2)" -incoming tcp:0:4444 && is q2 inmigrate'
ok "both have a session" eval 'session q1 && session q2'
ok "the daemon ends" target_stop
in_node n1 "the guest is to go there, meanwhile" "go q1 tcp:$NET.0.12:4444 && sleep 3"
in_node n2 "it does not come before its last write is done" 'is q2 inmigrate'
ok "the daemon is back" target_start
in_node n1 "the guest goes" 'until_ok 60 gone q1 && is q1 postmigrate' || return
in_node n2 "it writes on there" 'is q2 running && writes_on q2'
in_node n1 "QEMU cannot write here any more" 'cannot_write q1'
in_node n1 "and ends" "quit q1 && $(keep q1)"
ok "its session has gone" until_ok 10 no_session q1
ok "one more restart of the daemon, by kill -9" crashes
in_node n2 "the guest writes on" 'writes_on q2'
in_node n2 "QEMU reads what the other has written" 'qemu_io q2 "read -P 165 95M 1M"'
in_node n2 "and ends, with the right bytes" "quit q2 && grep '^read 1048576/1048576' /run/q2.log && $(keep q2)"
ok "no write is lost, none came after the end" nothing_lost "$LAB/disk1.img" "$LAB/q1.taken" "$LAB/q2.taken"

ok "an image of 48 MiB" eval 'head -c 48M /dev/urandom >"$LAB/image"'
in_node n1 "qemu-img begins to copy it, with 16 requests at once" 'start_copy && until_ok 30 copies' || return
ok "the daemon restarts, by kill -9" crashes
ok "the daemon restarts, in order" restarts
in_node n1 "qemu-img has not ended in the meantime" '[ ! -e /run/copy.ended ]'
in_node n1 "qemu-img has copied all, as far as it knows" 'copied' 150
ok "the same bytes are on the disk" cmp -n $((48 << 20)) "$LAB/image" "$LAB/disk1.img"

# --- the kernel's device
IN_NODE+="D=\$(lun_dev $IQN:device 1); "
ok "n1 n2: log in to the other target" \
  nodes_exec "n1 n2" "export REPLACEMENT_TIMEOUT=120; iscsi_start && iscsi_login $IQN:device $PORTAL -- && lun_dev $IQN:device 1" || return
in_node n1 "the boot sector onto the device" 'dd if=/lab/guest of=$D oflag=direct'
in_node n1 "the guest boots from it, and writes" 'start guest d1 "$(device $D)" && writes_on d1' || return
not_in_node n1 "a second QEMU on the same device does not start" 'guest second "$(device $D)" >/run/second.log 2>&1'
in_node n1 "as the first has the lock" 'cat /run/second.log; grep "Failed to get .* lock" /run/second.log'
ok "lun resize to 96 MiB" adm_says "has 96 MiB" lun resize --target $IQN:device 1 --size 96MiB
in_node n1 "QEMU has the size after --rescan" \
  'iscsiadm -m session --rescan >/dev/null; qmp d1 block_resize "{\"node-name\": \"disk\", \"size\": $((96 << 20))}" && [ $(size d1) = $((96 << 20)) ]'
in_node n1 "and writes where there was nothing" 'qemu_io d1 "write -P 165 95M 1M"'
in_node n2 "a QEMU waits for the guest, after --rescan" \
  'iscsiadm -m session --rescan >/dev/null; start guest d2 "$(device $D)" -incoming tcp:0:4444 && is d2 inmigrate'
ok "the daemon restarts, by kill -9" crashes
in_node n1 "the guest goes there as it writes" "go d1 tcp:$NET.0.12:4444 && until_ok 60 gone d1 && is d1 postmigrate" || return
in_node n2 "it writes on there" 'is d2 running && writes_on d2'
in_node n1 "QEMU cannot write here any more" 'cannot_write d1'
in_node n1 "and ends" "quit d1 && $(keep d1)"
in_node n2 "QEMU reads what the other has written" 'qemu_io d2 "read -P 165 95M 1M"'
in_node n2 "and ends, with the right bytes" "quit d2 && grep '^read 1048576/1048576' /run/d2.log && $(keep d2)"
ok "no write is lost, none came after the end" nothing_lost "$LAB/disk2.img" "$LAB/d1.taken" "$LAB/d2.taken"
in_nodes "n1 n2" "the kernels have met no error" '! dmesg | grep -E "I/O error|Sense Key"'

# --- a reservation from inside a machine, through qemu-pr-helper
in_node n1 "a machine with the device as scsi-block, and qemu-pr-helper" 'start passing p1 "$D"' || return
in_node n1 "it registers" 'scsi p1 5f000000000000001800 0000000000000000000000000000abc00000000000000000 | tee /dev/stderr | grep "status 00"'
in_node n1 "and reserves" 'scsi p1 5f010500000000001800 000000000000abc000000000000000000000000000000000 | tee /dev/stderr | grep "status 00"'
in_node n1 "reads its key" 'scsi p1 5e000000000000001000 -16 | tee /dev/stderr | grep 00000008000000000000abc0'
in_node n1 "by the helper" 'qmp p1 query-pr-managers | tee /dev/stderr | grep "\"connected\": true"'
ok "the target has it, as n1's" adm_says "Registrants Only  $IQN:n1  0x000000000000abc0" reservation list
in_node n2 "may not write" 'denied $D'
in_node n1 "may write" 'can_write $D'
in_node n1 "the machine clears it" 'scsi p1 5f030000000000001800 000000000000abc000000000000000000000000000000000 | tee /dev/stderr | grep "status 00"'
in_node n2 "may write again" 'until_ok 5 can_write $D'
in_node n1 "the machine ends" 'quit p1'
in_nodes "n1 n2" "log out" "iscsiadm -m node -T $IQN:device -p $PORTAL --logout"
ok "the nodes power off" node_stop n1 n2
ok "the target ends in order" target_stop
