# Sourced by scripts/acceptance: the claims, in groups of one daemon each. A group is a function
# claims_NAME; the names of the claims say what holds when they pass.
# shellcheck shell=bash disable=SC2034,SC2154
GROUPS_OF_CLAIMS=(files tools sockets image access exclusion flood stop crash live live_verbs suite)

# --- swift-tgtadm works on files alone: the same whatever the engine


write_targets_conf() {
  mkdir -p "$1/conf.d" || return
  cat >"$1/targets.conf" <<CONF
include conf.d/*.conf
default-driver iscsi
CONF
  cat >"$1/conf.d/cluster.conf" <<CONF
<target $IQN:cluster>
  backing-store /srv/iscsi/resource.img
  initiator-address 192.168.90.0/24
  incominguser user $USER_SECRET
  ErrorRecoveryLevel 2
</target>
CONF
}

claims_files() {
  local d=$WORK/$ENGINE-files adm new
  adm=${TGTADM:-$(dirname "$TGTD")/swift-tgtadm} new=$d/new.json
  [[ -x $adm ]] || { fail "$adm is built"; return; }
  claim "a targets.conf with an include" write_targets_conf "$d" || return
  claim "import writes a new file" exits 0 bounded "$adm" config import "$d/targets.conf" --output "$new"
  claim "import notes what is not kept, with file and line" said "conf.d/cluster.conf:5: "
  claim "the new file is for its owner alone" test "$(stat -c %a "$new")" = 600
  claim "import never writes over a file" exits 73 bounded "$adm" config import "$d/targets.conf" --output "$new"
  claim "import says that the file exists" said "File exists"
  claim "import --strict exits 1 with notes" exits 1 bounded "$adm" config import "$d/targets.conf" --strict
  claim "check accepts what import wrote" exits 0 bounded "$adm" config check "$new"
  claim "check shows the imported user" said "CHAP user user"
  claim "check shows the imported address" said "192.168.90.0/24"
  claim "check shows no secret" refused said "$USER_SECRET"
  claim "swift-tgtd --check accepts it too" bounded "$TGTD" --check --config "$new"
  claim "diff of a file with itself exits 0" exits 0 bounded "$adm" config diff "$new" "$new"
  sed 's/192.168.90.0/192.168.91.0/' "$new" >"$d/changed.json"; chmod 600 "$d/changed.json"
  claim "diff of two files exits 1" exits 1 bounded "$adm" config diff "$new" "$d/changed.json"
  claim "diff shows what was added" said "192.168.91.0/24"
  claim "diff --json exits 1 as well" exits 1 bounded "$adm" config diff --json "$new" "$d/changed.json"
  printf '{"stores": {},\n "tragets": []}\n' >"$d/wrong.json"
  claim "diff with a wrong file exits 78" exits 78 bounded "$adm" config diff "$new" "$d/wrong.json"
  claim "check of a wrong file exits 78" exits 78 bounded "$adm" config check "$d/wrong.json"
  claim "check names the line of the mistake" said "wrong.json:2: "
  printf 'nothing of this\n' >"$d/other.txt"
  claim "import of a file without a word of the known formats exits 65" exits 65 bounded "$adm" config import "$d/other.txt"
  claim "import of no file exits 66" exits 66 bounded "$adm" config import "$d/none"
  claim "import of a text in which nothing is served exits 65" exits 65 bounded "$adm" config import "$ROOT/LICENSE"
  claim "a command without a daemon exits 69" exits 69 bounded "$adm" status --socket "$d/none.sock"
  claim "it says what to look at" said "systemctl status swift-tgtd"
  claim "doctor without a daemon exits 1" exits 1 bounded "$adm" doctor --config "$new" --socket "$d/none.sock"
  mkdir "$d/conf.d/unreadable.conf"
  claim "import fails where an included file cannot be read" exits 65 bounded "$adm" config import "$d/targets.conf"
  claim "import names that file" said "unreadable.conf: is not a regular file"
  claim "an unknown format is a wrong argument" exits 64 bounded "$adm" config import "$d/targets.conf" --format x
}

# --- libiscsi's tools see targets, identity and capacity

# With credentials: -s logs in to every target that discovery shows.
lists() {
  bounded iscsi-ls -s "$(portal "user%$USER_SECRET")" | tee /dev/stderr | grep -A1 "Target:$IQN:open " | grep -q "Lun:1"
}
capacity() { bounded iscsi-readcapacity16 "$(url open)" | tee /dev/stderr | grep -Eq '(Total size|Size).*1073741824'; }
identifies() { bounded iscsi-inq "$(url open)" | tee /dev/stderr | grep -q SWIFTTGT; }
names_itself() { bounded iscsi-inq -e 1 -c 131 "$(url open)" | tee /dev/stderr | grep -qi 'NAA'; }

claims_tools() {
  local d=$WORK/$ENGINE-tools before after
  PORT=$(free_port); configure "$d" "$PORT"
  claim "$ENGINE: --check accepts the configuration" bounded "$TGTD" --check --config "$d/targets.json"
  claim "$ENGINE: the daemon serves within 20 s" serve "$d" || return
  claim "$ENGINE: iscsi-ls -s lists the target and its LUN" lists
  claim "$ENGINE: iscsi-inq shows the vendor" identifies
  claim "$ENGINE: iscsi-inq page 83h carries an NAA identifier" names_itself
  claim "$ENGINE: iscsi-readcapacity16 shows 1 GiB" capacity
  before=$(bounded iscsi-inq -e 1 -c 131 "$(url open)")
  claim "$ENGINE: SIGTERM of the idle daemon exits 0 within 10 s" stop "$PID"
  claim "$ENGINE: the daemon serves again" relaunch "$d" || return
  after=$(bounded iscsi-inq -e 1 -c 131 "$(url open)")
  claim "$ENGINE: the identifiers stay the same over a restart" test "$before" = "$after" -a -n "$before"
  stop "$PID"
}
relaunch() { launch "$1" && answers "$1"; }

# --- nothing but the portal is on the network

# open_to_network PID: the sockets of the process that others could reach, a line each: kind, address,
# port. TCP that listens, and all of UDP, raw and packet sockets.
open_to_network() {
  local kind
  find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n' >"$WORK/inodes" || return
  for kind in tcp tcp6 udp udp6 udplite udplite6 raw raw6; do
    [[ -r /proc/$1/net/$kind ]] || continue
    awk -v kind="$kind" 'NR == FNR { mine[$1]; next }
      FNR > 1 && ($10 in mine) && (kind !~ /^tcp/ || $4 == "0A") { sub(":", " ", $2); print kind, $2 }' \
      "$WORK/inodes" "/proc/$1/net/$kind"
  done
  awk 'NR == FNR { mine[$1]; next } FNR > 1 && ($9 in mine) { print "packet" }' "$WORK/inodes" "/proc/$1/net/packet"
}
# is_open_at PID LINE...: these and no others.
is_open_at() {
  local pid=$1 found; shift
  found=$(open_to_network "$pid" | sort) && echo "$found" && [[ $found = "$(printf '%s\n' "$@" | sort)" ]]
}
# The look itself: a process with one socket of each kind, and one that nobody can reach.
sees_every_kind() {
  local pid status=0 port; port=$(free_port)
  python3 -c '
import socket, sys, time
port, kinds = int(sys.argv[1]), []
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        kinds.append(socket.socket(family, kind))
        kinds[-1].bind((address, port))
        if kind == socket.SOCK_STREAM: kinds[-1].listen()
kinds.append(socket.create_connection(("127.0.0.1", port)))
time.sleep(60)' "$port" & pid=$!
  started+=("$pid")
  port=$(printf %04X "$port")
  until_ok 10 is_open_at "$pid" "tcp 0100007F $port" "udp 0100007F $port" \
    "tcp6 00000000000000000000000001000000 $port" "udp6 00000000000000000000000001000000 $port" || status=1
  open_to_network "$pid"
  kill -KILL "$pid"; wait "$pid" 2>/dev/null
  return "$status"
}
# The API's own protocol is not answered there.
is_no_api() {
  local answer
  answer=$(bounded python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
s.sendall(b"GET /v1/version HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
try:
    while data := s.recv(4096): print(data)
except (ConnectionResetError, TimeoutError): pass' "$PORT") && [[ $answer != *HTTP* ]]
}

claims_sockets() {
  local d=$WORK/$ENGINE-sockets portal
  claim "a look at a process sees its sockets of every kind" sees_every_kind
  claim "$ENGINE: the daemon serves for a look at its sockets" serve "$d" || return
  portal="tcp 0100007F $(printf %04X "$PORT")"
  claim "$ENGINE: T-SOCK-2 nothing but the portal is open to the network" is_open_at "$PID" "$portal"
  claim "$ENGINE: T-SOCK-2 nor is anything more with a session and a command of the administrator" \
    administered_is_open_at "$portal"
  claim "$ENGINE: T-SOCK-2 the portal does not speak the API's protocol" is_no_api
  claim "$ENGINE: SIGTERM exits 0 after the look" stop "$PID"
}
administered_is_open_at() {
  local load status=0
  qemu-img bench -f raw -c 100000000 -d 1 "$(url open)" >/dev/null 2>&1 & load=$!
  started+=("$load")
  { until_ok 10 has_session && is_open_at "$PID" "$@"; } || status=1
  kill -KILL "$load" 2>/dev/null; wait "$load" 2>/dev/null
  return "$status"
}
has_session() {
  bounded "${TGTADM:-$(dirname "$TGTD")/swift-tgtadm}" session list --socket "$WORK/$ENGINE-sockets/admin.sock" |
    grep -q "$IQN:open"
}

# --- connections that never log in keep nobody out

claims_flood() {
  local d=$WORK/$ENGINE-flood
  claim "$ENGINE: the daemon serves for the flood" serve "$d" || return
  LIMIT=270 claim "$ENGINE: beside 10,000 half-open connections a login takes less than a second, in two of three floods" \
    bounded python3 "$ROOT/scripts/lib/half-open.py" "$PORT" 10000 iscsi-readcapacity16 "$(url open)"
  claim "$ENGINE: the daemon stays below 64 MiB" test "$(resident "$PID")" -lt 65536
  claim "$ENGINE: SIGTERM after the flood exits 0 within 10 s" stop "$PID"
}
resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; }

# --- a whole image goes there and comes back

# 1 GiB, mostly holes, with random data at both ends and at odd places between.
make_image() {
  local place
  truncate -s 1G "$1" || return
  for place in 0 17 250 511 777 1023; do
    dd if=/dev/urandom of="$1" bs=1M count=1 seek="$place" conv=notrunc status=none || return
  done
  dd if=/dev/urandom of="$1" bs=512 count=1999 seek=700001 conv=notrunc status=none
}
there() { LIMIT=120 bounded qemu-img convert -n -f raw -O raw "$WORK/image" "$(url open)"; }
# Byte for byte, both as served and as stored.
back() {
  LIMIT=120 bounded qemu-img convert -f raw -O raw "$(url open)" "$WORK/back" &&
    LIMIT=120 bounded cmp "$WORK/image" "$WORK/back"
}
stored() { LIMIT=120 bounded cmp "$WORK/image" "$1/open.img"; }
bench_image() { bounded qemu-img bench -f raw -c 20000 -d 32 -s 4096 -S 4096 "$@" "$(url open)"; }

claims_image() {
  local d=$WORK/$ENGINE-image
  [[ -e $WORK/image ]] || claim "a 1 GiB image" make_image "$WORK/image" || return
  claim "$ENGINE: the daemon serves for images" serve "$d" || return
  claim "$ENGINE: qemu-img convert writes a 1 GiB image" there
  claim "$ENGINE: qemu-img convert reads the same image back" back
  claim "$ENGINE: qemu-img bench reads at depth 32" bench_image
  claim "$ENGINE: the backing file holds the same bytes" stored "$d"
  claim "$ENGINE: qemu-img bench writes at depth 32 and flushes" bench_image -w --flush-interval=1000
  claim "$ENGINE: SIGTERM exits 0" stop "$PID"
  rm -f "$WORK/back"
}

# --- CHAP and the access lists

login() { bounded iscsi-inq "$@"; }
as_target() { LIBISCSI_CHAP_TARGET_USERNAME=$1 LIBISCSI_CHAP_TARGET_PASSWORD=$2 "${@:3}"; }
unseen() { local list; list=$(bounded iscsi-ls "$(portal)") && [[ $list = *":open"* && $list != *":closed"* ]]; }
seen() { bounded iscsi-ls -i "$CLOSED_INITIATOR" "$(portal)" | grep -q "$IQN:closed"; }
silent_about() { ! grep -qF -e "$USER_SECRET" -e "$TARGET_SECRET" "$1"; }

claims_access() {
  local d=$WORK/$ENGINE-access right=user%$USER_SECRET
  claim "$ENGINE: the daemon serves for logins" serve "$d" || return
  claim "$ENGINE: CHAP with the right secret logs in" login "$(url chap "$right")"
  claim "$ENGINE: CHAP with a wrong secret is refused" refused login "$(url chap user%wrong-secret-99)"
  claim "$ENGINE: CHAP with an unknown user is refused" refused login "$(url chap "other%$USER_SECRET")"
  claim "$ENGINE: no CHAP where it is required is refused" refused login "$(url chap)"
  claim "$ENGINE: mutual CHAP with both secrets logs in" \
    as_target target "$TARGET_SECRET" login "$(url mutual "$right")"
  claim "$ENGINE: an initiator that expects another target secret does not stay" \
    refused as_target target wrong-secret-99 login "$(url mutual "$right")"
  claim "$ENGINE: mutual CHAP with a wrong user secret is refused" \
    refused as_target target "$TARGET_SECRET" login "$(url mutual user%wrong-secret-99)"
  claim "$ENGINE: discovery shows an initiator outside the ACL nothing" unseen
  claim "$ENGINE: an initiator outside the ACL cannot log in" refused login "$(url closed)"
  claim "$ENGINE: discovery shows the member of the ACL its target" seen
  claim "$ENGINE: the member of the ACL logs in" login -i "$CLOSED_INITIATOR" "$(url closed)"
  claim "$ENGINE: the log holds no secret" silent_about "$d/log"
  claim "$ENGINE: SIGTERM exits 0 after refused logins" stop "$PID"
}

# --- one store, one daemon; one port, one daemon

log_says() { grep -Eiq "$2" "$1"; }
other_serves() { PORT=$1 bounded iscsi-readcapacity16 "iscsi://127.0.0.1:$1/$IQN:open/1"; }
tells_of_the_port() {
  local status=0
  LIMIT=20 bounded "$TGTD" --config "$1/targets.json" </dev/null >"$1/log" 2>&1 || status=$?
  cat "$1/log"
  ((status != 0 && status < 124)) && grep -iq 'in use' "$1/log" && grep -q "$2" "$1/log"
}

claims_exclusion() {
  local d=$WORK/$ENGINE-first second=$WORK/$ENGINE-second third=$WORK/$ENGINE-third first port
  claim "$ENGINE: the first daemon serves" serve "$d" || return
  first=$PID port=$PORT
  configure "$third" "$port"
  claim "$ENGINE: a port in use is an error that names the port" tells_of_the_port "$third" "$port"
  configure "$second" "$(free_port)" "$d"
  port=$(sed -n 's/.*127.0.0.1:\([0-9]*\).*/\1/p' "$second/targets.json")
  launch "$second"
  claim "$ENGINE: a second daemon on the same file says that it is locked" \
    until_ok 15 log_says "$second/log" 'lock'
  claim "$ENGINE: a second daemon on the same file serves no data" refused other_serves "$port"
  stop "$PID"
  claim "$ENGINE: the first daemon still serves" ready
  claim "$ENGINE: SIGTERM of the first daemon exits 0" stop "$first"
}

# --- SIGTERM under load

# load_writes PID DIR BLOCKS: it runs, and the file of the open target has more blocks than that by now.
load_writes() { running "$1" && (($(blocks "$2") > $3)); }
blocks() { stat -c %b "$1/open.img"; }

claims_stop() {
  local d=$WORK/$ENGINE-stop load before
  claim "$ENGINE: the daemon serves for the stop" serve "$d" || return
  before=$(blocks "$d")
  qemu-img bench -w -f raw -c 100000000 -d 32 -s 65536 -S 65536 "$(url open)" >/dev/null 2>&1 & load=$!
  started+=("$load")
  claim "$ENGINE: the load runs" until_ok 20 load_writes "$load" "$d" "$before"
  sleep 1
  claim "$ENGINE: the load still runs at SIGTERM" running "$load"
  claim "$ENGINE: SIGTERM exits 0 within 10 s while I/O runs" stop "$PID"
  kill -KILL "$load" 2>/dev/null; wait "$load" 2>/dev/null
  claim "$ENGINE: the daemon serves after the stop" relaunch "$d" && stop "$PID"
}

# --- a killed daemon keeps what it acknowledged as durable

writes_durably() {
  local output
  output=$(bounded qemu-io -f raw -c 'write -P 0x5a 1M 1M' -c flush -c 'write -f -P 0xa5 8M 64k' "$(url open)" 2>&1)
  printf '%s\n' "$output"
  [[ $output != *rror* && $output != *ailed* ]] && (($(grep -c '^wrote' <<<"$output") == 2))
}
has_the_data() {
  local output
  output=$(bounded qemu-io -r -f raw -c 'read -P 0x5a 1M 1M' -c 'read -P 0xa5 8M 64k' "$(url open)" 2>&1)
  printf '%s\n' "$output"
  [[ $output != *rror* && $output != *erification* ]] && (($(grep -c '^read' <<<"$output") == 2))
}

claims_crash() {
  local d=$WORK/$ENGINE-crash load before
  claim "$ENGINE: the daemon serves for the crash" serve "$d" || return
  claim "$ENGINE: a flushed and a FUA write are acknowledged" writes_durably
  before=$(blocks "$d")
  qemu-img bench -w -f raw -c 100000000 -d 16 -s 4096 -o 64M "$(url open)" >/dev/null 2>&1 & load=$!
  started+=("$load")
  claim "$ENGINE: a load writes beside them" until_ok 20 load_writes "$load" "$d" "$before"
  sleep 1
  claim "$ENGINE: it still runs at kill -9" running "$load"
  kill -KILL "$PID"; wait "$PID" 2>/dev/null
  kill -KILL "$load" 2>/dev/null; wait "$load" 2>/dev/null
  claim "$ENGINE: the daemon serves after kill -9 under load" relaunch "$d" || return
  claim "$ENGINE: what was acknowledged as durable is there" has_the_data
  claim "$ENGINE: SIGTERM exits 0 after the crash" stop "$PID"
}
