# Sourced by scripts/acceptance: libiscsi's iscsi-test-cu, all of it, on every kind of logical unit.
#
# Each kind is a target of its own with two portals, for the tests of two paths; the kinds run at once.
# No test may fail anywhere, and each of them has to pass somewhere: what skips itself on one kind, for
# want of a property, finds it on another.
# shellcheck shell=bash disable=SC2034,SC2154
#   memory      writes atomically, which files do not
#   protected   a file that is opened for reading; guarded: a LUN that may only be read, of a thin unit
SUITE_KINDS=(b512 b4096 advanced removable memory protected guarded)
declare -A SUITE_STORES=(
  [b512]='"physicalBlockSize": 512'
  [b4096]='"blockSize": 4096'
  [advanced]='"blockSize": 512, "physicalBlockSize": 4096'
  [removable]='"physicalBlockSize": 512, "removable": true'
  [memory]='"memory": true'
  [protected]='"readOnly": true'
  [guarded]='"physicalBlockSize": 512'
  [slow]='"physicalBlockSize": 512'
)

# What a kind leaves out, and why.
#   CompareAndWriteAsync  has 512 built in: on 4096-byte blocks it sends an eighth of its data
#   UnmapSingle           asks for the status of LBA i + 1 and wants a descriptor that begins at the next
#                         physical block, which GET LBA STATUS does not give (SBC-3 §5.4.2)
#   Sanitize.Reset        wants an overwrite that takes seconds: it has a slow unit of its own
declare -A SUITE_WITHOUT=(
  [b512]='Sanitize.Reset'
  [b4096]='Sanitize.Reset MultipathIO.CompareAndWriteAsync'
  [advanced]='Sanitize.Reset GetLBAStatus.UnmapSingle'
  [removable]='Sanitize.Reset'
  [memory]='Sanitize.Reset GetLBAStatus.UnmapSingle'
)
# Left out everywhere: what the standards, or this target, say otherwise.
declare -A SUITE_EXCEPTIONS=(
  [StartStopUnit.NoLoej]='stops the unit (START 0, LOEJ 0) and wants TEST UNIT READY to be GOOD: a stopped unit is NOT
    READY, INITIALIZING COMMAND REQUIRED (SBC-3 §4.20, §5.25)'
  [WriteSame10.UnmapUntilEnd]='writes FFh with UNMAP 1 and wants zeros back: blocks that would read otherwise than the data
    sent are not unmapped, but written (SBC-3 §5.43)'
  [Sanitize.CryptoErase]='the data is not encrypted: there is no key to change'
)
# What a write-protected unit is asked: all that does not begin by writing.
PROTECTED_SUITES='ReadOnly Inquiry Mandatory ReadCapacity10 ReadCapacity16 Read6 Read10 Read12 Read16
  Prefetch10 Prefetch16 Verify10 Verify12 Verify16 ReportSupportedOpcodes TestUnitReady StartStopUnit
  ReadDefectData10 ReadDefectData12 PrinServiceactionRange iSCSIcmdsn'

# suite_configure DIR PORT PORT2
suite_configure() {
  local directory=$1 kind size medium lun
  mkdir -p "$directory" && install -d -m 700 "$directory/state" || return
  {
    printf '{"portals": ["127.0.0.1:%s", "127.0.0.1:%s"],\n "stores": {\n' "$2" "$3"
    for kind in "${SUITE_KINDS[@]}" slow; do
      size=256MiB
      if [[ $kind = slow ]]; then size=32MiB; fi
      if [[ $kind = protected ]]; then truncate -s 256M "$directory/$kind.img"; fi
      medium="\"file\": \"$directory/$kind.img\", "
      if [[ $kind = memory ]]; then medium=''; fi
      printf '  "%s": {%s"size": "%s", %s},\n' "$kind" "$medium" "$size" "${SUITE_STORES[$kind]}"
    done
    printf ' },\n "targets": [\n'
    for kind in "${SUITE_KINDS[@]}" slow; do
      lun="\"lun\": 1, \"store\": \"$kind\""
      if [[ $kind = guarded ]]; then lun+=', "readOnly": true'; fi
      printf '  {"name": "%s:%s", "luns": [{%s}], "initiators": "any"},\n' "$IQN" "$kind" "$lun"
    done
    # A test may sleep for a minute without a look at its connections.
    printf ' ],\n "iscsi": {"nopInterval": 0}, "state": "%s/state", "engine": "%s",\n' "$directory" "$ENGINE"
    printf ' "admin": {"socket": "%s/admin.sock"}}\n' "$directory"
  } >"$directory/targets.json"
  chmod 600 "$directory/targets.json"
}
suite_url() { echo "iscsi://127.0.0.1:$1/$IQN:$2/1"; }

# verdicts LOG: "passed", "skipped", "failed" or "noresult" and the test's name, one line each.
# CUnit calls a test that skips itself passed, and a test without a verdict died. The suite reads the
# reservation keys around every test and says [SKIPPED] where there are none: that is no verdict.
verdicts() {
  awk '
    function flush() { if (test != "") print (verdict == "passed" && skips ? "skipped" : verdict), suite "." test; test = "" }
    /^Suite: /        { flush(); suite = $2 }
    /^  Test: .* \.\.\./ { flush(); test = $2; verdict = "noresult"; skips = 0; sub(/^  Test: .* \.\.\./, "") }
    /^Run Summary/    { flush() }
    test == ""        { next }
    /^passed/         { if (verdict == "noresult") verdict = "passed" }
    /^FAILED/         { if (verdict == "noresult") verdict = "failed" }
    # One part of two tests, of three.
    /\[SKIPPED\] SANITIZE CRYPTO_ERASE/ && test ~ /^(Readonly|Reservations)$/ { next }
    /\[SKIPPED\] PERSISTENT RESERVE IN/ && suite !~ /^Pr(in|out)/ { next }
    /\[SKIPPED\]/     { skips = 1 }
    END               { flush() }' "$1"
}

# tests_of KIND: the tests that it runs, for --test; suites as a whole where none is left out.
tests_of() {
  local listed suite without="${SUITE_WITHOUT[$1]-} ${!SUITE_EXCEPTIONS[*]}" test tests=()
  listed=$(iscsi-test-cu -l | sed -n 's/^ALL\.//p')
  while read -r suite; do
    if [[ $1 = @(protected|guarded) && " $(tr '\n' ' ' <<<"$PROTECTED_SUITES") " != *" $suite "* ]]; then continue; fi
    if [[ " $without" != *" $suite."* ]]; then
      tests+=("ALL.$suite")
    else
      while read -r test; do
        [[ " $without " = *" $test "* ]] || tests+=("ALL.$test")
      done < <(grep "^$suite\." <<<"$listed")
    fi
  done < <(grep -v '\.' <<<"$listed")
  (IFS=,; echo "${tests[*]}")
}

# cu LOG KIND TESTS: one run of the suite.
cu() {
  LIMIT=${LIMIT:-900} bounded iscsi-test-cu --dataloss --allow-sanitize --verbose --test="$3" \
    "$(suite_url "$PORT" "$2")" "$(suite_url "$PORT2" "$2")" >"$1" 2>&1
}

# judge KIND LOG STATUS: one claim for all tests of a kind.
judge() {
  local kind=$1 log=$2 status=$3 tests passed skipped failed
  tests=$(verdicts "$log")
  sed "s/\$/ $kind/" <<<"$tests" >>"$WORK/$ENGINE-verdicts"
  passed=$(grep -c ^passed <<<"$tests") skipped=$(grep -c ^skipped <<<"$tests")
  failed=$(grep -cE '^(failed|noresult)' <<<"$tests")
  if ((failed == 0 && passed > 0 && status == 0)); then
    pass "$ENGINE: iscsi-test-cu on $kind: no test fails"
  else
    fail "$ENGINE: iscsi-test-cu on $kind: no test fails (exit status $status)"
    grep -E '^(failed|noresult)' <<<"$tests" | sed 's/^/      /'
    grep -E '\[FAILED\]|^ +[0-9]+\. ' "$log" | sed 's/^ *[0-9]*\. //' | sort | uniq -c | sort -rn | head -20 | sed 's/^/      /'
  fi
  printf '      %s passed, %s skipped themselves, %s failed or without result\n' "$passed" "$skipped" "$failed"
}

# Of all tests that there are, each passes on one kind at least, but for the exceptions.
all_pass_somewhere() {
  local listed passed missing test
  listed=$(iscsi-test-cu -l | sed -n 's/^ALL\.\(.*\..*\)/\1/p' | sort)
  passed=$(sed -n 's/^passed \([^ ]*\) .*/\1/p' "$WORK/$ENGINE-verdicts" | sort -u)
  missing=$(comm -23 <(echo "$listed") <(sort -u <<<"$passed"$'\n'"$(printf '%s\n' "${!SUITE_EXCEPTIONS[@]}")"))
  while read -r test; do
    [[ -z $test ]] || echo "$test: $(sed -n "s/^\([a-z]*\) $test \(.*\)/\1 on \2/p" "$WORK/$ENGINE-verdicts" | paste -sd, -)"
  done <<<"$missing"
  echo "$(grep -c . <<<"$listed") tests, $(comm -12 <(echo "$listed") <(echo "$passed") | grep -c .) pass somewhere; left out:"
  for test in "${!SUITE_EXCEPTIONS[@]}"; do
    tr -s ' \n' ' ' <<<"$test: ${SUITE_EXCEPTIONS[$test]}"; echo
  done
  [[ -z $missing ]]
}

# SANITIZE that goes on through resets has to take longer than the test waits: on a daemon of its own, whose
# writes are delayed. The test sleeps a minute for every unit attention, so it runs beside all others, and
# once for both engines. Its verdict is left in $WORK/slow-verdict.
slow_sanitize() {
  local directory=$WORK/slow port pid
  port=$(free_port)
  suite_configure "$directory" "$port" "$(free_port)" || return
  SWIFT_TGTD_FAULTS='slow: write delay=400' "$FAULTY_TGTD" --config "$directory/targets.json" \
    </dev/null >"$directory/log" 2>&1 & pid=$!
  if PORT=$port until_ok 20 suite_ready; then
    LIMIT=900 bounded iscsi-test-cu --dataloss --allow-sanitize --verbose --test=ALL.Sanitize.Reset \
      "$(suite_url "$port" slow)" >"$directory/slow.log" 2>&1
    verdicts "$directory/slow.log" | sed 's/$/ slow/' >"$WORK/slow-verdict"
  fi
  kill -TERM "$pid"
  gone "$pid" 10 || kill -KILL "$pid" 2>/dev/null
}
slow_passed() { cat "$WORK/slow/slow.log" "$WORK/slow-verdict"; grep -q '^passed' "$WORK/slow-verdict"; }

claims_suite() {
  local d=$WORK/$ENGINE-suite kind job jobs=() status slow=''
  PORT=$(free_port)
  while PORT2=$(free_port); ((PORT2 == PORT)); do :; done
  suite_configure "$d" "$PORT" "$PORT2" || return
  : >"$WORK/$ENGINE-verdicts"
  if [[ -x ${FAULTY_TGTD-} && ! -e $WORK/slow-verdict ]]; then slow_sanitize & slow=$!; fi
  claim "$ENGINE: the daemon serves for the suite" suite_serve "$d" || return
  for kind in "${SUITE_KINDS[@]}"; do
    cu "$d/$kind.log" "$kind" "$(tests_of "$kind")" & jobs+=("$!:$kind")
  done
  for job in "${jobs[@]}"; do
    status=0
    wait "${job%%:*}" || status=$?
    judge "${job#*:}" "$d/${job#*:}.log" "$status"
  done
  claim "$ENGINE: the daemon is still there after the suite" running "$PID"
  stop "$PID"
  if [[ -n $slow ]]; then
    wait "$slow"
    claim "$ENGINE: iscsi-test-cu Sanitize.Reset on a slow unit" slow_passed
  fi
  if [[ -e $WORK/slow-verdict ]]; then
    cat "$WORK/slow-verdict" >>"$WORK/$ENGINE-verdicts"
    told "$ENGINE: every test of iscsi-test-cu passes on some unit" all_pass_somewhere
  else
    skip "$ENGINE: every test of iscsi-test-cu passes on some unit" "Sanitize.Reset wants a daemon with faults: FAULTY_TGTD"
  fi
}
suite_serve() { launch "$1" && until_ok 20 suite_ready; }
suite_ready() { timeout 10 iscsi-readcapacity16 "$(suite_url "$PORT" b512)"; }
