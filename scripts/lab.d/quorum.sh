# In the nodes of the scenarios quorum-disks and fence-sbd: SBD on $SBD; in those of quorum-disks also sanlock and
# heartbeats on $SBD4096, $L512, $L4096 and $BEATS.
# shellcheck shell=bash disable=SC2154
HERE=${BASH_SOURCE%/*}

# log_start: what SBD and sanlock have to say, where the host side can read it. said TEXT: they have.
log_start() { busybox syslogd -O "/lab/$HOSTNAME-syslog.log" -S; }
said() { grep "$1" "/lab/$HOSTNAME-syslog.log"; }

# --- SBD

# watch_slot: with no Pacemaker to ask. softdog, as the kernel's own /dev/watchdog needs a helper outside.
watch_slot() {
  export SBD_PACEMAKER=no SBD_SYNC_RESOURCE_STARTUP=no
  modprobe softdog && sbd -d "$SBD" -w /dev/watchdog1 -p /run/sbd.pid -v watch && until_ok 10 listed
}
# sbd_start: as its unit does, with a Pacemaker to ask, which starts later. sbd_settings: what both their units read;
# pacemakerd has them, too, and waits until SBD asks it.
sbd_settings() {
  cat >/etc/default/sbd <<END
SBD_DEVICE=$SBD
SBD_WATCHDOG_DEV=/dev/watchdog
SBD_PACEMAKER=yes
SBD_SYNC_RESOURCE_STARTUP=yes
END
  set -a; . /etc/default/sbd; set +a
}
sbd_start() {
  modprobe softdog && ln -sfn watchdog1 /dev/watchdog &&   # which it is where there is no other
    sbd_settings && sbd -v -p /run/sbd.pid watch && until_ok 10 listed
}
listed() { sbd -d "$SBD" list | grep -P "\t$HOSTNAME\tclear"; }
# slots "NODE MESSAGE[ SENDER]"...: what SBD's list says of all its slots.
slots() { sbd -d "$SBD" list | tee /dev/stderr | cut -f 2- | tr '\t' ' ' | sed 's/ $//' | sort | diff - <(printf '%s\n' "$@"); }
# tells NODE MESSAGE: SBD's own command only ends 20 s later, when it believes that the node has seen it.
tells() { setsid sbd -d "$SBD" message "$1" "$2" >/dev/null 2>&1 & }

# fences NODE: so does the agent, which waits for that command.
fences() { setsid fence_sbd --devices="$SBD" --plug="$1" --action=reboot >/dev/null 2>&1 & }

# --- sanlock

# An I/O timeout of 2 s (-o): leases are renewed every 4 s, and lost after 16.
lockspace() {                      # DISK
  sanlock direct init -o 2 -Z "$(blockdev --getss "$1")" -A 1M -s "$(space "$1"):0:$1:0" &&
    sanlock direct init -o 2 -Z "$(blockdev --getss "$1")" -A 1M -r "$(lease "$1")"
}
space() { echo "blocks-of-$(blockdev --getss "$1")"; }
lease() { echo "$(space "$1"):lease:$1:1048576"; }
join() {                           # HOST: it has that number in both lockspaces
  local disk jobs=()
  mkdir -p /run/sanlock
  sanlock daemon -w 0 -U root -G root -l 0 -e "$HOSTNAME" && until_ok 5 sanlock client status >/dev/null || return
  for disk in "$L512" "$L4096"; do
    sanlock client add_lockspace -o 2 -s "$(space "$disk"):$1:$disk:0" & jobs+=($!)
  done
  wait "${jobs[0]}" && wait "${jobs[1]}"
}
renewals() { sanlock client renewal -s "$(space "$1")"; }
# renew: there is one more in both lockspaces.
renew() {
  local first second
  first=$(last_renewal "$L512") && second=$(last_renewal "$L4096") || return
  until_ok 16 later "$L512" "$first" && until_ok 16 later "$L4096" "$second"
}
last_renewal() { renewals "$1" | sed -nE '$s/timestamp=([0-9]+) .*/\1/p' | grep .; }
later() { (($(last_renewal "$1") > $2)); }
# take DISK: a process has the lease. denied_lease: refused as its host is alive (SANLK_ACQUIRE_IDLIVE).
take() {
  local process
  setsid sanlock client command -r "$(lease "$1")" -c /bin/sleep 1000 >/run/take 2>&1 & process=$!
  until has_lease "$1"; do kill -0 $process || { cat /run/take; return 1; }; sleep 0.3; done
}
# The version is 0 while it is still being asked for.
has_lease() { sanlock client status | grep "^r $(lease "$1"):[1-9]"; }
denied_lease() { sanlock client command -r "$(lease "$1")" -c /bin/sleep 0 | tee /dev/stderr | grep "acquire done -243"; }
owner() { sanlock direct read_leader -r "$(lease "$1")" | tee /dev/stderr | grep "^owner_id $2$"; }

# --- heartbeats

# heartbeat SLOT: takes it and beats. taken SLOT: it may not. A heart that has not beaten for 10 s is dead.
heartbeat() {
  rm -rf "/run/heartbeat.$1"
  (setsid python3 "$HERE/heartbeat.py" "$BEATS" "$1" "$HOSTNAME" 10 "/run/heartbeat.$1" </dev/null >"/run/heartbeat.$1.log" 2>&1 &)
  until_ok 15 [ -e "/run/heartbeat.$1/beats" ]
}
taken() { timeout 20 python3 "$HERE/heartbeat.py" "$BEATS" "$1" "$HOSTNAME" 10 /run/taken; (($? == 3)); }
beats() { local now; now=$(<"/run/heartbeat.$1/beats") && until_ok 15 beaten "$1" $((now + 2)); }
beaten() { (($(<"/run/heartbeat.$1/beats") >= $2)); }
sees() { cat "/run/heartbeat.${HOSTNAME#n}/seen" && diff "/run/heartbeat.${HOSTNAME#n}/seen" <(printf '%s\n' "$@"); }
