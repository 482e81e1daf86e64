# In the target hosts of the scenarios resource-agents and target-hosts: corosync and Pacemaker; of the first
# also the daemon, as a host has it.
# shellcheck shell=bash disable=SC2154
# The agents' tgtadm is the daemon's, whatever else is installed.
PATH=$(dirname "$TGTD"):$PATH
unset SWIFT_TGTD_SOCKET

# daemon_start: with nothing to serve, on every address; as the host's init would.
daemon_start() {
  install -d -m 700 /etc/swift-tgtd /var/lib/swift-tgtd /run/swift-tgtd
  (umask 077 && echo '{"portals": ["0.0.0.0:3260"], "state": "/var/lib/swift-tgtd"}' >/etc/swift-tgtd/targets.json)
  setsid "$TGTD" --config /etc/swift-tgtd/targets.json </dev/null >>"$LAB/$HOSTNAME-daemon.log" 2>&1 &
  echo $! >/run/daemon
  until_ok 20 tgtadm --mode sys --op show
}
daemon_kill() { kill -KILL "$(</run/daemon)"; }
daemon_stop() { kill -TERM "$(</run/daemon)" && until_ok 20 daemon_ended; }
daemon_ended() { ! readlink "/proc/$(</run/daemon)/exe"; }

# corosync_start HOST...: its cables are those of network 1; two hosts, either of which goes on alone.
corosync_start() {
  local id=0 host
  {
    printf 'totem {\n version: 2\n cluster_name: lab\n transport: knet\n token: 3000\n crypto_cipher: none\n crypto_hash: none\n}\n'
    printf 'quorum {\n provider: corosync_votequorum\n two_node: 1\n}\nlogging {\n to_syslog: no\n to_logfile: yes\n logfile: %s\n}\nnodelist {\n' "$LAB/$HOSTNAME-corosync.log"
    for host; do printf ' node {\n  ring0_addr: %s\n  name: t%s\n  nodeid: %s\n }\n' "$host" $((++id)) "$id"; done
    echo '}'
  } >/etc/corosync/corosync.conf
  corosync && until_ok 60 two_votes
}
two_votes() { corosync-quorumtool -s | grep -q 'Total votes: *2'; }
pacemaker_start() {
  mkdir -p /run/crm /run/resource-agents && chown hacluster:haclient /run/crm && chmod 750 /run/crm
  (PCMK_logfile=$LAB/$HOSTNAME-pacemaker.log setsid pacemakerd >/run/pacemakerd 2>&1 </dev/null &)
  until_ok 90 timeout 10 crm_mon -1
}
online() { timeout 10 crm_mon -1 >/run/mon; grep -E "Online: \[ $* \]" /run/mon; }
runs_on() { crm_resource -W -r address 2>&1 | grep -E "is running on: $1"; }
# is_online Yes|No: whether LUN 1 serves, as tgtadm has it.
is_online() { tgtadm --mode target --op show | sed -n '/LUN: 1$/,/Online:/p' >/run/unit; cat /run/unit; grep -q "Online: $1" /run/unit; }
