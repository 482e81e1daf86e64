# Stage fuzz: each fuzzer of Tests/Fuzz runs for $FUZZ_SECONDS under libFuzzer and the address sanitizer.
#
# Package.swift adds the executables of Tests/Fuzz only when FUZZ=1 is in the environment, so they never
# ship. They are instrumented here, from outside: a crash leaves its input in .build/fuzz/NAME-*.
# .build/address is that of stage sanitize, too: packages are fetched, and what is in C is built, once.
# shellcheck shell=bash
fuzz_build() {
  local runtime
  runtime=$(swift -print-target-info | sed -n 's/.*"runtimeResourcePath": *"\([^"]*\)".*/\1/p')
  runtime=$(find -L "$runtime/clang/lib" -name 'libclang_rt.fuzzer_no_main*.a' 2>/dev/null | grep -m1 -F -e "$(uname -m)" -e 'no_main.a')
  [[ -n $runtime ]] || { echo "this toolchain has no libFuzzer"; return 1; }
  FUZZ=1 DATA_PLANE=1 swift build --scratch-path .build/address --sanitize address \
    -Xswiftc -sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp -Xswiftc -O \
    -Xlinker "$runtime" -Xlinker -lstdc++
}
fuzz_run() {
  local seconds=${FUZZ_SECONDS:-60} corpus=.build/fuzz/corpus-$1 log status=0 seeds=() dictionary=() longest=4096
  mkdir -p "$corpus"
  if [[ -d Tests/Fuzz/$1/Corpus ]]; then seeds+=("Tests/Fuzz/$1/Corpus"); fi
  if [[ -e Tests/Fuzz/$1/Dictionary ]]; then dictionary=(-dict="Tests/Fuzz/$1/Dictionary"); fi
  # The examples are the best configurations to begin with, whole.
  if [[ $1 = ConfigurationFuzz ]]; then seeds+=(conf) longest=8192; fi
  log=$(mktemp)
  # Leaks are not looked for: the tables of the Swift runtime hide their pointers from that search.
  ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no timeout -k 10 "$((seconds + 120))" ".build/address/debug/$1" \
    "$corpus" "${seeds[@]}" ${dictionary[@]+"${dictionary[@]}"} -max_total_time="$seconds" -timeout=10 -detect_leaks=0 -rss_limit_mb=8192 -max_len="$longest" -artifact_prefix=".build/fuzz/$1-" -print_final_stats=1 >"$log" 2>&1 || status=$?
  grep -E 'SUMMARY|stat::number_of_executed_units|Test unit written' "$log"
  # It must have run inputs: a fuzzer that does nothing proves nothing.
  grep -qE 'stat::number_of_executed_units: *[1-9]' "$log" || { tail -n 30 "$log"; status=1; }
  rm -f "$log"
  return "$status"
}
# fuzz_job NAME: one run, its output and status kept for fuzz_outcome.
fuzz_job() {
  local status=0
  fuzz_run "$1" >".build/fuzz/$1.log" 2>&1 || status=$?
  echo "$status" >".build/fuzz/$1.status"
}
fuzz_outcome() {
  cat ".build/fuzz/$1.log"
  return "$(cat ".build/fuzz/$1.status")"
}
# A fuzzer is one thread: as many run at once as there are processors.
stage_fuzz() {
  local name fuzzers=(Tests/Fuzz/*Fuzz)
  quietly "building the fuzzers" fuzz_build || { fail "the fuzzers build"; return; }
  mkdir -p .build/fuzz
  for name in "${fuzzers[@]##*/}"; do
    while (($(jobs -rp | wc -l) >= $(nproc))); do sleep 0.2; done
    fuzz_job "$name" &
  done
  wait
  for name in "${fuzzers[@]##*/}"; do
    claim "$name finds nothing in ${FUZZ_SECONDS:-60} s" fuzz_outcome "$name"
  done
}
