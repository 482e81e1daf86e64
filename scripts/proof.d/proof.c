// proof: fencing, proven with the real daemon.
//
//   cc -O2 -o proof proof.c race.c slow.c table.c -liscsi
//   proof race|slow|table --tgtd PATH --dir DIRECTORY [--rounds N] [--seed N] [--engine uring|aio] ...
//
//   race   a node writes at depth 32 to a unit whose writes are delayed by 0 to --delay ms, another fences
//          it: after the answer nothing of the file changes any more. --control looks from before the fence
//          on, and must find changes.
//   slow   the unit is on --file, a slow medium (slowfs), whose counters are in --status. The daemon is
//          killed with writes under way and started again: no command is served before the last of them
//          has landed, and none lands after the fence.
//   table  the daemon is killed while registrations and reservations change: what is there afterwards is
//          what was answered last, or that and the one change that was under way.
// Exit status 0: all rounds held.
#define _GNU_SOURCE
#include "proof.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TARGET "iqn.2026-11.com.example:disk"

struct options options = {.rounds = 10, .seed = 1, .delay = 500, .cache = "writeback", .engine = "auto"};

static pid_t daemon_pid;
static unsigned short port;
static char portal[32], configuration[512];
static uint64_t random_state;

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fprintf(stderr, "proof: ");
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  if (daemon_pid) kill(daemon_pid, SIGKILL);
  exit(1);
}

uint64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void rest_ms(unsigned ms) {
  struct timespec rest = {ms / 1000, (long)(ms % 1000) * 1000000};
  nanosleep(&rest, NULL);
}

uint32_t pick(uint32_t below) {  // xorshift64*
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return (uint32_t)((random_state * 0x2545f4914f6cdd1d >> 32) % below);
}

void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) fail("memory: %s", strerror(errno));
  return memory;
}

// MARK: The daemon

static unsigned short free_port(void) {
  // Below the ephemeral range, so that no connection takes it meanwhile. Processes begin at places of their own.
  for (unsigned place = (unsigned)getpid() * 97;; place++) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(20000 + place % 12000))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_free = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    if (is_free) return ntohs(address.sin_port);
  }
}

void daemon_configure(const char *file) {
  char state[400];
  port = free_port();
  snprintf(portal, sizeof portal, "127.0.0.1:%u", port);
  snprintf(configuration, sizeof configuration, "%s/targets.json", options.directory);
  snprintf(state, sizeof state, "%s/state", options.directory);
  if (mkdir(state, 0700) < 0 && errno != EEXIST) fail("%s: %s", state, strerror(errno));
  FILE *out = fopen(configuration, "w");
  if (!out) fail("%s: %s", configuration, strerror(errno));
  fprintf(out,
          "{\"portals\": [\"%s\"], \"state\": \"%s\", \"engine\": \"%s\",\n"
          " \"admin\": {\"socket\": \"%s/admin.sock\"},\n"
          " \"stores\": {\"disk\": {\"file\": \"%s\", \"size\": \"4MiB\", \"cache\": \"%s\"}},\n"
          " \"targets\": [{\"name\": \"" TARGET "\", \"luns\": [{\"lun\": 1, \"store\": \"disk\"}],"
          " \"initiators\": \"any\"}]}\n",
          portal, state, options.engine, options.directory, file, options.cache);
  if (fclose(out)) fail("%s: %s", configuration, strerror(errno));
}

bool daemon_runs(void) { return daemon_pid && waitpid(daemon_pid, NULL, WNOHANG) == 0; }

void daemon_start(void) {
  while (waitpid(-1, NULL, WNOHANG) > 0) {}
  daemon_pid = fork();
  if (daemon_pid < 0) fail("fork: %s", strerror(errno));
  if (daemon_pid) return;
  char log[400];
  snprintf(log, sizeof log, "%s/log", options.directory);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0) _exit(126);
  execl(options.tgtd, options.tgtd, "--config", configuration, (char *)NULL);
  _exit(127);
}

void daemon_kill(bool reaps) {
  if (!daemon_pid) return;
  kill(daemon_pid, SIGKILL);
  if (reaps) waitpid(daemon_pid, NULL, 0);
  daemon_pid = 0;
}

// MARK: Sessions

static bool log_in(struct node *node) {
  struct iscsi_context *context = iscsi_create_context(node->name);
  if (!context) fail("no context");
  iscsi_set_targetname(context, TARGET);
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE);
  // The same initiator port each time, so the same nexus.
  iscsi_set_isid_random(context, node->number, 1);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_timeout(context, 30);
  if (iscsi_connect_sync(context, portal) == 0 && iscsi_login_sync(context) == 0) {
    node->context = context;
    return true;
  }
  iscsi_destroy_context(context);
  return false;
}

void node_open(struct node *node, const char *name, uint32_t number) {
  uint64_t end = now_ms() + 20000;
  node->name = name;
  node->number = number;
  while (!log_in(node)) {
    if (now_ms() > end) fail("%s: the daemon takes no login (%s/log)", name, options.directory);
    // It ends by itself while the kernel still holds locks of the one that was killed.
    if (!daemon_runs()) daemon_start();
    rest_ms(10);
  }
}

void node_close(struct node *node) {
  if (!node->context) return;
  iscsi_disconnect(node->context);
  iscsi_destroy_context(node->context);
  node->context = NULL;
}

void pump(struct node **nodes, unsigned count, int ms) {
  struct pollfd polls[8];
  for (unsigned i = 0; i < count; i++) {
    polls[i].fd = nodes[i]->context ? iscsi_get_fd(nodes[i]->context) : -1;
    polls[i].events = (short)(nodes[i]->context ? iscsi_which_events(nodes[i]->context) : 0);
  }
  if (poll(polls, count, ms) < 0 && errno != EINTR) fail("poll: %s", strerror(errno));
  for (unsigned i = 0; i < count; i++)
    if (nodes[i]->context && polls[i].revents)
      iscsi_service(nodes[i]->context, polls[i].revents);
}

void answered(struct iscsi_context *context, int status, void *data, void *private_data) {
  (void)context;
  struct answer *answer = private_data;
  struct scsi_task *task = data;
  answer->status = status;
  answer->done = true;
  if (!task) return;
  if (status == SCSI_STATUS_CHECK_CONDITION) {
    answer->key = (uint8_t)task->sense.key;
    answer->code = (uint16_t)task->sense.ascq;
  }
  answer->count = (size_t)task->datain.size < sizeof answer->data ? (size_t)task->datain.size : sizeof answer->data;
  if (answer->count) memcpy(answer->data, task->datain.data, answer->count);
  scsi_free_scsi_task(task);
}

void finish(struct node *node, struct answer *answer) {
  uint64_t end = now_ms() + 30000;
  while (!answer->done) {
    if (now_ms() > end) fail("%s: a command is not answered", node->name);
    pump(&node, 1, 100);
  }
}

void send_reserve_out(struct node *node, int action, int type, uint64_t key, uint64_t other,
                      struct answer *answer) {
  struct scsi_persistent_reserve_out_basic list = {.reservation_key = key,
                                                   .service_action_reservation_key = other};
  memset(answer, 0, sizeof *answer);
  if (!iscsi_persistent_reserve_out_task(node->context, 1, action, 0, type, &list, answered, answer))
    fail("PERSISTENT RESERVE OUT: %s", iscsi_get_error(node->context));
}

int reserve_out(struct node *node, int action, int type, uint64_t key, uint64_t other) {
  struct answer answer;
  do {
    send_reserve_out(node, action, type, key, other, &answer);
    finish(node, &answer);
  } while (answer.status == SCSI_STATUS_CHECK_CONDITION && answer.key == SCSI_SENSE_UNIT_ATTENTION);
  return answer.status;
}

void reserve_in(struct node *node, int action, struct answer *answer) {
  do {
    memset(answer, 0, sizeof *answer);
    if (!iscsi_persistent_reserve_in_task(node->context, 1, action, 1024, answered, answer))
      fail("PERSISTENT RESERVE IN: %s", iscsi_get_error(node->context));
    finish(node, answer);
  } while (answer->status == SCSI_STATUS_CHECK_CONDITION && answer->key == SCSI_SENSE_UNIT_ATTENTION);
  if (answer->status) fail("PERSISTENT RESERVE IN ends with status %d", answer->status);
}

int test_unit_ready(struct node *node, struct answer *answer) {
  memset(answer, 0, sizeof *answer);
  if (!iscsi_testunitready_task(node->context, 1, answered, answer))
    fail("TEST UNIT READY: %s", iscsi_get_error(node->context));
  finish(node, answer);
  return answer->status;
}

int write_block(struct node *node, uint64_t block, uint8_t byte) {
  struct answer answer;
  uint8_t bytes[512];
  memset(bytes, byte, sizeof bytes);
  do {
    memset(&answer, 0, sizeof answer);
    if (!iscsi_write16_task(node->context, 1, block, bytes, sizeof bytes, 512, 0, 0, 0, 0, 0, answered, &answer))
      fail("WRITE(16): %s", iscsi_get_error(node->context));
    finish(node, &answer);
  } while (answer.status == SCSI_STATUS_CHECK_CONDITION && answer.key == SCSI_SENSE_UNIT_ATTENTION);
  return answer.status;
}

// MARK: The medium

void image_open(struct image *image, const char *path, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail("%s: %s", path, strerror(errno));
  image->size = size;
  image->bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
  if (image->bytes == MAP_FAILED) fail("%s: %s", path, strerror(errno));
  image->copy = allocate(1, size);
  close(fd);
}

void image_copy(struct image *image) { memcpy(image->copy, image->bytes, image->size); }

unsigned image_changes(const struct image *image) {
  unsigned changes = 0;
  for (size_t at = 0; at < image->size; at += 4096)
    changes += memcmp(image->bytes + at, image->copy + at, 4096) != 0;
  return changes;
}

// MARK: Writing

static uint64_t writer_blocks;

static void write_ended(struct iscsi_context *context, int status, void *data, void *private_data) {
  (void)context;
  struct slot *slot = private_data;
  struct writer *writer = slot->writer;
  writer->under_way--;
  if (status == SCSI_STATUS_GOOD) writer->good++;
  if (data) scsi_free_scsi_task(data);
  slot->vector.iov_len = 0;
}

void writer_prepare(struct writer *writer, unsigned depth, uint64_t image_bytes) {
  writer->depth = depth;
  writer_blocks = image_bytes / 4096;
  writer->slots = allocate(depth, sizeof *writer->slots);
  for (unsigned i = 0; i < depth; i++) {
    writer->slots[i].writer = writer;
    writer->slots[i].bytes = allocate(1, 65536);
  }
}

// Every 8 bytes of a write are its stamp: no two writes leave the same behind.
static void submit(struct slot *slot) {
  struct writer *writer = slot->writer;
  uint32_t pieces = 1 + (pick(4) == 0 ? pick(16) : 0);
  uint64_t stamp = ++writer->stamp;
  for (size_t i = 0; i < pieces * 4096; i += 8) memcpy(slot->bytes + i, &stamp, 8);
  slot->vector = (struct scsi_iovec){.iov_base = slot->bytes, .iov_len = pieces * 4096};
  uint64_t piece = pick((uint32_t)(writer_blocks - pieces + 1));
  if (!iscsi_write16_iov_task(writer->node.context, 1, piece * 8, NULL, pieces * 4096, 512, 0, 0, 0, 0, 0,
                              write_ended, slot, &slot->vector, 1))
    fail("WRITE(16): %s", iscsi_get_error(writer->node.context));
  writer->under_way++;
}

void writer_fill(struct writer *writer) {
  for (unsigned i = 0; i < writer->depth && !writer->stopped; i++)
    if (!writer->slots[i].vector.iov_len) submit(&writer->slots[i]);
}

// MARK: Start

static void parse(int argc, char **argv) {
  static const struct option names[] = {
      {"tgtd", 1, 0, 't'}, {"dir", 1, 0, 'd'},   {"rounds", 1, 0, 'r'}, {"seed", 1, 0, 's'},
      {"delay", 1, 0, 'D'}, {"file", 1, 0, 'f'}, {"status", 1, 0, 'S'}, {"cache", 1, 0, 'c'},
      {"engine", 1, 0, 'e'}, {"control", 0, 0, 'C'}, {0, 0, 0, 0}};
  for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
    case 't': options.tgtd = optarg; break;
    case 'd': options.directory = optarg; break;
    case 'r': options.rounds = (unsigned)strtoul(optarg, NULL, 10); break;
    case 's': options.seed = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'D': options.delay = (unsigned)strtoul(optarg, NULL, 10); break;
    case 'f': options.file = optarg; break;
    case 'S': options.status = optarg; break;
    case 'c': options.cache = optarg; break;
    case 'e': options.engine = optarg; break;
    case 'C': options.control = true; break;
    default: exit(2);
  }
  if (!options.tgtd || !options.directory || optind != argc - 1) {
    fprintf(stderr, "usage: see the head of proof.c\n");
    exit(2);
  }
}

int main(int argc, char **argv) {
  parse(argc, argv);
  random_state = 0x9e3779b97f4a7c15 * (options.seed + 1ull);
  signal(SIGPIPE, SIG_IGN);
  const char *which = argv[optind];
  int status = 2;
  if (!strcmp(which, "race")) status = proof_race();
  else if (!strcmp(which, "slow")) status = proof_slow();
  else if (!strcmp(which, "table")) status = proof_table();
  else fprintf(stderr, "proof: no proof \"%s\"\n", which);
  daemon_kill(true);
  return status;
}
