// The race of a fence against writes that the daemon's store delays.
#include "proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct writer writer;
static struct node fencer;
static struct image image;
static unsigned late_rounds, changed_pieces;
static unsigned long under_way_at_fence;

static void serve(unsigned ms) {
  struct node *nodes[] = {&writer.node, &fencer};
  for (uint64_t end = now_ms() + ms; now_ms() < end;) {
    writer_fill(&writer);
    pump(nodes, 2, 5);
  }
}

// The fenced node's next write is refused.
static void refused(unsigned round) {
  struct node again;
  node_close(&writer.node);
  node_open(&again, "iqn.2026-11.com.example:writer", 1);
  int status = write_block(&again, 0, 0xEE);
  if (status != CONFLICT) fail("round %u: the fenced node's write ends with status %d", round, status);
  node_close(&again);
}

static void run(unsigned round) {
  const uint64_t own = 0xB000, other = 0xA000 + round;
  struct node *nodes[] = {&fencer, &writer.node};
  node_open(&writer.node, "iqn.2026-11.com.example:writer", 1);
  for (unsigned i = 0; i < writer.depth; i++) writer.slots[i].vector.iov_len = 0;
  writer.under_way = 0;
  writer.stopped = false;
  if (reserve_out(&writer.node, REGISTER_AND_IGNORE, 0, 0, other)) fail("the writer cannot register");
  if (write_block(&writer.node, 0, (uint8_t)round)) fail("round %u: the registered writer cannot write", round);
  serve(20 + pick(180));
  if (options.control) image_copy(&image);
  under_way_at_fence += writer.under_way;
  struct answer answer;
  uint64_t begin = now_ms();
  send_reserve_out(&fencer, PREEMPT_AND_ABORT, 5, own, other, &answer);
  while (!answer.done) {
    // The fencer's answer is looked at first, and nothing is sent after it.
    pump(nodes, 1, 0);
    if (answer.done) break;
    writer_fill(&writer);
    pump(nodes, 2, 5);
    if (now_ms() > begin + 30000) fail("round %u: the fence is not answered", round);
  }
  if (answer.status) fail("round %u: the fence ends with status %d", round, answer.status);
  if (!options.control) image_copy(&image);
  writer.stopped = true;
  serve(options.delay + 60);
  unsigned changes = image_changes(&image);
  changed_pieces += changes;
  late_rounds += changes > 0;
  refused(round);
}

int proof_race(void) {
  char file[400], faults[100];
  snprintf(file, sizeof file, "%s/disk.img", options.directory);
  snprintf(faults, sizeof faults, "disk: write delay=0-%u seed=%u", options.delay, options.seed);
  setenv("SWIFT_TGTD_FAULTS", faults, 1);
  daemon_configure(file);
  daemon_start();
  writer_prepare(&writer, 32, 4 << 20);
  node_open(&fencer, "iqn.2026-11.com.example:fencer", 2);
  if (reserve_out(&fencer, REGISTER_AND_IGNORE, 0, 0, 0xB000) || reserve_out(&fencer, RESERVE, 5, 0xB000, 0))
    fail("the fencer cannot reserve");
  image_open(&image, file, 4 << 20);
  for (unsigned round = 0; round < options.rounds; round++) run(round);
  printf("%u rounds, %lu commands under way when the fence was sent, %u rounds with changes of %u pieces %s\n",
         options.rounds, under_way_at_fence, late_rounds, changed_pieces,
         options.control ? "since before the fence" : "after its answer");
  // Nothing is proven by a race in which nothing was under way.
  if (under_way_at_fence < options.rounds * 16ul) return 1;
  return options.control ? late_rounds < options.rounds / 2 : late_rounds > 0;
}
