# Stage targetcli: the cluster guides' commands, word by word, on the real daemon, and a login with what they
# set up.
# shellcheck shell=bash disable=SC2154
TARGETCLI_PACKAGES=(libiscsi-bin bsdutils)
GUIDE_TARGET=iqn.2023-02.com.example:blocks
GUIDE_NODE=iqn.2023-02.com.example:node1.init

# cli WORD...: one call of the program, as the guides make it.
cli() { SWIFT_TGTD_SOCKET=$WORK/admin.sock TARGETCLI_HOME=$WORK/home timeout -k 5 20 "$TARGETCLI" "$@"; }

# answers WANTED WORD...: ends with 0 and says exactly that.
cli_answers() {
  local wanted=$1 said; shift
  said=$(cli "$@") || { printf '%s\n' "$said"; return 1; }
  diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$said")
}
# cli_refuses TEXT WORD...: ends with 1 and says that to standard error, and nothing to standard output.
cli_refuses() {
  local wanted=$1 said status=0; shift
  said=$(cli "$@" 2>"$WORK/errors") || status=$?
  cat "$WORK/errors"
  [[ $status = 1 && -z $said ]] && grep -qF -e "$wanted" "$WORK/errors"
}
shows() { local text=$1; shift; cli "$@" >"$WORK/shown" || return; grep -qF -e "$text" "$WORK/shown" || { cat "$WORK/shown"; false; }; }
shows_not() { local text=$1; shift; cli "$@" >"$WORK/shown" || return; ! grep -F -e "$text" "$WORK/shown"; }

targetcli_configure() {
  install -d -m 700 "$WORK/state" || return
  cat >"$WORK/targets.json" <<JSON
{
  // This comment stays.
  "portals": ["127.0.0.1:$PORT"],
  "admin": {"socket": "$WORK/admin.sock"},
  "state": "$WORK/state",
}
JSON
  chmod 600 "$WORK/targets.json"
}
targetcli_serve() {
  "$TGTD" --config "$WORK/targets.json" </dev/null >>"$WORK/log" 2>&1 & PID=$!
  until_ok 20 cli pwd || { kill -KILL "$PID"; cat "$WORK/log"; false; }
}
targetcli_stop() {
  kill -TERM "$PID" 2>/dev/null
  gone "$PID" 10 || { kill -KILL "$PID" 2>/dev/null; wait "$PID" 2>/dev/null; false; }
}

# node_logs_in [USER%SECRET]: the node of the guides, at its LUN.
node_logs_in() { logs_in -n "$GUIDE_NODE" ${1:+-u "$1"} "$GUIDE_TARGET" 0; }
lists_lun() {
  timeout -k 5 20 iscsi-ls -s -i "$GUIDE_NODE" "iscsi://$1@127.0.0.1:$PORT" | tee "$WORK/listed"
  grep -A1 "Target:$GUIDE_TARGET " "$WORK/listed" | grep -q "Lun:0"
}

# The commands stand here as they stand in the guides, but for the place of the file.
claims_guide() {
  local tpg=iscsi/$GUIDE_TARGET/tpg1
  claim "guide: backstores/fileio create" cli_answers "Created fileio sdb with size 2147483648" \
    backstores/fileio create sdb "$WORK/sdb.img" 2G
  claim "guide: iscsi/ create" cli_answers "Created target $GUIDE_TARGET.
Created TPG 1.
Global pref auto_add_default_portal=true
Using the portals that are there: 127.0.0.1:$PORT." \
    iscsi/ create "$GUIDE_TARGET"
  claim "guide: luns/ create" cli_answers "Created LUN 0." \
    "$tpg/luns/" create /backstores/fileio/sdb/
  claim "guide: acls/ create" cli_answers "Created Node ACL for $GUIDE_NODE
Created mapped LUN 0." \
    "$tpg/acls/" create "$GUIDE_NODE"
  claim "guide: set auth userid" cli_answers "Parameter userid is now 'username'." \
    "$tpg/acls/$GUIDE_NODE" set auth userid=username
  claim "guide: set auth password" cli_answers "Parameter password is now 'password'." \
    "$tpg/acls/$GUIDE_NODE" set auth password=password
  claim "nothing is in the file before saveconfig" refused grep -q "$GUIDE_TARGET" "$WORK/targets.json"
  claim "guide: saveconfig" cli_answers "Configuration saved to $WORK/targets.json" saveconfig
  claim "saveconfig keeps the file's comments, and its mode" saved_well
  claim "the node logs in with CHAP and sees the LUN" lists_lun username%password
  claim "the LUN has the backstore's name as its product" inquiry_says sdb
  claim "without CHAP the node is refused" refused node_logs_in
  claim "with another password it is refused" refused node_logs_in username%passwort
  claim "another node is refused" refused logs_in -n iqn.2023-02.com.example:node2 -u username%password "$GUIDE_TARGET" 0
  claim "ls shows the tree" shows "o- lun0 " ls
  claim "ls shows no secret" shows_not password ls
  claim "targetcli keeps no file beside the socket" no_file_of_its_own
  claim "sessions are listed" shows "(no open sessions)" sessions
  claim "wrong words are refused: a command" cli_refuses "Command not found frobnicate" frobnicate
  claim "a path" cli_refuses "No such path /iscsi/nothing" /iscsi/nothing ls
  claim "a name" cli_refuses "WWN not valid as: iqn, naa, eui" /iscsi create nonsense
  claim "a size" cli_refuses "Cannot interpret size" /backstores/fileio create x "$WORK/x" 2X
}
no_file_of_its_own() { [[ -S $WORK/admin.sock ]] && ! compgen -G "$WORK/admin.sock.*"; }
saved_well() {
  grep -q "This comment stays" "$WORK/targets.json" && grep -q "$GUIDE_TARGET" "$WORK/targets.json" &&
    [[ $(stat -c %a "$WORK/targets.json") = 600 ]]
}
inquiry_says() { node_logs_in username%password | tee /dev/stderr | grep -q "Product:$1 "; }

# A restart with what was saved, and with what was exported as a saveconfig.json.
claims_saved() {
  claim "the daemon ends in order" targetcli_stop
  claim "it starts with what was saved" targetcli_serve || return
  claim "after a restart the node logs in as before" lists_lun username%password
  claim "saveconfig FILE writes a saveconfig.json" shows "Configuration saved to $WORK/saved.json" saveconfig "$WORK/saved.json"
  claim "which only its owner can read" test "$(stat -c %a "$WORK/saved.json")" = 600
  claim "clearconfig wants to be sure" cli_refuses "confirm=True needs to be set" clearconfig
  claim "clearconfig confirm=True" cli_answers "All configuration cleared" clearconfig confirm=True
  claim "then the node finds nothing" refused node_logs_in username%password
  claim "restoreconfig brings everything back" shows "Configuration restored from $WORK/saved.json" restoreconfig "$WORK/saved.json"
  claim "and the node logs in again" until_ok 10 lists_lun username%password
  claim "and nothing differs from what was saved" no_difference
}
no_difference() {
  SWIFT_TGTD_SOCKET=$WORK/admin.sock timeout -k 5 20 "${TGTADM:-$(dirname "$TGTD")/swift-tgtadm}" config diff
}

# The interactive session on a pseudo-terminal. A loop device where there are some, else a file.
claims_session() {
  local device target lines
  truncate -s 64M "$WORK/loop.img" || return
  device=$(losetup --show -f "$WORK/loop.img" 2>/dev/null)
  if [[ -z $device ]]; then skip "the interactive session" "no loop device"; return; fi
  target=iqn.2003-01.org.linux-iscsi.session:sn.1
  lines=("cd /backstores/block" "create lun0 $device" "cd /iscsi" "create $target" "cd $target/tpg1/luns"
    "create /backstores/block/lun0"
    "set attribute authentication=0 demo_mode_write_protect=0 generate_node_acls=1 cache_dynamic_acls=1"
    "ls" "saveconfig" "exit")
  claim "the interactive session runs on a terminal" on_terminal "${lines[@]}"
  claim "it shows a prompt with its place" grep -qF "/backstores/block> " "$WORK/typescript"
  claim "it creates the backstore" grep -qF "Created block storage object lun0 using $device." "$WORK/typescript"
  claim "it sets the attributes" grep -qF "Parameter generate_node_acls is now '1'." "$WORK/typescript"
  claim "it saves at the end" grep -qF "Global pref auto_save_on_exit=true" "$WORK/typescript"
  claim "any node logs in then" logs_in -n iqn.2023-02.com.example:anybody "$target" 0
  claim "the tab key completes a path" tab_completes
  claim "a script's commands are read from a pipe" piped "/iscsi delete $target" "/backstores/block delete lun0"
  claim "and were carried out" refused logs_in -n iqn.2023-02.com.example:anybody "$target" 0
  losetup -d "$device"
}
# on_terminal LINE...: typed one after another; what is shown is in $WORK/typescript.
on_terminal() {
  local status=0
  { sleep 1; for line; do printf '%s\n' "$line"; sleep 0.3; done; } |
    SWIFT_TGTD_SOCKET=$WORK/admin.sock TARGETCLI_HOME=$WORK/home TERM=dumb NO_COLOR=1 \
      timeout -k 5 60 script -qec "$TARGETCLI" "$WORK/typescript" >/dev/null || status=$?
  tr -d '\r' <"$WORK/typescript" | tee "$WORK/typescript.plain"
  mv "$WORK/typescript.plain" "$WORK/typescript"
  return "$status"
}
tab_completes() { on_terminal $'cd /backst\tblo\t' pwd exit && grep -qx /backstores/block "$WORK/typescript"; }
piped() { printf '%s\n' '# a comment' "$@" | cli; }

stage_targetcli() {
  local PORT PID WORK TARGETCLI
  need "${TARGETCLI_PACKAGES[@]}"
  if [[ -z ${TGTD-} ]]; then
    release_build || { fail "the release build succeeds"; return; }
  fi
  TARGETCLI=$(dirname "$TGTD")/targetcli
  claim "targetcli is built" test -x "$TARGETCLI" || return
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/targetcli.XXXXXX") || return
  PORT=$(free_port)
  targetcli_configure
  claim "without a daemon targetcli exits with 1" cli_refuses "there is no such socket" ls
  if claim "the daemon serves targetcli" targetcli_serve; then
    claims_guide
    claims_saved
    claims_session
    claim "the daemon is still there" running "$PID"
    claim "the daemon ends in order at last" targetcli_stop
  fi
  rm -rf "$WORK"
}
