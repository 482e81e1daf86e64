# Sourced by scripts/acceptance: configurations, and daemons by pid.
# shellcheck shell=bash disable=SC2034,SC2154
IQN=iqn.2026-11.com.example
USER_SECRET=user-secret-0123 TARGET_SECRET=target-secret-45
CLOSED_INITIATOR=$IQN:member

# configure DIR PORT [STORES-DIR]: a configuration with a target of every kind of access.
configure() {
  local directory=$1 port=$2 disks=${3:-$1}
  mkdir -p "$directory" && install -d -m 700 "$directory/state" || return
  cat >"$directory/targets.json" <<JSON
{
  "portals": ["127.0.0.1:$port"],
  "stores": {
    "open": {"file": "$disks/open.img", "size": "1GiB"},
    "small": {"file": "$disks/small.img", "size": "16MiB"},
  },
  "targets": [
    {"name": "$IQN:open", "luns": [{"lun": 1, "store": "open"}], "initiators": "any"},
    {"name": "$IQN:chap", "luns": [{"lun": 1, "store": "small"}], "initiators": "any",
     "chap": [{"user": "user", "secret": "$USER_SECRET"}]},
    {"name": "$IQN:mutual", "luns": [{"lun": 1, "store": "small"}], "initiators": "any",
     "chap": [{"user": "user", "secret": "$USER_SECRET"}],
     "mutualChap": {"user": "target", "secret": "$TARGET_SECRET"}},
    {"name": "$IQN:closed", "luns": [{"lun": 1, "store": "small"}], "acl": [{"initiator": "$CLOSED_INITIATOR"}]},
  ],
  "state": "$directory/state",
  "engine": "$ENGINE",
  "admin": {"socket": "$directory/admin.sock"},
}
JSON
  chmod 600 "$directory/targets.json"
}

# launch DIR: start the daemon of DIR; its pid is in PID. It may still be opening its stores.
launch() {
  "$TGTD" --config "$1/targets.json" </dev/null >>"$1/log" 2>&1 & PID=$!
  started+=("$PID")
}

# serve DIR: a fresh daemon that answers for LUN 1 of the open target; sets PORT and PID.
serve() {
  PORT=$(free_port)
  configure "$1" "$PORT" && launch "$1" && answers "$1"
}
answers() {
  until_ok 20 ready || { say "the daemon does not serve:"; tail -n 30 "$1/log" >&2; return 1; }
}
ready() { timeout 10 iscsi-readcapacity16 "$(url open)"; }

# stop PID: SIGTERM, then SIGKILL; the exit status of the daemon, 124 if it had to be killed.
stop() {
  local status=0
  kill -TERM "$1" 2>/dev/null
  gone "$1" 10 || status=$?
  if ((status == 124)); then kill -KILL "$1"; wait "$1" 2>/dev/null; fi
  return "$status"
}

portal() { echo "iscsi://${1:+$1@}127.0.0.1:$PORT"; }
url() { echo "iscsi://${2:+$2@}127.0.0.1:$PORT/$IQN:$1/1"; }
bounded() { timeout -k 5 "${LIMIT:-60}" "$@"; }
