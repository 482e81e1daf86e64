#!/usr/bin/python3
"""acknowledge.py write PLACE NAME LIST: files on a shared file system that somebody was promised.
acknowledge.py check PLACE LIST...: that they are all there.

"write" makes files until there is LIST.enough, PLACE/NAME.N, and after each adds its line to PLACE/all, which every node
appends to under a lock. Only when both are on the disk the name goes into LIST, which lies elsewhere.
"check" reads those files, and finds each in PLACE/all exactly once, with no line that is torn.
"""
import fcntl, hashlib, os, sys, time


def content(name):
    """8 KB that only this name has."""
    return b"".join(hashlib.sha256(f"{name} {number}".encode()).digest() for number in range(256))


def store(path, data, flags):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o644)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX)
        if os.write(file, data) != len(data):
            sys.exit(f"{path}: not all of it is written")
        os.fsync(file)
    finally:
        os.close(file)


def write(place, node, promised):
    directory = os.open(place, os.O_RDONLY)
    number = os.path.getsize(promised) if os.path.exists(promised) else 0  # beyond those of a former life
    while not os.path.exists(f"{promised}.enough"):
        number += 1
        name = f"{node}.{number}"
        store(f"{place}/{name}", content(name), os.O_EXCL)
        os.fsync(directory)
        store(f"{place}/all", f"{name}\n".encode(), os.O_APPEND)
        store(promised, f"{name}\n".encode(), os.O_APPEND)
        time.sleep(0.1)  # some hundreds in all: the disk does not fill, and they are checked in seconds


def check(place, lists):
    with open(f"{place}/all") as file:
        lines = file.read().splitlines()
    promised = [name for path in lists for name in open(path).read().split()]
    lost = [name for name in promised if lines.count(name) != 1]
    spoilt = [name for name in promised if not os.path.exists(f"{place}/{name}")
              or open(f"{place}/{name}", "rb").read() != content(name)]
    torn = [line for line in lines if not os.path.exists(f"{place}/{line}")]
    print(f"{len(promised)} promised, {len(lines)} lines")
    for what, names in ("not once in all", lost), ("spoilt", spoilt), ("torn", torn):
        print(f"{what}: {len(names)} {names[:5]}")
    return promised and not lost and not spoilt and not torn


if sys.argv[1] == "write":
    write(*sys.argv[2:])
elif not check(sys.argv[2], sys.argv[3:]):
    sys.exit(1)
