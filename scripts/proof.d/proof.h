// What the proofs with the real daemon have in common: the daemon, sessions, reservations.
#ifndef PROOF_H
#define PROOF_H
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REGISTER = 0, RESERVE = 1, RELEASE = 2, CLEAR = 3, PREEMPT = 4, PREEMPT_AND_ABORT = 5,
       REGISTER_AND_IGNORE = 6 };
enum { CONFLICT = 0x18 };

// What the command line says.
struct options {
  const char *tgtd, *directory, *file, *status, *cache, *engine;
  unsigned rounds, seed, delay;
  bool control;
};
extern struct options options;

// A session of one initiator port with LUN 1.
struct node {
  const char *name;
  uint32_t number;  // of the ISID
  struct iscsi_context *context;
};

// The end of a command.
struct answer {
  bool done;
  int status;
  uint8_t key;       // sense key, if CHECK CONDITION
  uint16_t code;     // ASC and ASCQ
  size_t count;      // data-in
  uint8_t data[1024];
};

_Noreturn void fail(const char *format, ...);
uint64_t now_ms(void);
void rest_ms(unsigned ms);
uint32_t pick(uint32_t below);
void *allocate(size_t count, size_t size);

// The daemon. Configured once; started and killed as often as a proof likes.
void daemon_configure(const char *file);
void daemon_start(void);
void daemon_kill(bool reaps);  // SIGKILL; whether its end is waited for
bool daemon_runs(void);

// Sessions. `node_open` waits until the daemon takes the login.
void node_open(struct node *node, const char *name, uint32_t number);
void node_close(struct node *node);
// Serves the sessions for at most so long.
void pump(struct node **nodes, unsigned count, int ms);

void answered(struct iscsi_context *context, int status, void *data, void *private_data);
void send_reserve_out(struct node *node, int action, int type, uint64_t key, uint64_t other,
                      struct answer *answer);
void finish(struct node *node, struct answer *answer);  // waits for it
// Waited for; a unit attention is taken and the command sent again.
int reserve_out(struct node *node, int action, int type, uint64_t key, uint64_t other);
void reserve_in(struct node *node, int action, struct answer *answer);
int test_unit_ready(struct node *node, struct answer *answer);
// Writes one block; its status, unit attentions taken.
int write_block(struct node *node, uint64_t block, uint8_t byte);

// The file behind the unit, as the page cache has it.
struct image {
  const uint8_t *bytes;
  uint8_t *copy;
  size_t size;
};
void image_open(struct image *image, const char *path, size_t size);
void image_copy(struct image *image);
unsigned image_changes(const struct image *image);  // 4096-byte pieces that differ from the copy

// A session that keeps `depth` writes under way.
struct writer {
  struct node node;
  unsigned depth, under_way;
  uint64_t stamp;
  unsigned long good;
  bool stopped;  // sends nothing more
  struct slot { struct writer *writer; uint8_t *bytes; struct scsi_iovec vector; } *slots;
};
void writer_prepare(struct writer *writer, unsigned depth, uint64_t image_bytes);
void writer_fill(struct writer *writer);

int proof_race(void);
int proof_slow(void);
int proof_table(void);
#endif
