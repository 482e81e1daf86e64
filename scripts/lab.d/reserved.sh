# In the nodes of the scenario target-hosts: $D is reserved for who is registered, and all write to one place on it.
# shellcheck shell=bash disable=SC2154

# text WORD: what who is registered writes there. It flushes nothing: what is acknowledged is to be on the disk.
text() { yes "$1" | head -c 4096; }
mark() { text "$1" | dd of="$D" bs=4k count=1 seek=16 iflag=fullblock oflag=direct; }
marked() { dd if="$D" bs=4k count=1 skip=16 iflag=direct 2>/run/dd | cmp - <(text "$1"); }

# try_without_end: who is shut out writes zeros there, beside what comes after; where one has landed, /run/landed is.
try_without_end() {
  (
    while sleep 0.3; do
      if can_write "$D"; then : >/run/landed; fi
      echo $((++tries)) >/run/tries.new && mv /run/tries.new /run/tries
    done
  ) >/dev/null 2>&1 &
  until_ok 10 test -e /run/tries
}
tries_on() { local tries; tries=$(</run/tries) && until_ok 60 tried_more "$tries"; }
tried_more() { (($(</run/tries) > $1 + 3)); }

# ready: the session is back, and the target has said that it was started.
ready() { until_ok 60 sg_turs "$D"; }
# reserved_for KEY...: these are registered, the first has the reservation; and it would outlive a loss of power.
reserved_for() {
  sg_persist -n -i -k "$D" && [[ $(keys "$D") = "$(printf '0x%s\n' "$@" | sort | tr '\n' ' ')" ]] &&
    sg_persist -n -i -r "$D" >/run/reservation && cat /run/reservation && grep "Key=0x$1\$" /run/reservation &&
    grep "Write Exclusive, registrants only" /run/reservation &&
    sg_persist -n -i -c "$D" | tee /dev/stderr | grep "(PTPL_A): 1"
}
# generation NUMBER: PRGENERATION.
generation() { sg_persist -n -i -k "$D" | tee /dev/stderr | grep "PR generation=0x$1,"; }
