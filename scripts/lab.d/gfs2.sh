# In the nodes of the scenario gfs2: corosync, DLM with fencing, a shared volume group.
# shellcheck shell=bash disable=SC2154
HERE=${BASH_SOURCE%/*}
. "$HERE/acknowledge.sh"

# Two nodes: one that is left stays quorate, and fences the other.
corosync_start() {
  cat >/etc/corosync/corosync.conf <<END
totem {
  version: 2
  cluster_name: lab
  transport: knet
  token: 3000
}
nodelist {
  node {
    ring0_addr: n1
    name: n1
    nodeid: 1
  }
  node {
    ring0_addr: n2
    name: n2
    nodeid: 2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
}
logging {
  to_syslog: no
  to_logfile: yes
  logfile: /lab/$HOSTNAME-corosync.log
}
END
  corosync
}
members() { [[ $(corosync-quorumtool -l | grep -c ' n[12]\b') = "$1" ]]; }

# dlm_start: who leaves without a word is fenced with the agent, and who comes is let in again.
# /dev/misc is what the rules of udev would make.
dlm_start() {
  mkdir -p /etc/dlm /run/cluster && mkdir -p /dev/misc
  cat >/etc/dlm/dlm.conf <<END
device reservations /usr/sbin/fence_scsi devices=$D logfile=/lab/$HOSTNAME-fence.log
connect reservations node=1 plug=n1 key=a1
connect reservations node=2 plug=n2 key=a2
unfence reservations
END
  modprobe -a dlm gfs2 && ln -sf /dev/dlm* /dev/misc/ && dlm_controld --post_join_delay 5
}
registered() { [[ $(keys "$D") = "$1" ]]; }
lvm_start() {
  modprobe dm_mod && mkdir -p /etc/lvm /run/lvm && lvmlockd --gl-type dlm &&
    printf 'devices { use_devicesfile=0 }\nglobal { use_lvmlockd=1 }\n' >/etc/lvm/lvmlocal.conf
}
mount_files() { mount -t gfs2 -o noatime /dev/shared/files /mnt; }
