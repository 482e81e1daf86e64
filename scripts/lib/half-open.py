#!/usr/bin/env python3
"""half-open.py PORT COUNT COMMAND...: opens COUNT connections to PORT on loopback, each of which sends one byte of a
login and no more, and runs COMMAND three times every 2,500 of them and at the end. Exits 0 if all runs succeeded, and
one of each three in under a second: all else that the machine does only adds to it."""
import resource
import socket
import subprocess
import sys
import time

port, count, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
count = min(count, limit - 100) if limit != resource.RLIM_INFINITY else count
opened, slowest = [], 0.0


def seconds_of(command):
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, timeout=20)
    if done.returncode:
        sys.exit(f"after {len(opened)} connections: {done.stderr.decode()}")
    return time.monotonic() - start


for number in range(1, count + 1):
    connection = socket.create_connection(("127.0.0.1", port))
    try:
        connection.send(b"\x43")
    except OSError:
        pass  # dropped already
    opened.append(connection)
    if number % 2500 and number < count:
        continue
    slowest = max(slowest, min(seconds_of(command) for _ in range(3)))
print(f"{count} half-open connections, slowest login {slowest * 1000:.0f} ms")
sys.exit(slowest >= 1)
