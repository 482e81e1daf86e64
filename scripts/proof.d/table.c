// Registrations and reservations through kill -9.
#include "proof.h"
#include <stdio.h>
#include <string.h>

enum { NODES = 3 };

// What a unit's reservations are. A key tells by its top byte whose it is.
struct table {
  uint64_t keys[NODES];
  int holder;  // -1: nobody
  int type;
};

static struct node nodes[NODES];
static const char *const names[NODES] = {"iqn.2026-11.com.example:n0", "iqn.2026-11.com.example:n1",
                                         "iqn.2026-11.com.example:n2"};
static const int types[] = {1, 3, 5, 6};
static uint64_t serial;
static unsigned old_rounds, new_rounds;
static unsigned long changes;

static void leave(struct table *table, int node) {
  table->keys[node] = 0;
  if (table->holder == node) table->holder = -1, table->type = 0;
}

// A change that the unit accepts, made in `table` and sent.
static void change(struct table *table, struct answer *answer, int *sender) {
  for (;;) {
    int node = (int)pick(NODES), other = (int)pick(NODES), type = types[pick(4)];
    uint64_t key = table->keys[node];
    *sender = node;
    switch (key ? pick(8) : 0) {
    case 0: case 1: {
      uint64_t fresh = (uint64_t)(node + 1) << 56 | ++serial;
      table->keys[node] = fresh;
      return send_reserve_out(&nodes[node], REGISTER_AND_IGNORE, 0, 0, fresh, answer);
    }
    case 2:
      leave(table, node);
      return send_reserve_out(&nodes[node], REGISTER_AND_IGNORE, 0, 0, 0, answer);
    case 3: case 4:
      if (table->holder >= 0) continue;
      table->holder = node, table->type = type;
      return send_reserve_out(&nodes[node], RESERVE, type, key, 0, answer);
    case 5:
      if (table->holder != node) continue;
      type = table->type;
      table->holder = -1, table->type = 0;
      return send_reserve_out(&nodes[node], RELEASE, type, key, 0, answer);
    case 6: {
      uint64_t victim = table->keys[other];
      if (other == node || !victim) continue;
      if (table->holder == other) table->holder = node, table->type = type;
      table->keys[other] = 0;
      return send_reserve_out(&nodes[node], pick(2) ? PREEMPT : PREEMPT_AND_ABORT, type, key, victim, answer);
    }
    default:
      if (pick(3)) continue;
      *table = (struct table){.holder = -1};
      return send_reserve_out(&nodes[node], CLEAR, 0, key, 0, answer);
    }
  }
}

static uint64_t number(const uint8_t *bytes, unsigned count) {
  uint64_t value = 0;
  while (count--) value = value << 8 | *bytes++;
  return value;
}

static void look(struct table *table) {
  struct answer answer;
  *table = (struct table){.holder = -1};
  reserve_in(&nodes[0], 0, &answer);
  uint64_t length = answer.count < 8 ? 0 : number(answer.data + 4, 4);
  for (size_t at = 8; at + 8 <= answer.count && at < 8 + length; at += 8) {
    uint64_t key = number(answer.data + at, 8);
    unsigned node = (unsigned)(key >> 56) - 1;
    if (node >= NODES || table->keys[node]) fail("a key that nobody has registered: %llx", (unsigned long long)key);
    table->keys[node] = key;
  }
  reserve_in(&nodes[0], 1, &answer);
  if (answer.count < 24 || number(answer.data + 4, 4) == 0) return;
  table->holder = (int)(number(answer.data + 8, 8) >> 56) - 1;
  table->type = answer.data[21] & 0x0F;
}

static bool same(const struct table *a, const struct table *b) {
  return !memcmp(a->keys, b->keys, sizeof a->keys) && a->holder == b->holder && a->type == b->type;
}

static void show(const char *what, const struct table *table) {
  fprintf(stderr, "  %s: %llx %llx %llx, holder %d, type %d\n", what, (unsigned long long)table->keys[0],
          (unsigned long long)table->keys[1], (unsigned long long)table->keys[2], table->holder, table->type);
}

static void log_in_all(void) {
  for (unsigned i = 0; i < NODES; i++) {
    node_open(&nodes[i], names[i], i + 1);
    // Power on and what else has happened are told of now, and not to a change.
    struct answer answer;
    while (test_unit_ready(&nodes[i], &answer)) rest_ms(5);
  }
}

// One change, with its unit attentions taken first: a change is sent once.
static void begin(struct table *table, struct answer *answer, int *sender) {
  struct answer ready;
  for (unsigned i = 0; i < NODES; i++)
    while (test_unit_ready(&nodes[i], &ready)) {}
  change(table, answer, sender);
}

static void run(unsigned round, struct table *table) {
  struct table next = *table;
  struct answer answer;
  int sender;
  for (unsigned left = pick(12); left; left--) {
    begin(&next, &answer, &sender);
    finish(&nodes[sender], &answer);
    if (answer.status) fail("round %u: a change ends with status %d, sense %x/%04x", round, answer.status, answer.key, answer.code);
    *table = next;
    changes++;
  }
  begin(&next, &answer, &sender);
  struct node *node = &nodes[sender];
  // Long enough for some to be answered, short enough for some not to be.
  pump(&node, 1, 0);
  if (pick(4)) for (uint32_t spins = pick(40); spins && !answer.done; spins--) pump(&node, 1, pick(8) == 0);
  daemon_kill(true);
  bool acknowledged = answer.done && answer.status == 0;
  // The sessions go before the answer that they could still write to.
  for (unsigned i = 0; i < NODES; i++) node_close(&nodes[i]);
  if (acknowledged) *table = next;
  daemon_start();
  log_in_all();
  struct table found;
  look(&found);
  bool is_old = same(&found, table), is_new = same(&found, &next);
  if (!is_old && !is_new) {
    show("answered", table);
    show("under way", &next);
    show("found", &found);
    fail("round %u: the table is neither", round);
  }
  old_rounds += is_old && !acknowledged;
  new_rounds += is_new && !acknowledged;
  *table = found;
}

int proof_table(void) {
  char file[400];
  struct table table = {.holder = -1};
  snprintf(file, sizeof file, "%s/disk.img", options.directory);
  daemon_configure(file);
  daemon_start();
  log_in_all();
  for (unsigned round = 0; round < options.rounds; round++) run(round, &table);
  printf("%u rounds, %lu changes answered; without an answer %u changes were lost and %u kept\n", options.rounds,
         changes, old_rounds, new_rounds);
  // Nothing is proven by kills that never met a change.
  return options.rounds >= 20 && old_rounds + new_rounds == 0;
}
