# scripts/lab shell: a demo target, and a node with a prompt that is logged in to it.
# shellcheck shell=bash disable=SC2154
ok "the demo target serves" target_start && ok "a disk of 256 MiB" serve demo 256MiB --any || return
node_command n1 11 512M fd:0,fd:1 SHELL_ON=/dev/tty0 PORTAL="$PORTAL" TERM="${TERM:-linux}"
"${NODE_COMMAND[@]}"
ok "the target ends in order" target_stop
