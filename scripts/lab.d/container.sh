# Containers beside the nodes: hosts for daemons that need this machine's kernel (io_uring, and locks of files that
# all of them see). They have names, addresses, cables and commands as nodes have (host.sh).
# shellcheck shell=bash disable=SC2154

# container_start NAME N: as node_start; in namespaces of its own, so that a crash is the death of one process.
container_start() {
  local name=$1 number=$2 network
  mkdir -p "$LAB/$name/jobs"
  rm -f "$LAB/$name"/jobs/* "$LAB/$name/up"
  grep -qw "$name" "$LAB/hosts" || echo "$NET.0.$number $name" >>"$LAB/hosts"
  NODE=$name ADDRESSES="$NET.0.$number/24,$NET.1.$number/24" setsid unshare --net --uts --ipc --pid --mount --fork \
    --mount-proc --kill-child=KILL "$LAB_PARTS/container-init" </dev/null >>"$LAB/$name/console.log" 2>&1 &
  echo $! >"$LAB/$name/pid"
  disown
  until_ok 10 own_network "$name" || return
  for network in 0 1; do
    ip link add "tap$network-$number" type veth peer name "net$network" netns "$(<"$LAB/$name/pid")" &&
      ip link set "tap$network-$number" master "br$network" up || return
  done
}
own_network() { [[ $(readlink "/proc/$(<"$LAB/$1/pid")/ns/net") != $(readlink /proc/self/ns/net) ]]; }
