// Writes that outlive the daemon that sent them.
#include "proof.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct writer writer;
static struct node fencer;
static unsigned outliving, waited, late_rounds;

static void counters(unsigned long *begun, unsigned long *landed) {
  FILE *in = fopen(options.status, "r");
  if (!in || fscanf(in, "%lu %lu", begun, landed) != 2) fail("%s: %s", options.status, strerror(errno));
  fclose(in);
}

static unsigned long on_the_way(void) {
  unsigned long begun, landed;
  counters(&begun, &landed);
  return begun - landed;
}

// The first GOOD of the daemon that was started again.
static void wait_until_ready(unsigned round) {
  struct answer answer;
  bool was_not_ready = false;
  uint64_t end = now_ms() + 30000;
  for (;;) {
    if (test_unit_ready(&fencer, &answer) == SCSI_STATUS_GOOD) break;
    if (answer.status != SCSI_STATUS_CHECK_CONDITION) fail("round %u: status %d", round, answer.status);
    was_not_ready |= answer.key == SCSI_SENSE_NOT_READY;
    if (now_ms() > end) fail("round %u: the unit does not become ready", round);
    rest_ms(2);
  }
  unsigned long left = on_the_way();
  if (left) fail("round %u: the unit is ready while %lu writes of the killed daemon have not landed", round, left);
  waited += was_not_ready;
}

static void run(unsigned round) {
  const uint64_t own = 0xB000, other = 0xA000 + round;
  node_open(&writer.node, "iqn.2026-11.com.example:writer", 1);
  for (unsigned i = 0; i < writer.depth; i++) writer.slots[i].vector.iov_len = 0;
  writer.under_way = 0;
  if (reserve_out(&writer.node, REGISTER_AND_IGNORE, 0, 0, other)) fail("the writer cannot register");
  struct node *nodes[] = {&writer.node};
  // However long they take to the medium, some are on the way there.
  for (uint64_t end = now_ms() + 60 + pick(200); now_ms() < end || !on_the_way();) {
    if (now_ms() > end + 20000) fail("round %u: no write reaches the medium", round);
    writer_fill(&writer);
    pump(nodes, 1, 10);
  }
  unsigned long before = on_the_way();
  // Every second time the next one is started while the kernel still takes the killed one apart.
  daemon_kill(round % 2 == 0);
  unsigned long after = on_the_way();
  outliving += after > 0;
  daemon_start();
  node_close(&writer.node);
  node_close(&fencer);
  node_open(&fencer, "iqn.2026-11.com.example:fencer", 2);
  wait_until_ready(round);
  // The killed daemon's registrations are there: else there would be nothing to preempt.
  int status = reserve_out(&fencer, PREEMPT_AND_ABORT, 5, own, other);
  if (status) fail("round %u: the fence ends with status %d (%lu writes before the kill)", round, status, before);
  unsigned long begun, landed, begun_later, landed_later;
  counters(&begun, &landed);
  rest_ms(options.delay + 50);
  counters(&begun_later, &landed_later);
  if (begun_later != begun || landed_later != landed || begun != landed) late_rounds++;
  node_open(&writer.node, "iqn.2026-11.com.example:writer", 1);
  if ((status = write_block(&writer.node, 0, 1)) != CONFLICT)
    fail("round %u: the fenced node's write ends with status %d", round, status);
  node_close(&writer.node);
}

int proof_slow(void) {
  daemon_configure(options.file);
  daemon_start();
  writer_prepare(&writer, 8, 4 << 20);
  node_open(&fencer, "iqn.2026-11.com.example:fencer", 2);
  struct answer answer;
  while (test_unit_ready(&fencer, &answer)) rest_ms(10);
  if (reserve_out(&fencer, REGISTER_AND_IGNORE, 0, 0, 0xB000) || reserve_out(&fencer, RESERVE, 5, 0xB000, 0))
    fail("the fencer cannot reserve");
  for (unsigned round = 0; round < options.rounds; round++) run(round);
  printf("%u rounds, in %u of them writes outlived the daemon, in %u the next one was not ready at first, "
         "in %u a write landed after the fence\n", options.rounds, outliving, waited, late_rounds);
  // A medium on which nothing outlives its process proves nothing.
  return late_rounds > 0 || outliving < options.rounds / 2;
}
