# Corosync and Pacemaker on n1, n2 and n3, which talk by network 0.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
corosync_conf() {
  local n
  printf 'totem {\n version: 2\n cluster_name: lab\n transport: knet\n crypto_cipher: none\n crypto_hash: none\n}\n'
  printf 'quorum {\n provider: corosync_votequorum\n}\nlogging {\n to_logfile: yes\n logfile: /var/log/corosync.log\n to_syslog: no\n}\nnodelist {\n'
  for n in 1 2 3; do printf ' node {\n  ring0_addr: %s.0.1%s\n  name: n%s\n  nodeid: %s\n }\n' "$NET" $n $n $n; done
  echo '}'
}

# What the nodes run. Corosync is everywhere before Pacemaker is: else a fencer gives up on its cluster, for ever.
COROSYNC='cp /lab/corosync.conf /etc/corosync/ && corosync && three() { corosync-quorumtool -s | grep -q "Total votes: *3"; }
until_ok 60 three; corosync-quorumtool -s'
PACEMAKER='mkdir -p /run/crm /run/resource-agents && chown hacluster:haclient /run/crm && chmod 750 /run/crm
(PCMK_logpriority=info setsid pacemakerd >/run/pacemakerd 2>&1 </dev/null &)
ready() { timeout 10 crm_mon -1; }; until_ok 90 ready'

# Of every step in a node: online NODE..., and no other is; runs_on RESOURCE "NODE|NODE".
CLUSTER='
online() { timeout 10 crm_mon -1 2>&1 | tee /run/mon | grep -qE "Online: \[ $* \]"; }
runs_on() { crm_resource -W -r $1 2>&1 | tee /dev/stderr | grep -qE "is running on: ($2)"; }
'
# sees_all NODE; comes_to NODE CLAIM RESOURCE "NODE|NODE": by and by, as NODE sees it. owner RESOURCE: who runs it.
sees_all() {
  in_node "$1" "Pacemaker sees three nodes" 'all() { online n1 n2 n3; }; until_ok 90 all; cat /run/mon; all'
}
comes_to() {
  in_node "$1" "$2" "there() { runs_on $3 '$4' 2>/dev/null; }; until_ok 120 there; crm_mon -1rf; runs_on $3 '$4'" 150
}
owner() { node_exec n2 "crm_resource -W -r $1 2>&1 | grep -oE 'n[123] *\$' | tr -d ' '"; }
