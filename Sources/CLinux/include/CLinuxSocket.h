// TCP sockets: addresses and options.
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/// A socket address of 4 or 16 bytes in network order, port and scope in host order.
/// Its length, for bind(2) and connect(2).
static inline socklen_t clinux_address_store(struct sockaddr_storage *storage, int is_v6,
                                             const uint8_t *bytes, uint16_t port, uint32_t scope) {
  memset(storage, 0, sizeof *storage);
  if (is_v6) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons(port);
    address->sin6_scope_id = scope;
    memcpy(&address->sin6_addr, bytes, 16);
    return sizeof *address;
  }
  struct sockaddr_in *address = (struct sockaddr_in *)storage;
  address->sin_family = AF_INET;
  address->sin_port = htons(port);
  memcpy(&address->sin_addr, bytes, 4);
  return sizeof *address;
}

/// The reverse. 4 or 6: the address family; 0: another one.
static inline int clinux_address_load(const struct sockaddr_storage *storage, uint8_t *bytes,
                                      uint16_t *port, uint32_t *scope) {
  if (storage->ss_family == AF_INET6) {
    const struct sockaddr_in6 *address = (const struct sockaddr_in6 *)storage;
    memcpy(bytes, &address->sin6_addr, 16);
    *port = ntohs(address->sin6_port);
    *scope = address->sin6_scope_id;
    return 6;
  }
  if (storage->ss_family != AF_INET) return 0;
  const struct sockaddr_in *address = (const struct sockaddr_in *)storage;
  memcpy(bytes, &address->sin_addr, 4);
  *port = ntohs(address->sin_port);
  *scope = 0;
  return 4;
}

/// getsockname(2), or getpeername(2). 0, or -1 with errno.
static inline int clinux_socket_name(int fd, int of_peer, struct sockaddr_storage *storage) {
  socklen_t length = sizeof *storage;
  memset(storage, 0, sizeof *storage);
  return of_peer ? getpeername(fd, (struct sockaddr *)storage, &length)
                 : getsockname(fd, (struct sockaddr *)storage, &length);
}

/// bind(2) of an address made above. 0, or -1 with errno.
static inline int clinux_bind(int fd, const struct sockaddr_storage *storage, socklen_t length) {
  return bind(fd, (const struct sockaddr *)storage, length);
}

/// A TCP socket, closed on exec. The descriptor, or -1 with errno.
static inline int clinux_tcp_socket(int is_v6) {
  return socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
}

/// setsockopt(2) of an int. 0, or -1 with errno.
static inline int clinux_set_option(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof value);
}

/// accept4(2), closed on exec. The descriptor, or -1 with errno.
static inline int clinux_accept(int fd) { return accept4(fd, NULL, NULL, SOCK_CLOEXEC); }
