// load: an iSCSI load on libiscsi's asynchronous interface, the same for every target measured.
// One thread keeps DEPTH commands in flight on each of SESSIONS sessions and prints one line of JSON:
// commands, errors, IOPS, MB/s (10^6) and the latency as p50, p99 and the largest, in microseconds.
//
//   cc -O2 -o load load.c -liscsi
//   load --url iscsi://127.0.0.1:3260/IQN/LUN [--write] [--sequential] [--block BYTES] [--depth N]
//        [--seconds S | --count N] [--sessions N] [--idle | --reserve]
//
// --idle logs the sessions in, each under an initiator name of its own, as a target lets one name have few,
// prints "ready" and keeps them until standard input ends.
// --reserve registers every session and reserves the unit (Write Exclusive - Registrants Only) for the first,
// and clears that at the end.
// Exit status: 0 only when every command answered GOOD.
#include <errno.h>
#include <getopt.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct session;

// One command slot: it is in flight from `submit` to `finished`, then used again.
struct slot {
  struct session *session;
  struct scsi_iovec vector;
  uint64_t started;
};

struct session {
  struct iscsi_context *context;
  struct slot *slots;
  uint64_t next;  // block index of the sequential walk
};

static struct {
  const char *url, *initiator;
  uint32_t block, depth, sessions;
  double seconds;
  uint64_t count;
  bool write, sequential, idle, reserve;
} options = {
    .initiator = "iqn.2026-11.com.example:load",
    .block = 4096, .depth = 32, .sessions = 1, .seconds = 2,
};

static int lun;
static uint32_t logical_block;
static uint64_t units;  // of options.block bytes on the LUN
static uint64_t issued, completed, failed, deadline;
static uint32_t *latencies;  // nanoseconds, saturating at 4.29 s
static size_t latency_capacity;
static uint32_t in_flight;
static uint64_t random_state = 0x9e3779b97f4a7c15;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "load: %s: %s\n", what, why);
  exit(1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) fail("memory", strerror(errno));
  return memory;
}

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t next_random(void) {  // xorshift64*: fixed seed, so every round asks for the same blocks
  random_state ^= random_state >> 12;
  random_state ^= random_state << 25;
  random_state ^= random_state >> 27;
  return random_state * 0x2545f4914f6cdd1d;
}

static bool wants_more(void) {
  return options.count ? issued < options.count : now() < deadline;
}

static void submit(struct slot *slot);

static void record(uint64_t nanoseconds) {
  if (completed == latency_capacity) {
    latency_capacity = latency_capacity ? latency_capacity * 2 : 1 << 20;
    latencies = realloc(latencies, latency_capacity * sizeof *latencies);
    if (!latencies) fail("memory", strerror(errno));
  }
  latencies[completed++] = nanoseconds > UINT32_MAX ? UINT32_MAX : (uint32_t)nanoseconds;
}

static void finished(struct iscsi_context *context, int status, void *data, void *private_data) {
  struct slot *slot = private_data;
  struct scsi_task *task = data;
  in_flight--;
  record(now() - slot->started);
  if (status != SCSI_STATUS_GOOD) {
    if (!failed++) fprintf(stderr, "load: first failure: status %d: %s\n", status, iscsi_get_error(context));
  }
  scsi_free_scsi_task(task);
  if (status != SCSI_STATUS_CANCELLED && wants_more()) submit(slot);
}

static void submit(struct slot *slot) {
  struct session *session = slot->session;
  uint64_t unit = options.sequential ? session->next++ % units : next_random() % units;
  uint64_t address = unit * (options.block / logical_block);
  slot->started = now();
  struct scsi_task *task =
      options.write
          ? iscsi_write16_iov_task(session->context, lun, address, NULL, options.block, (int)logical_block,
                                   0, 0, 0, 0, 0, finished, slot, &slot->vector, 1)
          : iscsi_read16_iov_task(session->context, lun, address, options.block, (int)logical_block,
                                  0, 0, 0, 0, 0, finished, slot, &slot->vector, 1);
  if (!task) fail("submit", iscsi_get_error(session->context));
  issued++;
  in_flight++;
}

static void log_in(struct session *session, uint32_t number) {
  char name[224];  // RFC 7143 §4.2.7.1: 223 bytes at most
  snprintf(name, sizeof name, options.idle ? "%s:%u" : "%s", options.initiator, number);
  struct iscsi_context *context = iscsi_create_context(name);
  if (!context) fail("context", "none created");
  struct iscsi_url *url = iscsi_parse_full_url(context, options.url);
  if (!url) fail(options.url, iscsi_get_error(context));
  iscsi_set_targetname(context, url->target);
  iscsi_set_session_type(context, ISCSI_SESSION_NORMAL);
  iscsi_set_header_digest(context, ISCSI_HEADER_DIGEST_NONE);
  iscsi_set_noautoreconnect(context, 1);
  iscsi_set_timeout(context, 30);
  if (*url->user) iscsi_set_initiator_username_pwd(context, url->user, url->passwd);
  lun = url->lun;
  if (iscsi_full_connect_sync(context, url->portal, lun)) fail("login", iscsi_get_error(context));
  iscsi_destroy_url(url);
  session->context = context;
}

static void measure_unit(struct iscsi_context *context) {
  struct scsi_task *task = iscsi_readcapacity16_sync(context, lun);
  if (!task || task->status != SCSI_STATUS_GOOD) fail("READ CAPACITY(16)", iscsi_get_error(context));
  struct scsi_readcapacity16 *capacity = scsi_datain_unmarshall(task);
  if (!capacity) fail("READ CAPACITY(16)", "malformed");
  logical_block = capacity->block_length;
  units = (capacity->returned_lba + 1) * logical_block / options.block;
  scsi_free_scsi_task(task);
  if (!units || options.block % logical_block) fail("--block", "does not fit the logical unit");
}

static void serve(struct session *sessions, struct pollfd *polls, int timeout) {
  for (uint32_t i = 0; i < options.sessions; i++) {
    polls[i].fd = iscsi_get_fd(sessions[i].context);
    polls[i].events = (short)iscsi_which_events(sessions[i].context);
  }
  // One more entry watches standard input while idle.
  if (poll(polls, options.sessions + (options.idle ? 1 : 0), timeout) < 0 && errno != EINTR)
    fail("poll", strerror(errno));
  for (uint32_t i = 0; i < options.sessions; i++)
    if (polls[i].revents && iscsi_service(sessions[i].context, polls[i].revents) < 0)
      fail("connection", iscsi_get_error(sessions[i].context));
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void report(double elapsed) {
  qsort(latencies, completed, sizeof *latencies, ascending);
  double p50 = completed ? latencies[completed / 2] / 1e3 : 0;
  double p99 = completed ? latencies[completed - 1 - completed / 100] / 1e3 : 0;
  double top = completed ? latencies[completed - 1] / 1e3 : 0;
  double iops = (double)completed / elapsed;
  printf("{\"commands\": %llu, \"errors\": %llu, \"seconds\": %.3f, \"iops\": %.0f, \"mb_per_s\": %.1f, "
         "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f}\n",
         (unsigned long long)completed, (unsigned long long)failed, elapsed, iops,
         iops * options.block / 1e6, p50, p99, top);
}

static void parse(int argc, char **argv) {
  static const struct option names[] = {
      {"url", 1, 0, 'u'},     {"initiator", 1, 0, 'i'}, {"write", 0, 0, 'w'},
      {"sequential", 0, 0, 'q'}, {"block", 1, 0, 'b'},  {"depth", 1, 0, 'd'},
      {"seconds", 1, 0, 's'}, {"count", 1, 0, 'c'},     {"sessions", 1, 0, 'n'},
      {"idle", 0, 0, 'I'},   {"reserve", 0, 0, 'r'},    {0, 0, 0, 0}};
  for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
    case 'u': options.url = optarg; break;
    case 'i': options.initiator = optarg; break;
    case 'w': options.write = true; break;
    case 'q': options.sequential = true; break;
    case 'b': options.block = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 'd': options.depth = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 's': options.seconds = strtod(optarg, NULL); break;
    case 'c': options.count = strtoull(optarg, NULL, 10); break;
    case 'n': options.sessions = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 'I': options.idle = true; break;
    case 'r': options.reserve = true; break;
    default: exit(2);
  }
  if (!options.url || !options.block || !options.depth || !options.sessions) {
    fprintf(stderr, "usage: see the head of load.c\n");
    exit(2);
  }
}

static void persistent_reserve_out(struct session *session, int action, uint64_t key, uint64_t new_key) {
  struct scsi_persistent_reserve_out_basic list = {
      .reservation_key = key, .service_action_reservation_key = new_key};
  struct scsi_task *task = iscsi_persistent_reserve_out_sync(
      session->context, lun, action, SCSI_PERSISTENT_RESERVE_SCOPE_LU,
      SCSI_PERSISTENT_RESERVE_TYPE_WRITE_EXCLUSIVE_REGISTRANTS_ONLY, &list);
  if (!task || task->status != SCSI_STATUS_GOOD) fail("PERSISTENT RESERVE OUT", iscsi_get_error(session->context));
  scsi_free_scsi_task(task);
}

static void reserve(struct session *sessions) {
  for (uint32_t i = 0; i < options.sessions; i++)
    persistent_reserve_out(&sessions[i], SCSI_PERSISTENT_RESERVE_REGISTER_AND_IGNORE_EXISTING_KEY, 0, i + 1);
  persistent_reserve_out(sessions, SCSI_PERSISTENT_RESERVE_RESERVE, 1, 0);
}

static void stay_idle(struct session *sessions, struct pollfd *polls) {
  polls[options.sessions] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
  puts("ready");
  fflush(stdout);
  for (char byte;;) {
    serve(sessions, polls, -1);
    if (polls[options.sessions].revents && read(STDIN_FILENO, &byte, 1) <= 0) return;
  }
}

static void run(struct session *sessions, struct pollfd *polls) {
  uint64_t start = now();
  deadline = start + (uint64_t)(options.seconds * 1e9);
  for (uint32_t i = 0; i < options.sessions; i++)
    for (uint32_t j = 0; j < options.depth && wants_more(); j++) submit(&sessions[i].slots[j]);
  while (in_flight) {
    serve(sessions, polls, 1000);
    if (now() > start + 60000000000 + (uint64_t)(options.seconds * 1e9)) fail("run", "no answer for a minute");
  }
  report((double)(now() - start) / 1e9);
}

int main(int argc, char **argv) {
  parse(argc, argv);
  struct rlimit files = {options.sessions + 64, options.sessions + 64}, held;
  if (!getrlimit(RLIMIT_NOFILE, &held) && held.rlim_cur < files.rlim_cur) {
    if (held.rlim_max > files.rlim_max) files.rlim_max = held.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  struct session *sessions = allocate(options.sessions, sizeof *sessions);
  struct pollfd *polls = allocate(options.sessions + 1, sizeof *polls);
  for (uint32_t i = 0; i < options.sessions; i++) {
    log_in(&sessions[i], i);
    if (!i) measure_unit(sessions[i].context);
    if (options.idle) continue;
    sessions[i].next = units / options.sessions * i;
    sessions[i].slots = allocate(options.depth, sizeof(struct slot));
    for (uint32_t j = 0; j < options.depth; j++) {
      struct slot *slot = &sessions[i].slots[j];
      slot->session = &sessions[i];
      slot->vector = (struct scsi_iovec){.iov_base = allocate(1, options.block), .iov_len = options.block};
      memset(slot->vector.iov_base, (int)(next_random() & 0xff), options.block);
    }
  }
  if (options.reserve) reserve(sessions);
  if (options.idle) stay_idle(sessions, polls);
  else run(sessions, polls);
  if (options.reserve) persistent_reserve_out(sessions, SCSI_PERSISTENT_RESERVE_CLEAR, 1, 0);
  for (uint32_t i = 0; i < options.sessions; i++) {
    iscsi_logout_sync(sessions[i].context);
    iscsi_destroy_context(sessions[i].context);
  }
  return failed ? 1 : 0;
}
