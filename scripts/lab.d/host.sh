# The host side of the laboratory: nodes, cables and steps. Sourced in namespaces of its own (scripts/lab), so
# nothing outlives them and no address clashes.
# $LAB is a fresh directory, which the nodes see as /lab. Node N has the addresses $NET.0.N and $NET.1.N.
# shellcheck shell=bash disable=SC2034,SC2054
NET=10.99 FAILURES=0
HOST0=$NET.0.1 HOST1=$NET.1.1      # this side's addresses
IQN=iqn.2026-11.com.example        # what names begin with: node n1 is $IQN:n1

lab_begin() {
  local network
  ip link set lo up
  for network in 0 1; do
    # An address of its own: else it takes the least of its cables, another when that one is pulled.
    ip link add "br$network" address "02:99:0$network:00:00:01" type bridge forward_delay 0 &&
      ip address add "$NET.$network.1/24" dev "br$network" && ip link set "br$network" up || return
  done
  echo "127.0.0.1 localhost" >"$LAB/hosts"
  cc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$LAB/wide-registers.so" "$LAB_PARTS/wide-registers.c"
}

# --- nodes

# node_command NAME N MEMORY CONSOLE [VARIABLE=VALUE...]: $NODE_COMMAND boots that node; its init has the variables.
# gro=1: else the network driver drops the frames that the tap device has joined, and writes hang.
# One processor for a node: its processes are traced, and take turns two to three times as fast.
# The initcalls are benchmarks of RAID that take a second.
node_command() {
  local name=$1 number=$2 memory=$3 console=$4 network address devices=(); shift 4
  mkdir -p "$LAB/$name/jobs"
  rm -f "$LAB/$name"/jobs/* "$LAB/$name/up"
  grep -qw "$name" "$LAB/hosts" || echo "$NET.0.$number $name" >>"$LAB/hosts"
  for network in 0 1; do
    ip link show "tap$network-$number" >/dev/null 2>&1 || ip tuntap add dev "tap$network-$number" mode tap
    ip link set "tap$network-$number" master "br$network" up
    printf -v address '02:99:%02x:00:00:%02x' "$network" "$number"
    devices+=("vec$network:transport=tap,ifname=tap$network-$number,depth=64,gro=1,mac=$address")
  done
  NODE_COMMAND=(env TMPDIR=/dev/shm LD_PRELOAD="$LAB/wide-registers.so" taskset -c "$((number % $(nproc)))"
    linux.uml umid="$name" uml_dir="$LAB/uml" mem="$memory" root=/dev/root rootfstype=hostfs rootflags=/ ro
    "${devices[@]}" con0="$console" con=null ssl=null panic=1 noreboot quiet loglevel=4
    lpj=40000000 initcall_blacklist=raid6_select_algo,calibrate_xor_blocks
    init="$LAB_PARTS/node-init" LAB="$LAB" NODE="$name" ADDRESSES="$NET.0.$number/24,$NET.1.$number/24" "$@")
}
# node_start NAME N [MEMORY]: boots a node; node_wait NAME... waits until they are up.
node_start() {
  local NODE_COMMAND
  node_command "$1" "$2" "${3:-256M}" null,fd:1
  # In a pid namespace of its own, so that a crash is the death of one process.
  setsid unshare --pid --fork --kill-child=KILL "${NODE_COMMAND[@]}" </dev/null >>"$LAB/$1/console.log" 2>&1 &
  echo $! >"$LAB/$1/pid"
  disown
}
node_wait() {
  local name i
  for name; do
    for ((i = 0; i < 1200; i++)); do
      [[ ! -e $LAB/$name/up ]] && node_up "$name" || break
      sleep 0.05
    done
    [[ -e $LAB/$name/up ]] || { echo "node $name did not boot:"; tail -n 20 "$LAB/$name/console.log"; return 1; }
  done
}

# node_exec NAME CODE [SECONDS]: runs CODE in the node, after node.sh. Its output and its status; 124 if it is not
# done in time, 125 if the node died. The way is through files, so it works with every cable pulled.
node_exec() {
  local job=$LAB/$1/jobs/$BASHPID.$RANDOM status=124 end=$((SECONDS + ${3:-120}))
  printf '. %q\n%s\n' "$LAB_PARTS/node.sh" "$2" >"$job.new"
  mv "$job.new" "$job.sh"
  while ((SECONDS <= end)); do
    if [[ -e $job.status ]]; then status=$(<"$job.status"); break; fi
    node_up "$1" || { status=125; break; }
    sleep 0.03
  done
  cat "$job.out" 2>/dev/null
  return "$status"
}

# nodes_exec "NAME..." CODE [SECONDS]: in all of them at once; fails if it does in one.
nodes_exec() {
  local node job jobs=() status=0
  for node in $1; do node_exec "$node" "${@:2}" & jobs+=($!); done
  for job in "${jobs[@]}"; do wait "$job" || status=1; done
  return "$status"
}

node_up() { kill -0 "$(<"$LAB/$1/pid")" 2>/dev/null; }
node_down() { ! node_up "$1"; }
node_gone() { local name; for name; do until_ok 30 node_down "$name" || return; done; }
node_stop() { local name; for name; do : >"$LAB/$name/jobs/poweroff"; done; node_gone "$@"; }   # in order
node_kill() { local name; for name; do kill -KILL "$(<"$LAB/$name/pid")"; done; node_gone "$@"; }   # a crash
cable_out() { ip link set "tap${2:-0}-$1" nomaster; }            # N [NETWORK]
cable_in() { ip link set "tap${2:-0}-$1" master "br${2:-0}"; }   # N [NETWORK]

# --- steps: PASS or FAIL with its seconds; the output of what failed.

ok() {                             # CLAIM COMMAND...: it succeeds
  local claim=$1 start=$EPOCHREALTIME output status=0 passed=PASS microseconds; shift
  output=$("$@" 2>&1) || status=$?
  microseconds=$((${EPOCHREALTIME/./} - ${start/./}))
  if ((status)); then passed="FAIL($status)" FAILURES=$((FAILURES + 1)); fi
  printf '%s\t%s\n' "$passed" "$claim" >>"$LAB/steps.log"
  printf '%s %3d.%02ds  %s\n' "$passed" $((microseconds / 1000000)) $((microseconds / 10000 % 100)) "$claim"
  if [[ -n ${LAB_VERBOSE-} ]] || ((status)); then sed 's/^/    /' <<<"$output"; fi
  return "$status"
}
no() { local claim=$1; shift; ok "$claim" refused "$@"; }        # it fails, but neither late nor by a dead node
refused() { "$@"; local status=$?; ((status != 0 && (status < 124 || status > 127))); }   # 126, 127: no program

# in_node NODE CLAIM CODE [SECONDS]: CODE succeeds in the node, after what is in IN_NODE; not_in_node: it fails.
# in_nodes "NODE..." CLAIM CODE [SECONDS]: it succeeds in all of them at once.
IN_NODE='' IN_NODE_SECONDS=60
in_node() { ok "$1: $2" node_exec "$1" "$IN_NODE$3" "${4:-$IN_NODE_SECONDS}"; }
not_in_node() { no "$1: $2" node_exec "$1" "$IN_NODE$3" "${4:-$IN_NODE_SECONDS}"; }
in_nodes() { ok "$1: $2" nodes_exec "$1" "$IN_NODE$3" "${4:-$IN_NODE_SECONDS}"; }

# node_logs: what the kernels of the nodes that are up have said, beside their consoles.
node_logs() {
  local pid name
  for pid in "$LAB"/*/pid; do
    [[ -e $pid ]] || continue
    name=$(basename "$(dirname "$pid")")
    if node_up "$name"; then node_exec "$name" dmesg 5 >"$LAB/$name-dmesg.log"; fi
  done
}
