// digests: an iSCSI load that can have both digests, which libiscsi 1.19 cannot (RFC 7143, 6.1).
// One thread and one session keep DEPTH commands in flight. It checks every digest it receives and
// makes every digest it sends; without --digests it touches no data it received. The output is the
// line of JSON that load.c prints, with the number of digests checked and this client's own processor time for one
// command: where it fills a processor, the load measures the client's digests, not the target's.
//
//   cc -O2 -o digests digests.c -lisal
//   digests --url iscsi://127.0.0.1:3260/IQN/LUN [--digests] [--write] [--sequential]
//           [--block BYTES] [--depth N] [--seconds S] [--verify]
//
// --verify writes a pattern of its own over the first 64 MiB and reads it back, instead of a load.
// Exit status: 0 only when every command answered GOOD and every digest and number was right.
#include <endian.h>
#include <errno.h>
#include <getopt.h>
#include <isa-l/crc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
  header_size = 48,
  digest_size = 4,
  segment_size = 262144,  // MaxRecvDataSegmentLength, MaxBurstLength and FirstBurstLength offered
  verified_size = 64 << 20,
  timeout_seconds = 60,
};

enum opcode {
  scsi_command = 0x01, data_out = 0x05,
  nop_out_immediate = 0x40, login_request = 0x43, logout_request = 0x46,
  nop_in = 0x20, scsi_response = 0x21, login_response = 0x23, data_in = 0x25,
  logout_response = 0x26, ready_to_transfer = 0x31,
};

static const uint32_t reserved_tag = 0xffffffff;

// One command slot; its index is the Initiator Task Tag of its commands.
struct slot {
  uint8_t *buffer;
  uint8_t cdb[16];
  uint64_t started, address;  // in bytes on the logical unit
  uint32_t length;            // Expected Data Transfer Length
  uint32_t received, data_sn, r2t_sn;
  bool write, keep, busy;     // keep: Data-In goes into the buffer
  uint8_t status;
};

// A PDU to send. The data stays where it is until the PDU is out.
struct frame {
  const uint8_t *data;
  uint32_t length;
  uint8_t header[header_size + digest_size], trailer[digest_size];
};

static struct {
  char host[256], port[16], target[256];
  uint32_t lun, block, depth;
  double seconds;
  bool digests, write, sequential, verify;
} options = {.block = 4096, .depth = 32, .seconds = 2};

static struct {
  int socket;
  bool digests;  // in effect: from the first PDU of the full-feature phase
  uint32_t cmd_sn, max_cmd_sn, exp_stat_sn;
  uint32_t max_send, first_burst, max_burst;
  bool initial_r2t, immediate_data, logged_out;
  uint64_t checked;
} session = {.cmd_sn = 1, .max_send = 8192, .first_burst = 65536, .max_burst = 262144,
             .initial_r2t = true, .immediate_data = true};

static struct {
  struct frame *frames;
  size_t head, tail, capacity, sent;  // sent: bytes of the frame at head
} output;

static struct {
  enum { in_header, in_data, in_digest } stage;
  uint8_t header[header_size + digest_size], digest[digest_size];
  uint32_t have;                    // bytes of the header or of the digest
  uint32_t length, padded, offset;  // of the data segment
  uint32_t crc;
  uint8_t *keep;                    // where the data segment goes, if anywhere
  uint32_t room;
} input;

static struct slot *slots, **waiting;
static uint32_t slot_count, waiting_count, in_flight;
static uint8_t sense[256], input_buffer[segment_size];
static uint32_t logical_block;
static uint64_t units, next_unit, issued, limit, completed, failed, deadline, salt;
static uint32_t *latencies;  // nanoseconds, saturating at 4.29 s
static size_t latency_capacity;
static bool running;
static uint64_t random_state = 0x9e3779b97f4a7c15;

static void fail(const char *what, const char *why) {
  fprintf(stderr, "digests: %s: %s\n", what, why);
  exit(1);
}

static void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) fail("memory", strerror(errno));
  return memory;
}

static void *grow(void *memory, size_t *capacity, size_t size) {
  *capacity = *capacity ? *capacity * 2 : 1024;
  memory = realloc(memory, *capacity * size);
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

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

static uint32_t get32(const uint8_t *p) {
  uint32_t v;
  memcpy(&v, p, sizeof v);
  return be32toh(v);
}

static void put32(uint8_t *p, uint32_t v) {
  v = htobe32(v);
  memcpy(p, &v, sizeof v);
}

static void put64(uint8_t *p, uint64_t v) {
  put32(p, (uint32_t)(v >> 32));
  put32(p + 4, (uint32_t)v);
}

// MARK: Digests

static uint32_t crc(const uint8_t *bytes, uint32_t length, uint32_t state) {
  return crc32_iscsi((unsigned char *)bytes, (int)length, state);
}

// The digest is the complement of the state, its least significant byte first.
static void put_digest(uint8_t *p, uint32_t state) {
  state = htole32(~state);
  memcpy(p, &state, sizeof state);
}

static void check_digest(const char *what, const uint8_t *received, uint32_t state) {
  uint8_t right[digest_size];
  put_digest(right, state);
  if (memcmp(received, right, sizeof right)) fail(what, "wrong digest");
  session.checked++;
}

// RFC 7143, Appendix A: 32 bytes of zeros.
static void check_crc(void) {
  static const uint8_t zeros[32], right[] = {0xaa, 0x36, 0x91, 0x8a};
  uint8_t digest[digest_size];
  put_digest(digest, crc(zeros, sizeof zeros, ~0u));
  if (memcmp(digest, right, sizeof right)) fail("CRC32C", "the library computes something else");
}

// MARK: Sending

// The data has a length that needs no padding: all of it is whole logical blocks.
static void queue(const uint8_t *header, const uint8_t *data, uint32_t length) {
  if (output.tail == output.capacity)
    output.frames = grow(output.frames, &output.capacity, sizeof *output.frames);
  struct frame *frame = &output.frames[output.tail++];
  memcpy(frame->header, header, header_size);
  put32(frame->header + 4, length);  // TotalAHSLength is zero
  frame->data = data;
  frame->length = length;
  if (!session.digests) return;
  put_digest(frame->header + header_size, crc(frame->header, header_size, ~0u));
  if (length) put_digest(frame->trailer, crc(data, length, ~0u));
}

static void part(struct iovec *vector, size_t *count, const void *base, size_t size, size_t *skip) {
  if (*skip >= size) {
    *skip -= size;
    return;
  }
  vector[(*count)++] = (struct iovec){(uint8_t *)base + *skip, size - *skip};
  *skip = 0;
}

// Sends what the socket takes; the rest waits for the next call.
static void flush(void) {
  const size_t digest = session.digests ? digest_size : 0;
  while (output.head < output.tail) {
    struct iovec vector[768];
    size_t count = 0, skip = output.sent;
    for (size_t i = output.head; i < output.tail && count + 3 <= 768; i++) {
      struct frame *frame = &output.frames[i];
      part(vector, &count, frame->header, header_size + digest, &skip);
      if (!frame->length) continue;
      part(vector, &count, frame->data, frame->length, &skip);
      if (digest) part(vector, &count, frame->trailer, digest, &skip);
    }
    struct msghdr message = {.msg_iov = vector, .msg_iovlen = count};
    ssize_t n = sendmsg(session.socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && errno != EINTR) fail("send", strerror(errno));
    output.sent += n > 0 ? (size_t)n : 0;
    while (output.head < output.tail) {
      uint32_t length = output.frames[output.head].length;
      size_t size = header_size + digest + (length ? length + digest : 0);
      if (output.sent < size) break;
      output.sent -= size;
      output.head++;
    }
  }
  output.head = output.tail = 0;
}

static void put_lun(uint8_t *p) {
  p[0] = options.lun < 256 ? 0 : (uint8_t)(0x40 | options.lun >> 8);
  p[1] = (uint8_t)options.lun;
}

// One sequence of Data-Out PDUs: the answer to an R2T, or what remains of the first burst.
static void send_data(struct slot *slot, const uint8_t *lun, uint32_t transfer_tag, uint32_t offset,
                      uint32_t length) {
  for (uint32_t number = 0, size; length; number++, offset += size, length -= size) {
    size = least(length, session.max_send);
    uint8_t header[header_size] = {data_out, size == length ? 0x80 : 0};
    memcpy(header + 8, lun, 8);
    put32(header + 16, (uint32_t)(slot - slots));
    put32(header + 20, transfer_tag);
    put32(header + 28, session.exp_stat_sn);
    put32(header + 36, number);
    put32(header + 40, offset);
    queue(header, slot->buffer + offset, size);
  }
}

static void send_command(struct slot *slot) {
  uint32_t burst = slot->write ? least(slot->length, session.first_burst) : 0;
  uint32_t immediate = session.immediate_data ? least(burst, session.max_send) : 0;
  uint32_t unsolicited = session.initial_r2t ? 0 : burst - immediate;
  uint8_t header[header_size] = {scsi_command, unsolicited ? 0x01 : 0x81};  // SIMPLE
  if (slot->length) header[1] |= slot->write ? 0x20 : 0x40;
  put_lun(header + 8);
  put32(header + 16, (uint32_t)(slot - slots));
  put32(header + 20, slot->length);
  put32(header + 24, session.cmd_sn++);
  put32(header + 28, session.exp_stat_sn);
  memcpy(header + 32, slot->cdb, sizeof slot->cdb);
  slot->received = slot->data_sn = slot->r2t_sn = 0;
  slot->busy = true;
  slot->started = now();
  in_flight++;
  queue(header, slot->buffer, immediate);
  send_data(slot, header + 8, reserved_tag, immediate, unsolicited);
}

static bool window_open(void) { return (int32_t)(session.max_cmd_sn - session.cmd_sn) >= 0; }

// Sends the command now, or when the target's command window opens (RFC 7143, 4.2.2.1).
static void start(struct slot *slot) {
  if (window_open()) send_command(slot);
  else waiting[waiting_count++] = slot;
}

// MARK: The load

static void pattern(uint8_t *bytes, uint64_t address, uint32_t length) {
  for (uint32_t i = 0; i < length; i += 8) {
    uint64_t word = (address + i + salt) * 0x9e3779b97f4a7c15;
    memcpy(bytes + i, &word, sizeof word);
  }
}

static void check_pattern(const struct slot *slot) {
  static uint8_t *right;
  if (!right) right = allocate(1, options.block);
  pattern(right, slot->address, slot->length);
  if (memcmp(right, slot->buffer, slot->length)) fail("--verify", "read something else than was written");
}

static bool wants_more(void) { return options.verify ? issued < limit : now() < deadline; }

static void submit(struct slot *slot) {
  uint64_t unit = options.sequential ? next_unit++ % units : next_random() % units;
  slot->address = unit * options.block;
  slot->length = options.block;
  slot->write = options.write;
  slot->keep = options.verify;
  slot->cdb[0] = options.write ? 0x8a : 0x88;
  put64(slot->cdb + 2, slot->address / logical_block);
  put32(slot->cdb + 10, options.block / logical_block);
  if (options.verify && options.write) pattern(slot->buffer, slot->address, slot->length);
  issued++;
  start(slot);
}

static void finished(struct slot *slot, uint8_t status) {
  slot->busy = false;
  slot->status = status;
  in_flight--;
  if (!running) return;
  if (completed == latency_capacity) latencies = grow(latencies, &latency_capacity, sizeof *latencies);
  uint64_t taken = now() - slot->started;
  latencies[completed++] = taken > UINT32_MAX ? UINT32_MAX : (uint32_t)taken;
  if (status && !failed++) fprintf(stderr, "digests: first failure: status %02xh\n", status);
  if (!status && !slot->write && slot->received != slot->length) fail("Data-In", "too little data");
  if (!status && !slot->write && options.verify) check_pattern(slot);
  if (wants_more()) submit(slot);
}

// MARK: Receiving

static struct slot *addressed(const uint8_t *header) {
  uint32_t tag = get32(header + 16);
  if (tag >= slot_count || !slots[tag].busy) fail("PDU", "its Initiator Task Tag is not in use");
  return &slots[tag];
}

static void take_status_number(const uint8_t *header) {
  if (get32(header + 24) != session.exp_stat_sn) fail("StatSN", "out of order");
  session.exp_stat_sn++;
}

// Takes the header of a data segment, before its data.
static void begin_data(void) {
  const uint8_t *header = input.header;
  input.keep = NULL;
  if (header[0] == scsi_response) {
    input.keep = sense;
    input.room = sizeof sense;
  } else if (header[0] == data_in) {
    struct slot *slot = addressed(header);
    if (slot->write || get32(header + 36) != slot->data_sn++) fail("Data-In", "DataSN out of order");
    if (get32(header + 40) != slot->received) fail("Data-In", "Buffer Offset out of order");
    if (input.length > slot->length - slot->received) fail("Data-In", "more than was asked for");
    input.keep = slot->keep ? slot->buffer + slot->received : NULL;
    input.room = input.length;
    slot->received += input.length;
  }
}

static void answer_transfer(const uint8_t *header) {
  struct slot *slot = addressed(header);
  uint32_t offset = get32(header + 40), length = get32(header + 44);
  if (!slot->write || get32(header + 36) != slot->r2t_sn++) fail("R2T", "R2TSN out of order");
  if (!length || length > session.max_burst || offset > slot->length || length > slot->length - offset)
    fail("R2T", "asks for data there is not");
  send_data(slot, header + 8, get32(header + 20), offset, length);
}

static void answer_ping(const uint8_t *ping) {
  if (get32(ping + 20) == reserved_tag) return;
  uint8_t header[header_size] = {nop_out_immediate, 0x80};
  memcpy(header + 8, ping + 8, 8);
  put32(header + 16, reserved_tag);
  memcpy(header + 20, ping + 20, 4);
  put32(header + 24, session.cmd_sn);
  put32(header + 28, session.exp_stat_sn);
  queue(header, NULL, 0);
}

// Takes a whole PDU.
static void dispatch(void) {
  const uint8_t *header = input.header;
  uint32_t max_cmd_sn = get32(header + 32);
  if ((int32_t)(max_cmd_sn - session.max_cmd_sn) > 0) session.max_cmd_sn = max_cmd_sn;
  switch (header[0]) {
    case data_in:
      if (!(header[1] & 0x01)) return;  // no status in it
      if (header[1] & 0x06) fail("Data-In", "a residual");
      take_status_number(header);
      finished(addressed(header), header[3]);
      return;
    case scsi_response:
      if (header[2]) fail("SCSI Response", "target failure");
      if (!header[3] && header[1] & 0x1e) fail("SCSI Response", "a residual");
      take_status_number(header);
      finished(addressed(header), header[3]);
      return;
    case ready_to_transfer: answer_transfer(header); return;
    case nop_in: answer_ping(header); return;
    case logout_response:
      take_status_number(header);
      if (header[2]) fail("logout", "refused");
      session.logged_out = true;
      return;
    default: fail("PDU", "unexpected opcode");
  }
}

static void header_complete(void) {
  const uint8_t *header = input.header;
  if (session.digests) check_digest("header", header + header_size, crc(header, header_size, ~0u));
  if (header[4]) fail("PDU", "an additional header segment");
  input.length = get32(header + 4) & 0xffffff;
  input.padded = (input.length + 3) & ~3u;
  if (input.length > segment_size) fail("PDU", "longer than MaxRecvDataSegmentLength");
  input.have = input.offset = 0;
  input.crc = ~0u;
  if (input.padded) {
    begin_data();
    input.stage = in_data;
  } else {
    dispatch();
  }
}

static void data_complete(void) {
  input.have = 0;
  input.stage = in_header;
  dispatch();
}

// Takes bytes of a data segment while they are still in the cache of the processor.
static void take_data(const uint8_t *bytes, uint32_t count) {
  if (session.digests) input.crc = crc(bytes, count, input.crc);
  if (input.keep && input.offset < input.room)
    memcpy(input.keep + input.offset, bytes, least(count, input.room - input.offset));
  input.offset += count;
  if (input.offset < input.padded) return;
  if (session.digests) input.stage = in_digest;
  else data_complete();
}

static uint32_t gather(uint8_t *to, uint32_t need, const uint8_t *bytes, uint32_t count) {
  count = least(count, need - input.have);
  memcpy(to + input.have, bytes, count);
  input.have += count;
  return count;
}

static void consume(const uint8_t *bytes, uint32_t count) {
  const uint32_t whole = header_size + (session.digests ? digest_size : 0);
  for (uint32_t taken = 0; count; bytes += taken, count -= taken) switch (input.stage) {
    case in_header:
      taken = gather(input.header, whole, bytes, count);
      if (input.have == whole) header_complete();
      break;
    case in_data:
      taken = least(count, input.padded - input.offset);
      take_data(bytes, taken);
      break;
    case in_digest:
      taken = gather(input.digest, digest_size, bytes, count);
      if (input.have < digest_size) break;
      check_digest("data", input.digest, input.crc);
      data_complete();
      break;
  }
}

// Sends what is queued, waits for the target and takes what it sent. No poll unless the socket is
// full: a target that waits for us to read must not meet us waiting for it to read.
static void turn(void) {
  flush();
  if (output.head < output.tail) {
    struct pollfd wait = {.fd = session.socket, .events = POLLIN | POLLOUT};
    int ready = poll(&wait, 1, timeout_seconds * 1000);
    if (!ready) fail("run", "no answer for a minute");
    if (ready < 0 || !(wait.revents & ~POLLOUT)) return;
  }
  ssize_t n = recv(session.socket, input_buffer, sizeof input_buffer, 0);
  if (n < 0 && errno == EINTR) return;
  if (n < 0) fail("receive", errno == EAGAIN ? "no answer for a minute" : strerror(errno));
  if (!n) fail("receive", "the target closed the connection");
  consume(input_buffer, (uint32_t)n);
  while (waiting_count && window_open()) send_command(waiting[--waiting_count]);
}

// MARK: Session

// iscsi://HOST[:PORT]/IQN/LUN
static void take_url(const char *url) {
  unsigned lun;
  char authority[256], *colon;
  if (sscanf(url, "iscsi://%255[^/]/%255[^/]/%u", authority, options.target, &lun) != 3 || lun > 16383)
    fail(url, "not iscsi://HOST[:PORT]/IQN/LUN");
  options.lun = lun;
  colon = strrchr(authority, ':');
  if (colon && strchr(colon, ']')) colon = NULL;
  snprintf(options.port, sizeof options.port, "%s", colon ? colon + 1 : "3260");
  if (colon) *colon = 0;
  size_t length = strlen(authority);
  bool bracketed = authority[0] == '[' && authority[length - 1] == ']';
  if (bracketed) authority[length - 1] = 0;
  snprintf(options.host, sizeof options.host, "%s", authority + bracketed);
}

static void open_connection(void) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
  int error = getaddrinfo(options.host, options.port, &hints, &found);
  if (error) fail(options.host, gai_strerror(error));
  session.socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (session.socket < 0 || connect(session.socket, found->ai_addr, found->ai_addrlen))
    fail("connect", strerror(errno));
  freeaddrinfo(found);
  struct timeval patience = {.tv_sec = timeout_seconds};
  setsockopt(session.socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  setsockopt(session.socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void receive_exactly(void *to, size_t size) {
  if (size && recv(session.socket, to, size, MSG_WAITALL) != (ssize_t)size) fail("login", "no answer");
}

static void agree(const char *key, const char *value) {
  const char *digest = options.digests ? "CRC32C" : "None";
  if (!strcmp(key, "HeaderDigest") || !strcmp(key, "DataDigest")) {
    if (strcmp(value, digest)) fail(key, value);
  } else if (!strcmp(key, "MaxRecvDataSegmentLength")) {
    session.max_send = least((uint32_t)strtoul(value, NULL, 0), 0xffffff) & ~511u;
  } else if (!strcmp(key, "FirstBurstLength")) {
    session.first_burst = (uint32_t)strtoul(value, NULL, 0) & ~511u;
  } else if (!strcmp(key, "MaxBurstLength")) {
    session.max_burst = (uint32_t)strtoul(value, NULL, 0);
  } else if (!strcmp(key, "InitialR2T")) {
    session.initial_r2t = strcmp(value, "No");
  } else if (!strcmp(key, "ImmediateData")) {
    session.immediate_data = !strcmp(value, "Yes");
  }
}

// Sends one Login Request, takes its response; true once the full-feature phase is reached.
static bool exchange_login(const char *text, uint32_t length) {
  uint8_t request[header_size + 1024] = {login_request, 0x87};  // T, operational to full feature
  put32(request + 4, length);
  memcpy(request + 8, (uint8_t[]){0x80, 0, 0, 0xd1, 0x9e, 0x57}, 6);  // ISID, random format
  put32(request + 24, session.cmd_sn);
  put32(request + 28, session.exp_stat_sn);
  memcpy(request + header_size, text, length);
  size_t size = header_size + ((length + 3) & ~3u);
  if (send(session.socket, request, size, MSG_NOSIGNAL) != (ssize_t)size) fail("login", strerror(errno));

  uint8_t header[header_size];
  static char keys[8192 + 4];
  receive_exactly(header, sizeof header);
  uint32_t received = get32(header + 4) & 0xffffff;
  if (header[0] != login_response || header[4] || received > 8192) fail("login", "malformed response");
  receive_exactly(keys, (received + 3) & ~3u);
  keys[received] = 0;
  if (header[36]) {
    fprintf(stderr, "digests: login refused with status %02x%02xh\n", header[36], header[37]);
    exit(1);
  }
  session.exp_stat_sn = get32(header + 24) + 1;
  session.max_cmd_sn = get32(header + 32);
  for (char *pair = keys; pair < keys + received; ) {
    char *next = pair + strlen(pair) + 1, *equals = strchr(pair, '=');
    if (equals) {
      *equals = 0;
      agree(pair, equals + 1);
    }
    pair = next;
  }
  return header[1] & 0x80;
}

static void log_in(void) {
  const char *digest = options.digests ? "CRC32C" : "None";
  char text[1024];
  int length = snprintf(text, sizeof text,
      "InitiatorName=iqn.2026-11.com.example:digests%cTargetName=%s%cSessionType=Normal%c"
      "HeaderDigest=%s%cDataDigest=%s%cMaxRecvDataSegmentLength=%d%cMaxBurstLength=%d%c"
      "FirstBurstLength=%d%cInitialR2T=No%cImmediateData=Yes%cMaxOutstandingR2T=1%c"
      "MaxConnections=1%cErrorRecoveryLevel=0%c",
      0, options.target, 0, 0, digest, 0, digest, 0, segment_size, 0, segment_size, 0,
      segment_size, 0, 0, 0, 0, 0, 0);
  open_connection();
  bool done = exchange_login(text, (uint32_t)length);
  for (int i = 0; !done && i < 4; i++) done = exchange_login("", 0);
  if (!done) fail("login", "no end of the negotiation");
  if (!session.max_send) fail("login", "the target's MaxRecvDataSegmentLength");
  session.digests = options.digests;
}

static uint8_t ask(const uint8_t *cdb, uint32_t length) {
  struct slot *slot = &slots[0];
  memcpy(slot->cdb, cdb, sizeof slot->cdb);
  slot->length = length;
  slot->write = false;
  slot->keep = true;
  start(slot);
  do turn(); while (in_flight || waiting_count);
  return slot->status;
}

static void measure_unit(void) {
  const uint8_t test_unit_ready[16] = {0}, read_capacity[16] = {0x9e, 0x10, [13] = 32};
  for (int i = 0; ask(test_unit_ready, 0); i++)  // each unit attention once
    if (i == 8) fail("TEST UNIT READY", "never GOOD");
  if (ask(read_capacity, 32) || slots[0].received != 32) fail("READ CAPACITY(16)", "not GOOD");
  uint64_t last = (uint64_t)get32(slots[0].buffer) << 32 | get32(slots[0].buffer + 4);
  logical_block = get32(slots[0].buffer + 8);
  if (!logical_block || options.block % logical_block) fail("--block", "not whole logical blocks");
  units = (last + 1) * logical_block / options.block;
  if (!units) fail("--block", "larger than the logical unit");
  memset(slots[0].cdb, 0, sizeof slots[0].cdb);
}

static void log_out(void) {
  uint8_t header[header_size] = {logout_request, 0x80};  // close the session
  put32(header + 16, slot_count);
  put32(header + 24, session.cmd_sn);
  put32(header + 28, session.exp_stat_sn);
  queue(header, NULL, 0);
  while (!session.logged_out) turn();
  close(session.socket);
}

// MARK: Main

static double processor_seconds(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static void report(double elapsed, double processor) {
  qsort(latencies, completed, sizeof *latencies, ascending);
  double p50 = completed ? latencies[completed / 2] / 1e3 : 0;
  double p99 = completed ? latencies[completed - 1 - completed / 100] / 1e3 : 0;
  double top = completed ? latencies[completed - 1] / 1e3 : 0;
  double iops = (double)completed / elapsed;
  printf("{\"commands\": %llu, \"errors\": %llu, \"seconds\": %.3f, \"iops\": %.0f, \"mb_per_s\": %.1f, "
         "\"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f, \"digests_checked\": %llu, "
         "\"client_cpu_us\": %.1f}\n",
         (unsigned long long)completed, (unsigned long long)failed, elapsed, iops,
         iops * options.block / 1e6, p50, p99, top, (unsigned long long)session.checked,
         completed ? processor * 1e6 / (double)completed : 0);
}

static void pass(bool write) {
  options.write = write;
  issued = next_unit = 0;
  for (uint32_t i = 0; i < options.depth && wants_more(); i++) submit(&slots[i]);
  while (in_flight || waiting_count) turn();
}

static void run(void) {
  uint64_t begin = now();
  double processor = processor_seconds();
  deadline = begin + (uint64_t)(options.seconds * 1e9);
  running = true;
  if (options.verify) {
    salt = begin * 8;
    options.sequential = true;
    limit = verified_size / options.block;
    if (limit > units) limit = units;
    pass(true);
    pass(false);
  } else {
    pass(options.write);
  }
  running = false;
  report((double)(now() - begin) / 1e9, processor_seconds() - processor);
}

static void parse(int argc, char **argv) {
  static const struct option names[] = {
      {"url", 1, 0, 'u'},     {"digests", 0, 0, 'D'},    {"write", 0, 0, 'w'},
      {"block", 1, 0, 'b'},   {"sequential", 0, 0, 'q'}, {"depth", 1, 0, 'd'},
      {"seconds", 1, 0, 's'}, {"verify", 0, 0, 'v'},     {0, 0, 0, 0}};
  const char *url = NULL;
  for (int o; (o = getopt_long(argc, argv, "", names, NULL)) != -1;) switch (o) {
    case 'u': url = optarg; break;
    case 'D': options.digests = true; break;
    case 'w': options.write = true; break;
    case 'q': options.sequential = true; break;
    case 'b': options.block = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 'd': options.depth = (uint32_t)strtoul(optarg, NULL, 10); break;
    case 's': options.seconds = strtod(optarg, NULL); break;
    case 'v': options.verify = true; break;
    default: exit(2);
  }
  if (!url || !options.block || options.block > verified_size || !options.depth || options.depth > 65536) {
    fprintf(stderr, "usage: see the head of digests.c\n");
    exit(2);
  }
  take_url(url);
}

int main(int argc, char **argv) {
  parse(argc, argv);
  check_crc();
  slot_count = options.depth;
  slots = allocate(slot_count, sizeof *slots);
  waiting = allocate(slot_count, sizeof *waiting);
  for (uint32_t i = 0; i < slot_count; i++) {
    slots[i].buffer = allocate(1, options.block + 32);  // or READ CAPACITY(16) data
    memset(slots[i].buffer, (int)(next_random() & 0xff), options.block);
  }
  log_in();
  measure_unit();
  run();
  log_out();
  return failed ? 1 : 0;
}
