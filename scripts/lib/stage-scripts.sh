# Stage scripts: shellcheck, and scripts/run serves.
# shellcheck shell=bash
shell_files() { grep -lE '^#!/bin/bash' scripts/* scripts/lab.d/* .ci/* 2>/dev/null; ls scripts/lib/*.sh scripts/lab.d/*.sh scripts/lab.d/scenarios/*.sh; }
checked() {
  shell_files | xargs shellcheck -x --severity=warning -e SC1090,SC1091
}
# Tracked programs in Python, by their name or their first line; warnings of its compiler are errors.
python_files() { git ls-files '*.py'; git ls-files scripts .ci | xargs grep -lE '^#!.*python3$'; }
python_compiles() {
  local file
  while read -r file; do
    python3 -W error::SyntaxWarning -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$file" || return
  done < <(python_files | sort -u)
}
loads_compile() {
  cc -O2 -Wall -Wextra -Werror -o /dev/null scripts/bench.d/load.c -liscsi &&
    cc -O2 -Wall -Wextra -Werror -o /dev/null scripts/bench.d/digests.c -lisal
}

# scripts/run serves a configuration and ends in order at SIGTERM.
run_serves() {
  local work port pid status=0
  work=$(mktemp -d) port=$(free_port)
  cat >"$work/targets.json" <<JSON
{"portals": ["127.0.0.1:$port"], "stores": {"m": {"memory": true, "size": "16MiB"}},
 "targets": [{"name": "iqn.2026-11.com.example:run", "luns": [{"lun": 0, "store": "m"}], "initiators": "any"}],
 "state": "$work/state", "admin": {"socket": "$work/admin.sock"}}
JSON
  mkdir -m 700 "$work/state"
  scripts/run --config "$work/targets.json" </dev/null >"$work/log" 2>&1 & pid=$!
  # It may have to build all there is.
  if until_ok 3600 listens_or_gone "$port" "$pid" && listens "$port"; then
    timeout 20 iscsi-ls -s "iscsi://127.0.0.1:$port" || status=1
    kill -TERM "$pid"
    gone "$pid" 10 || status=$?
    if ((status == 124)); then kill -KILL "$pid"; fi
  else
    status=1
    kill -KILL "$pid" 2>/dev/null
  fi
  cat "$work/log"
  rm -rf "$work"
  return "$status"
}
listens_or_gone() { listens "$1" || ! running "$2"; }

AS_NOBODY=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
# The toolchain's libraries may be where root alone can reach them. A program that root cannot run either is another
# matter.
only_root_runs() {
  local work status=0
  ((EUID == 0)) || return
  work=$(mktemp -d) && chmod 711 "$work" || return
  cp "$(swift build -c release --show-bin-path)/swift-tgtd" "$work" && "$work/swift-tgtd" --version &&
    ! "${AS_NOBODY[@]}" "$work/swift-tgtd" --version || status=1
  rm -rf "$work"
  return "$status"
}
# The demo of scripts/run serves whoever is not root, with a socket that answers. Copies, as nobody else may
# reach what root has built.
demo_serves() {
  local work port pid status=0 user=()
  work=$(mktemp -d) port=$(free_port)
  scripts/run --directory "$work/demo" --check </dev/null || { rm -rf "$work"; return 1; }
  sed -i "s/127\.0\.0\.1:3260/127.0.0.1:$port/" "$work/demo/targets.json"
  cp "$(swift build -c release --show-bin-path)"/swift-tgt{d,adm} "$work"
  if ((EUID == 0)); then
    user=("${AS_NOBODY[@]}")
    chmod 711 "$work" && chown -R nobody:nogroup "$work/demo"
  fi
  "${user[@]}" "$work/swift-tgtd" --config "$work/demo/targets.json" </dev/null >"$work/log" 2>&1 & pid=$!
  until_ok 30 timeout 20 "${user[@]}" "$work/swift-tgtadm" --socket "$work/demo/admin.sock" status || status=1
  timeout 20 iscsi-ls -s "iscsi://127.0.0.1:$port" || status=1
  kill -TERM "$pid"
  gone "$pid" 10 || status=1
  kill -KILL "$pid" 2>/dev/null
  cat "$work/log"
  rm -rf "$work"
  return "$status"
}

stage_scripts() {
  need shellcheck python3 libiscsi-dev libiscsi-bin
  claim "shellcheck has no warning" checked
  claim "programs in Python compile without a warning" python_compiles
  claim "the loads of scripts/bench compile without a warning" loads_compile
  claim "the README's table of clients has a row for all that the scenarios say" scripts/lab table --check
  claim "every command of the guides is run by what they name" python3 scripts/lab.d/guides.py conf/guides scripts
  claim "scripts/run --help helps" scripts/run --help
  claim "scripts/run --config serves and ends at SIGTERM" run_serves
  local demo="the demo of scripts/run serves who is not root, and its socket answers"
  if only_root_runs >/dev/null 2>&1; then
    skip "$demo" "only root can run the program here"
  else
    claim "$demo" demo_serves
  fi
}
