# Stage proofs: what has to hold for every seed, in optimised code (Tests/Proofs).
#   FENCE_SEEDS=20000      races of a fence against writes, each of another seed
#   MODEL_COMMANDS=1000000 commands of all kinds to a logical unit and its model; MODEL_SEED repeats them
# shellcheck shell=bash
proofs_build() {
  PROOFS=1 swift build -c release --product Proofs && PROOFS=1 swift build -c release --product Allocations
}

# Two processes at a time, each of at most 1000 races: worlds that are over keep some of their memory.
race_seeds() {
  local count=$1 second status=0
  some_seeds 1 $(((count + 1) / 2)) & second=$!
  some_seeds $(((count + 1) / 2 + 1)) "$count" || status=1
  wait "$second" || status=1
  return "$status"
}
some_seeds() {
  local first=$1 last=$2 count status=0
  while ((first <= last)); do
    count=$((last - first + 1 < 1000 ? last - first + 1 : 1000))
    FENCE_FIRST=$first FENCE_SEEDS=$count timeout 900 "$PROOFS_BINARY" fence || status=1
    first=$((first + count))
  done
  return "$status"
}
same_answers() { MODEL_COMMANDS=$1 timeout 1800 "$PROOFS_BINARY" model; }
# The first places of what was found are enough.
steady_state() { timeout 300 "$1" | awk '/allocations/ { lines = 0 } lines++ < 12'; return "${PIPESTATUS[0]}"; }

stage_proofs() {
  local seeds=${FENCE_SEEDS:-20000} commands=${MODEL_COMMANDS:-1000000} programs
  if [[ -n $QUICK ]]; then seeds=${FENCE_SEEDS:-2000} commands=${MODEL_COMMANDS:-100000}; fi
  quietly "building the proofs" proofs_build || { fail "the proofs build"; return; }
  programs=$(PROOFS=1 swift build -c release --show-bin-path)
  PROOFS_BINARY=$programs/Proofs
  told "a command in steady state allocates nothing" steady_state "$programs/Allocations"
  told "no write of a fenced node lands after the answer: $seeds races" race_seeds "$seeds"
  told "a logical unit answers as its model does: $commands commands" same_answers "$commands"
}
