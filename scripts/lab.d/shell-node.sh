# In the node of scripts/lab shell, on its terminal: logs in to the demo target and leaves the rest to you.
# shellcheck shell=bash disable=SC1091
. "${BASH_SOURCE%/*}/node.sh"
cd /root || exit
iscsi_start && iscsi_login "$IQN:demo" "$PORTAL" -- >/dev/null
export IQN LUN; LUN=$(lun_dev "$IQN:demo" 1)
cat <<END

This is $(uname -sr), node $NODE, logged in to $IQN:demo.
Its LUN 1 is $LUN, in \$LUN. Everything else is this machine's, in memory: what you change is forgotten.
  iscsiadm -m session -P 3
  sg_persist -n -i -k \$LUN
  mkfs.ext4 \$LUN && mount \$LUN /mnt
"exit" ends the node.

END
export PS1='\h:\w# '
exec bash --norc -i
