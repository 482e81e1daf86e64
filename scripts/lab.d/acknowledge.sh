# In the nodes: who writes files on /mnt that are acknowledged (acknowledge.py), until it is told to end.
# shellcheck shell=bash
ACKNOWLEDGE=${BASH_SOURCE%/*}/acknowledge.py

# write_on: in the background, files without end; those that were acknowledged are on the host side, in /lab/NODE-files.
write_on() {
  setsid python3 "$ACKNOWLEDGE" write /mnt "$HOSTNAME" "/lab/$HOSTNAME-files" >/run/writer.log 2>&1 & echo $! >/run/writer
}
# stop_writing: the writer ends, and has said nothing: what it says is an error.
stop_writing() {
  : >"/lab/$HOSTNAME-files.enough"
  until_ok 30 stopped
  cat /run/writer.log
  stopped && [[ ! -s /run/writer.log ]]
}
stopped() { ! readlink "/proc/$(</run/writer)/exe"; }   # also when nobody has asked for its status
acknowledged() { cat "/lab/$1-files" 2>/dev/null | wc -l; }
acknowledges_on() { local now; now=$(acknowledged "$HOSTNAME") && until_ok 60 more "$now"; }
more() { (($(acknowledged "$HOSTNAME") > $1 + 3)); }
# pauses: between one file and the next, in seconds, the longest first.
pauses() { stat -c %.2Y /mnt/"$HOSTNAME".* | sort -n | awk 'NR > 1 { print $1 - last } { last = $1 }' | sort -rn; }
