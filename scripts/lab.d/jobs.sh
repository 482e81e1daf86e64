# What a node and a container do all their lives: they run the jobs that the host side leaves them (node_exec in host.sh).
# shellcheck shell=bash
# A job is a file NAME.sh; its output and its status become NAME.out and NAME.status.
run_jobs() {
  local job name
  for job in "$1"/*.sh; do
    [[ -e $job ]] || continue
    name=${job%.sh}
    mv "$job" "$name.run"
    (
      cd /root || exit
      /bin/bash "$name.run" </dev/null >"$name.out" 2>&1 9<&-
      echo $? >"$name.ended"
      mv "$name.ended" "$name.status"
    ) &
  done
}
# serve_jobs PLACE: what is left in PLACE/jobs, until it is to power off.
serve_jobs() {
  mkfifo /run/tick
  exec 9<>/run/tick                # reading it with a limit is a sleep without a process
  : >"$1/up"
  while [[ ! -e $1/jobs/poweroff ]]; do
    run_jobs "$1/jobs"
    read -r -t 0.03 -u 9
  done
}
