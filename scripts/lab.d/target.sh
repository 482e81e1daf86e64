# The target under test: swift-tgtd on the host side, configured and administered by its public means alone.
# shellcheck shell=bash disable=SC2034,SC2154
PORTAL=$HOST0:3260
TGTADM=${TGTADM:-$(dirname "$TGTD")/swift-tgtadm}
export SWIFT_TGTD_SOCKET=$LAB/admin.sock

adm() { timeout 30 "$TGTADM" "$@"; }
# adm_says TEXT ARGUMENT...: swift-tgtadm does it, and its output has the text. adm_denies: it refuses, and says so.
adm_says() { adm_answers 0 "$@"; }
adm_denies() { adm_answers 1 "$@"; }
adm_answers() {
  local expected=$1 text=$2 output status=0; shift 2
  output=$(adm "$@" 2>&1) || status=$?
  echo "$output"
  ((status == expected)) && [[ $output = *"$text"* ]]
}

# target_start: with the configuration it had, at first an empty one; on both networks, port 3260.
target_start() {
  install -d -m 700 "$LAB/state" || return
  [[ -e $LAB/targets.json ]] || (umask 077 && cat >"$LAB/targets.json") <<END || return
{
  "portals": ["$HOST0:3260", "$HOST1:3260"],
  "stores": {},
  "targets": [],
  "state": "$LAB/state",
  "admin": {"socket": "$LAB/admin.sock"},
}
END
  rm -f "$LAB/target.status" "$LAB/target.pid"
  # Steps run in subshells, which cannot wait for it: its pid and its status go through files.
  {
    "$TGTD" --config "$LAB/targets.json" &
    echo $! >"$LAB/target.pid"
    wait $!
    echo $? >"$LAB/target.status"
  } </dev/null >>"$LAB/target.log" 2>&1 &
  if ! until_ok 10 target_answers || [[ -e $LAB/target.status ]]; then tail -n 20 "$LAB/target.log"; return 1; fi
}
# target_takes FILE: what config import has written, as its configuration. That says what is served; where the daemon
# keeps its own things is said beside it.
target_takes() {
  python3 - "$1" "$LAB" "$HOST0" <<'END'
import json, re, sys
imported, lab, address = sys.argv[1:]
text = open(imported).read()
value = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.M))
value |= {"portals": [f"{address}:3260"], "state": f"{lab}/state", "admin": {"socket": f"{lab}/admin.sock"}}
open(f"{lab}/targets.json", "w").write(json.dumps(value, indent=2))
END
  chmod 600 "$LAB/targets.json"
}
target_answers() { [[ -e $LAB/target.status ]] || adm status >/dev/null 2>&1; }
target_ended() { [[ -e $LAB/target.status ]]; }
target_stop() {                    # in order, within 10 s; its exit status
  local pid
  pid=$(<"$LAB/target.pid") && kill -TERM "$pid" || return
  until_ok 10 target_ended || { kill -KILL "$pid"; return 1; }
  return "$(<"$LAB/target.status")"
}
target_kill() { kill -KILL "$(<"$LAB/target.pid")" && until_ok 10 target_ended; }   # a crash

# serve TARGET SIZE [OPTION...]: a target with one more LUN, backed by a file of that size.
serve() {
  local target=$1 size=$2 number; shift 2
  number=$(find "$LAB" -maxdepth 1 -name 'disk*.img' | wc -l)
  adm lun add --target "$IQN:$target" --file "$LAB/disk$((number + 1)).img" --size "$size" "$@"
}
# secret TEXT COMMAND...: swift-tgtadm with a secret on its standard input.
secret() { local text=$1; shift; adm "$@" <<<"$text"; }
