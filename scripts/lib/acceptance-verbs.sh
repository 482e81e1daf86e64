# Sourced by scripts/acceptance: every verb of swift-tgtadm once, by the real program, with --json.
# shellcheck shell=bash disable=SC2034,SC2153,SC2154

# tells EXPRESSION COMMAND...: it succeeds, and of its JSON, `d`, the expression in Python holds.
tells() {
  local expression=$1 said; shift
  said=$(adm "$@" --json) || return
  printf '%s\n' "$said" >&2
  python3 -c 'import json, sys; d = json.loads(sys.argv[2]); sys.exit(not eval(sys.argv[1]))' "$expression" "$said"
}
# of KEY VALUE: an expression for "a list has one of that".
of() { printf 'any(x.get("%s") == "%s" for x in d)' "$1" "$2"; }
# As a dry run and then in earnest: the same exit status and the same words.
is_refused_alike() {
  local text=$1 tried=0 done=0; shift
  adm "$@" --dry-run >"$WORK/tried" 2>&1 || tried=$?
  adm "$@" >"$WORK/said" 2>&1 || done=$?
  cat "$WORK/tried" "$WORK/said"
  ((tried != 0 && tried == done)) && cmp "$WORK/tried" "$WORK/said" && said "$text"
}
saves() { grep -qF -e "$1" "$LIVE/targets.json"; }
session_of_load() { adm session list --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["id"])'; }
ends_session() {
  local id; id=$(session_of_load) || return
  adm session "$1" "$id" --json || return
  until_ok 10 tells "all(s['id'] != $id for s in d)" session list
}
# Whoever watches is told of a change in its time. What was before comes first: when some of it is there, the stream
# has begun.
watches_events() {
  local watcher status=0
  # Not by `adm`: the process to end is the program itself.
  SWIFT_TGTD_SOCKET=$LIVE/admin.sock "$TGTADM_PROGRAM" events --after 0 --json >"$WORK/watched" & watcher=$!
  started+=("$watcher")
  { until_ok 20 test -s "$WORK/watched" && adm target add "$IQN:event" && adm target remove "$IQN:event" &&
    until_ok 5 grep -qF "$IQN:event" "$WORK/watched"; } || status=1
  kill -KILL "$watcher" 2>/dev/null; wait "$watcher" 2>/dev/null
  return "$status"
}
# Without what was before, nobody else can tell when the stream has begun: so there are events until it has ended.
events_end() {
  local watcher status=0
  adm events --count 1 --json >"$WORK/events" & watcher=$!
  started+=("$watcher")
  until_ok 20 makes_event "$watcher" || status=1
  gone "$watcher" 10 || status=1
  python3 -c 'import json, sys; json.loads(open(sys.argv[1]).readline())["kind"]' "$WORK/events" || status=1
  return "$status"
}
makes_event() { adm target add "$IQN:event" && adm target remove "$IQN:event" && ! running "$1"; }
# A line of JSON for each reading, and no more of them than asked for.
watches_stats() {
  adm stats --watch --count 2 --interval 0.2 --json >"$WORK/readings" || return
  python3 -c 'import json, sys; d = [json.loads(x) for x in open(sys.argv[1])]; sys.exit(not (len(d) == 2 and all(x["stores"] for x in d)))' "$WORK/readings"
}
tells_manual() { adm manual >"$WORK/manual" && grep -q '^\.TH' "$WORK/manual" && grep -q reservation "$WORK/manual"; }
exports() { rm -f "$LIVE/export.json" && adm config export --output "$LIVE/export.json" --json && adm config check "$LIVE/export.json" --json | grep -q '"valid" *: *true'; }
edited_by_hand() { sed -i '1i // by hand' "$LIVE/targets.json"; adm_refuses "config reload" config save && adm config save --force --json; }
# The file behind a loop device is the medium of another store.
loop_is_found() {
  local device status=0
  device=$(losetup --show -f "$LIVE/verbs.img") || return
  is_refused_alike "is the medium of the store" store add loop --block "$device" || status=1
  losetup -d "$device"
  return "$status"
}
doctor_finds() {
  local status=0
  sed -i 's/"small": {/"smal1": 1, "small": {/' "$LIVE/targets.json"
  ! adm doctor --config "$LIVE/targets.json" --json >"$WORK/said" 2>&1 || status=1
  said smal1 || status=1
  sed -i 's/"smal1": 1, //' "$LIVE/targets.json"
  return "$status"
}

# Over a restart, where nobody asks for anything: the log says it, in its time.
renamed() {
  stop "$PID" && sed -i 's/"small"/"tiny"/g' "$LIVE/targets.json" && launch "$LIVE" && until_ok 20 adm status &&
    until_ok 10 log_says "$LIVE/log" 'small.img was served as the store "small" with the WWID naa.6'
}

claims_live_verbs() {
  local d=$WORK/$ENGINE-verbs t=$IQN:verbs load port
  LIVE=$d TGTADM_PROGRAM=${TGTADM:-$(dirname "$TGTD")/swift-tgtadm}
  [[ -x $TGTADM_PROGRAM ]] || { fail "$TGTADM_PROGRAM is built"; return; }
  claim "$ENGINE: the daemon serves for every verb" serve_live "$d" || return
  verbs_that_make "$d" "$t"
  verbs_of_access "$d" "$t"
  verbs_of_sessions "$t"
  verbs_of_configuration "$d"
  verbs_that_refuse "$d" "$t"
  verbs_that_remove "$t"
  claim "$ENGINE: a store that comes back under another name is told of as another disk" renamed
  claim "$ENGINE: SIGTERM exits 0 after every verb" stop "$PID"
}

verbs_that_make() {
  local d=$1 t=$2 port
  claim "$ENGINE: target add" tells "d.get('savedTo')" target add "$t" --any --alias "the verbs"
  claim "$ENGINE: target list" tells "$(of name "$t")" target list
  claim "$ENGINE: target show" tells "d['alias'] == 'the verbs' and d['isOpenToAny']" target show "$t"
  claim "$ENGINE: store add" tells "d['differences'][0]['change'] == 'added'" store add verbs --file "$d/verbs.img" --size 8MiB
  claim "$ENGINE: store list" tells "$(of name verbs)" store list
  claim "$ENGINE: store show" tells "d['sizeBytes'] == 8 << 20" store show verbs
  claim "$ENGINE: store resize" tells "d.get('savedTo')" store resize verbs --size 16MiB
  claim "$ENGINE: lun add" tells "d['outcomes'][-1]['lun']['lun'] == 1" lun add --target "$t" --store verbs
  claim "$ENGINE: lun list" tells "any(x['lun']['lun'] == 1 for x in d)" lun list --target "$t"
  claim "$ENGINE: lun resize" tells "d.get('savedTo')" lun resize --target "$t" 1 --size 32MiB
  claim "$ENGINE: lun show" tells "d['sizeBytes'] == 32 << 20 and d['wwn'].startswith('6')" lun show --target "$t" 1
  port=$(free_port)
  claim "$ENGINE: portal add" tells "d.get('savedTo')" portal add "127.0.0.1:$port"
  claim "$ENGINE: portal list" tells "$(of address "127.0.0.1:$port")" portal list
  claim "$ENGINE: initiators come in by it" listens "$port"
  claim "$ENGINE: portal remove" tells "d.get('savedTo')" portal remove "127.0.0.1:$port"
  claim "$ENGINE: nobody comes in by it any more" refused listens "$port"
}

verbs_of_access() {
  local d=$1 t=$2
  printf 'a-long-secret-1\n' >"$d/secret" && chmod 600 "$d/secret"
  claim "$ENGINE: acl add" tells "d.get('savedTo')" acl add --target "$t" "$IQN:node"
  claim "$ENGINE: acl list" tells "any(e['initiator'] == '$IQN:node' for t in d for e in t['acl'])" acl list --target "$t"
  claim "$ENGINE: chap add" tells "d.get('savedTo')" chap add --target "$t" user --secret-file "$d/secret"
  claim "$ENGINE: chap list shows the user and no secret" tells "'user' in d[0]['users'] and 'a-long' not in str(d)" chap list --target "$t"
  claim "$ENGINE: who has the secret logs in" login "iscsi://user%a-long-secret-1@127.0.0.1:$PORT/$t/1"
  printf 'a-long-secret-2\n' >"$d/secret"
  claim "$ENGINE: chap add --replace" tells "d.get('savedTo')" chap add --target "$t" user --secret-file "$d/secret" --replace
  claim "$ENGINE: who has the former secret does not" refused login "iscsi://user%a-long-secret-1@127.0.0.1:$PORT/$t/1"
  claim "$ENGINE: chap remove" tells "d.get('savedTo')" chap remove --target "$t" user --allow-open
  claim "$ENGINE: acl remove" tells "d.get('savedTo')" acl remove --target "$t" "$IQN:node"
}

verbs_of_sessions() {
  local t=$1 load
  claim "$ENGINE: an initiator registers and reserves" python3 scripts/lib/register.py "$PORT" "$t" 1 0xA1
  claim "$ENGINE: reservation list" tells "$(of store verbs)" reservation list
  claim "$ENGINE: reservation show names its key" tells "'a1' in str(d).lower() and '$IQN:registrant' in str(d)" reservation show verbs
  claim "$ENGINE: reservation clear" adm reservation clear verbs --yes --json
  claim "$ENGINE: nobody is registered then" tells "not d" reservation list
  qemu-img bench -c 100000000 -d 1 -f raw "iscsi://127.0.0.1:$PORT/$t/1" >/dev/null 2>&1 & load=$!
  started+=("$load")
  claim "$ENGINE: session list" until_ok 20 tells "$(of target "$t")" session list
  claim "$ENGINE: session show" tells "d['connections']" session show "$(session_of_load)"
  claim "$ENGINE: stats" until_ok 20 tells "any(s['io']['counters']['reads'] for s in d['stores'])" stats
  claim "$ENGINE: stats --watch" watches_stats
  claim "$ENGINE: session logout has the initiator leave" ends_session logout
  claim "$ENGINE: it comes back" until_ok 20 tells "$(of target "$t")" session list
  claim "$ENGINE: session kill cuts it off" ends_session kill
  kill -KILL "$load" 2>/dev/null; wait "$load" 2>/dev/null
  claim "$ENGINE: events tells of a change within 5 s" watches_events
  claim "$ENGINE: events --count ends by itself" events_end
}

verbs_of_configuration() {
  local d=$1
  claim "$ENGINE: status" tells "d['phase'] == 'running'" status
  claim "$ENGINE: config show hides secrets" tells "'$USER_SECRET' not in d['text'] and 'verbs.img' in d['text']" config show
  claim "$ENGINE: config export writes what config check takes" exports
  claim "$ENGINE: a change of what runs alone" tells "not d.get('savedTo')" target add "$IQN:passing" --runtime-only
  claim "$ENGINE: config diff shows it, and exits 1" exits 1 adm config diff --json
  claim "$ENGINE: config save writes it" tells "d.get('savedTo')" config save
  claim "$ENGINE: the file has it" saves "$IQN:passing"
  claim "$ENGINE: config save writes over hand edits with --force alone" edited_by_hand
  claim "$ENGINE: config reload" tells "d['differences'] == []" config reload
  claim "$ENGINE: doctor finds what was broken" doctor_finds
  claim "$ENGINE: manual" tells_manual
}

verbs_that_refuse() {
  local d=$1 t=$2
  mkdir -p "$d/directory"
  claim "$ENGINE: a dry run refuses a directory as the change does" is_refused_alike "is a directory" store add x --file "$d/directory"
  claim "$ENGINE: a dry run refuses what the daemon keeps for itself" is_refused_alike "is in the state directory" store add x --file "$d/state"
  claim "$ENGINE: a dry run refuses a place that is not there" is_refused_alike "is missing: make it" store add x --file "$d/none/x.img" --size 1MiB
  claim "$ENGINE: a dry run refuses to cut a store" is_refused_alike "would cut off" lun resize --target "$t" 1 --size 1MiB
  claim "$ENGINE: a dry run refuses an address of others" is_refused_alike "no interface of this machine" portal add 192.0.2.55:3260
  claim "$ENGINE: a dry run refuses a LUN that is taken" is_refused_alike "is taken by" lun add --target "$t" --store small --lun 1
  if ((EUID == 0)) && losetup -f >/dev/null 2>&1; then
    claim "$ENGINE: a loop device on a served file is no other medium" loop_is_found
  else
    skip "$ENGINE: a loop device on a served file is no other medium" "no loop devices here"
  fi
}

verbs_that_remove() {
  local t=$1
  claim "$ENGINE: lun remove" tells "d.get('savedTo')" lun remove --target "$t" 1
  claim "$ENGINE: store remove" tells "d.get('savedTo')" store remove verbs
  claim "$ENGINE: target remove" tells "d.get('savedTo')" target remove "$t"
  claim "$ENGINE: nothing of it is left" tells "all(x['name'] != '$t' for x in d)" target list
}
