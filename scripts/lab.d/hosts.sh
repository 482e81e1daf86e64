# In the target hosts of the scenario target-hosts, after agents.sh: what they have beside the daemon and the cluster.
# shellcheck shell=bash disable=SC2154

# see_disk DEVICE: by a name that is the same on both hosts. /srv is the host's own.
see_disk() {
  mount -t tmpfs tmpfs /srv && mkdir -p /srv/iscsi && ln -s "$1" /run/shared-disk &&
    install -d -m 755 /run/swift-tgtd       # which the daemon's unit would make
}
# have_switch: Pacemaker looks for its agents in /usr/sbin alone.
have_switch() { mount -t overlay overlay -o "lowerdir=$LAB/agents:/usr/sbin" /usr/sbin; }

# make_files: the file system that moves, with a configuration in it that serves nothing yet.
make_files() {
  mkfs.ext4 -q /run/shared-disk && mount /run/shared-disk /srv/iscsi || return
  cat >/srv/iscsi/targets.json <<END && umount /srv/iscsi
{
  "portals": ["0.0.0.0:3260"],
  "stores": {},
  "targets": [],
  "state": "/srv/iscsi/state",
}
END
}
serves() { mountpoint /srv/iscsi && swift-tgtadm status; }
has_stopped() { ! mountpoint -q /srv/iscsi && ! swift-tgtadm status; }
