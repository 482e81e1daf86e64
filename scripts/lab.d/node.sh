# Sourced in a node before every command of node_exec.
# shellcheck shell=bash disable=SC2034
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8
IQN=iqn.2026-11.com.example

# iscsi_start: the initiator and its daemon. Limits of minutes are seconds here: no step waits for them.
iscsi_start() {
  modprobe -a iscsi_tcp sd_mod sg || return
  [[ ! -e /run/iscsid.pid ]] || return 0
  mkdir -p /run/lock/iscsi
  cat >/etc/iscsi/iscsid.conf <<END
node.startup = manual
node.leading_login = No
node.session.timeo.replacement_timeout = ${REPLACEMENT_TIMEOUT:-5}
node.session.initial_login_retry_max = 1
node.conn[0].timeo.login_timeout = 5
node.conn[0].timeo.logout_timeout = 5
node.conn[0].timeo.noop_out_interval = 2
node.conn[0].timeo.noop_out_timeout = 2
discovery.sendtargets.reopen_max = 1
discovery.sendtargets.timeo.login_timeout = 5
END
  iscsid
}
# iscsi_start_telling: and iscsid tells in /run/iscsid.log why a login failed, and the keys of every one, as they are
# sent and as they come back.
iscsi_start_telling() {
  iscsid() { command iscsid -f -d 8 >>/run/iscsid.log 2>&1 & }
  iscsi_start && until_ok 10 grep -q ISCSIADM /proc/net/unix
}
iscsi_record() { iscsiadm -m node -T "$1" -p "$2" -o "${@:3}"; }
# iscsi_login IQN PORTAL... [-- KEY=VALUE...]: records by hand, these settings, and in.
iscsi_login() {
  local name=$1 portal portals=() setting; shift
  while (($#)) && [[ $1 != -- ]]; do portals+=("$1"); shift; done
  shift
  for portal in "${portals[@]}"; do
    iscsi_record "$name" "$portal" new >/dev/null || return
    for setting; do iscsi_record "$name" "$portal" update -n "${setting%%=*}" -v "${setting#*=}" || return; done
    iscsiadm -m node -T "$name" -p "$portal" --login || return
  done
}
# lun_dev IQN LUN [ADDRESS]: its device, of the session with that address; waits 10 s for it.
lun_dev() {
  local i session device
  for ((i = 0; i < 200; i++)); do
    for session in /sys/class/iscsi_session/session*; do
      [[ $(cat "$session/targetname" 2>/dev/null) = "$1" ]] || continue
      [[ -z ${3-} || $(cat "$session"/device/connection*/iscsi_connection/*/address 2>/dev/null) = "$3" ]] || continue
      for device in "$session"/device/target*/*:"$2"/block/sd*; do
        if [[ -b /dev/${device##*/} ]]; then echo "/dev/${device##*/}"; return; fi
      done
    done
    sleep 0.05
  done
  return 1
}

# can_read, can_write DEVICE: past the page cache. denied: by a RESERVATION CONFLICT, which Linux calls EBADE.
can_read() { dd if="$1" of=/dev/null bs=4k count=1 skip=16 iflag=direct; }
can_write() { dd if=/dev/zero of="$1" bs=4k count=1 seek=16 oflag=direct; }
denied() {
  local output
  output=$(can_write "$1" 2>&1) && return 1
  echo "$output"
  [[ $output = *"Invalid exchange"* ]]
}
# denied_at_once DEVICE: in less than 2 s, so nobody waited for a time-out.
denied_at_once() {
  local start=$EPOCHREALTIME
  denied "$1" && ((${EPOCHREALTIME/./} - ${start/./} < 2000000))
}
keys() { sg_persist -n -i -k "$1" | grep -o '0x[0-9a-f]*$' | sort | tr '\n' ' '; }   # that are registered
# write_without_end DEVICE: begins to, beside what comes after; writes_on: it goes on, and has done more since.
# nocreat: else it leaves a file in place of a device that goes, and the next device has no node.
write_without_end() {
  (
    while dd if=/dev/zero of="$1" bs=64k count=16 oflag=direct conv=nocreat 2>/run/dd; do
      echo $((++rounds)) >/run/rounds.new && mv /run/rounds.new /run/rounds
    done
    echo >/run/ended
  ) >/dev/null 2>&1 &
  until_ok 10 test -e /run/rounds
}
writes_on() { local rounds; [[ ! -e /run/ended ]] && rounds=$(</run/rounds) && until_ok 20 wrote_more "$rounds"; }
wrote_more() { (($(</run/rounds) > $1)); }

# until_ok SECONDS COMMAND...: until it succeeds.
until_ok() { local end=$((SECONDS + $1)); shift; until "$@"; do ((SECONDS < end)) || return 1; sleep 0.3; done; }
# udev_start: for multipathd and LVM, which look things up there.
udev_start() {
  /lib/systemd/systemd-udevd --daemon && udevadm trigger -s block -s scsi -s scsi_device --action=add &&
    udevadm settle -t 20
}
