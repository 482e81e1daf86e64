# Sourced by the scripts: where things are, packages, ports, claims and daemons.
# shellcheck shell=bash disable=SC2034
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# What the build links and compiles against, and what fetches its dependencies.
BUILD_PACKAGES=(gcc libc6-dev libstdc++-12-dev liburing-dev libaio-dev libisal-dev libedit-dev git ca-certificates)
# What drives the daemon under test.
ACCEPTANCE_PACKAGES=(libiscsi-bin qemu-utils qemu-block-extra python3)

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# need PACKAGE...: install those Debian packages that are missing.
need() {
  local package missing=() root=()
  for package in $(printf '%s\n' "$@" | sort -u); do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) = installed ]] || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null || die "missing, and this is not Debian: ${missing[*]}"
  if ((EUID)); then root=(sudo); fi
  say "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  if [[ -z ${PACKAGES_UPDATED-} ]]; then
    "${root[@]}" apt-get -o DPkg::Lock::Timeout=300 -qq update >/dev/null || die "apt-get update failed"
    export PACKAGES_UPDATED=1
  fi
  local log; log=$(mktemp)
  if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq install -y \
    --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
    cat "$log" >&2; rm -f "$log"; die "cannot install ${missing[*]}"
  fi
  rm -f "$log"
}

need_swift() {
  local version major minor
  command -v swift >/dev/null || die "no swift in PATH: install a Swift 6.3 toolchain (https://www.swift.org/install/linux/)"
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9.]*\).*/\1/p')
  IFS=. read -r major minor _ <<<"$version"
  ((${major:-0} > 6 || (${major:-0} == 6 && ${minor:-0} >= 3))) || die "Swift 6.3 or later is needed, this is ${version:-unknown}"
}

# keep_objects: what is in C and C++ of other people's packages (BoringSSL, twice, is a third of a build) is compiled
# once for all clones on this machine.
keep_objects() {
  local compiler
  compiler=$(dirname "$(readlink -f "$(command -v swift)")")/clang
  [[ -x $compiler ]] || return 0
  need ccache
  mkdir -p .build && ln -sfn "$(command -v ccache)" .build/clang
  export CC=$ROOT/.build/clang CCACHE_BASEDIR=$ROOT CCACHE_NOHASHDIR=1 CCACHE_COMPILER=$compiler
  CCACHE_COMPILERCHECK=string:$(swift --version 2>/dev/null | head -n 1)
  export CCACHE_COMPILERCHECK
}

# quietly WHAT COMMAND...: one line with the time; the output only if it fails.
quietly() {
  local what=$1 log start=$SECONDS status=0 job; shift
  log=$(mktemp)
  "$@" >"$log" 2>&1 & job=$!
  if [[ -t 2 ]]; then
    while kill -0 "$job" 2>/dev/null; do
      printf '\r\033[K%s … %ds  %s' "$what" "$((SECONDS - start))" "$(tail -c 300 "$log" | tr '\r' '\n' | tail -1 | cut -c1-60)" >&2
      sleep 1
    done
    printf '\r\033[K' >&2
  else
    say "$what …"
  fi
  wait "$job" || status=$?
  if ((status)); then cat "$log" >&2; fi
  say "$what: $( ((status)) && echo "failed" || echo "done") after $((SECONDS - start)) s"
  rm -f "$log"
  return "$status"
}

# release_build: build the programs as they ship, and make the daemon the one under test.
release_build() {
  quietly "building swift-tgtd" swift build -c release --product swift-tgtd || return
  quietly "building swift-tgtadm" swift build -c release --product swift-tgtadm || return
  quietly "building targetcli" swift build -c release --product targetcli || return
  TGTD=$(swift build -c release --show-bin-path)/swift-tgtd
  export TGTD
}

# faulty_build: the debug build of the daemon, which is able to fail on request (SWIFT_TGTD_FAULTS) and never
# ships. The tests build it anyway; one more in release would take as long as all of swift-nio.
faulty_build() {
  quietly "building swift-tgtd with faults" swift build --product swift-tgtd || return
  FAULTY_TGTD=$(swift build --show-bin-path)/swift-tgtd
  export FAULTY_TGTD
}

# tgtd_binary: $TGTD, or the newest build.
tgtd_binary() {
  local found
  if [[ -n ${TGTD-} ]]; then
    [[ -x $TGTD ]] || die "TGTD=$TGTD is not a program"
    realpath "$TGTD"; return
  fi
  # shellcheck disable=SC2012 # the names are ours
  found=$(ls -t "$ROOT"/.build/{release,debug}/swift-tgtd 2>/dev/null | head -1)
  [[ -n $found ]] || die "no build found; run: swift build -c release --product swift-tgtd"
  realpath "$found"
}

# free_port: a loopback port below the ephemeral range that nobody listens on.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

# until_ok SECONDS COMMAND...: poll until it succeeds.
until_ok() {
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do ((SECONDS < end)) || return 1; sleep 0.1; done
}
listens() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
running() { kill -0 "$1" 2>/dev/null; }

# gone PID SECONDS: wait for a process of this shell; its status, 124 if it stays.
gone() {
  local end=$((SECONDS + $2))
  while running "$1"; do ((SECONDS < end)) || return 124; sleep 0.1; done
  wait "$1" 2>/dev/null
}

# Claims: printed, and kept in $RESULTS (one line each: PASS, FAIL or SKIP and the name).
record() { if [[ -n ${RESULTS-} ]]; then printf '%s\t%s\n' "$1" "$2" >>"$RESULTS"; fi; }
pass() { printf 'PASS  %s\n' "$1"; record PASS "$1"; }
fail() { printf 'FAIL  %s\n' "$1"; record FAIL "$1"; }
skip() { printf 'SKIP  %s: %s\n' "$1" "$2"; record SKIP "$1"; }

# claim NAME COMMAND...: passes if the command does; else its output is shown. The command runs in
# this shell, so that it can set variables.
claim() {
  local claimed=$1 output outcome=0; shift
  output=$(mktemp)
  "$@" >"$output" 2>&1 || outcome=$?
  if ((outcome)); then
    fail "$claimed"
    tail -n 40 "$output" | awk '{ print "      " $0 }'
    printf '      (exit status %s)\n' "$outcome"
  else
    pass "$claimed"
  fi
  rm -f "$output"
  return "$outcome"
}
# told NAME COMMAND...: a claim whose output is worth reading when it passes, too.
told() {
  local claimed=$1 output outcome=0; shift
  output=$(mktemp)
  "$@" >"$output" 2>&1 || outcome=$?
  if ((outcome)); then fail "$claimed"; else pass "$claimed"; fi
  tail -n 40 "$output" | sed 's/^/      /'
  rm -f "$output"
  return "$outcome"
}
# refused COMMAND...: it fails by itself, not by a timeout or a signal.
refused() { local status=0; "$@" || status=$?; ((status != 0 && status < 124)); }

# exits STATUS COMMAND...: it ends so; its output of both kinds is in $WORK/said, and shown.
exits() {
  local wanted=$1 status=0; shift
  "$@" >"$WORK/said" 2>&1 || status=$?
  cat "$WORK/said"
  ((status == wanted))
}
# said TEXT: what `exits` ran last said it somewhere.
said() { grep -qF -e "$1" "$WORK/said" || { cat "$WORK/said"; false; }; }
# says LINE COMMAND...: it succeeds, and a whole line of its output is that.
says() { local line=$1; shift; exits 0 "$@" && grep -qxF -e "$line" "$WORK/said"; }
silent() { local said; said=$("$@" 2>&1) && [[ -z $said ]] || { echo "$said"; false; }; }
# logs_in [-n NODE] [-u USER%SECRET] TARGET LUN: INQUIRY of that LUN, at $PORT of this machine.
logs_in() {
  local OPTIND option user='' node=()
  while getopts n:u: option; do
    case $option in
      n) node=(-i "$OPTARG") ;;
      u) user=$OPTARG@ ;;
      *) return 64 ;;
    esac
  done
  shift $((OPTIND - 1))
  timeout -k 5 20 iscsi-inq "${node[@]}" "iscsi://${user}127.0.0.1:$PORT/$1/$2"
}

count() { local n; n=$(grep -c "^$1" "$2" 2>/dev/null); echo "${n:-0}"; }
